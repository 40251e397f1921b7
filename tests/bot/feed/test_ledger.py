import asyncio

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from bot.feed.ledger import Chore, Ledger, LedgerAwayError, LedgerEntry
from streaming.bus import keys
from streaming.bus.lease import Lease, LeaseLostError

ENTRY = LedgerEntry(session="2026-08-20", message_id=1234567890123456789, superseded=(5, 6), nonce="n")


async def test_an_entry_survives_in_redis(redis):
    await Ledger(redis).save(7, ENTRY)
    assert await Ledger(redis).load(7) == ENTRY
    assert await Ledger(redis).known() == {7: ENTRY}
    assert await redis.hkeys(keys.FEED_LEDGER) in ([b"7"], ["7"])


async def test_an_unknown_channel_has_no_entry(redis):
    assert await Ledger(redis).load(7) is None


async def test_an_entry_nobody_can_read_counts_as_none(redis):
    await redis.hset(keys.FEED_LEDGER, "7", "{broken")
    assert await Ledger(redis).load(7) is None


async def test_hundreds_of_boards_may_ask_at_one_moment_whatever_connections_there_are(redis, redis_url):
    await Ledger(redis).save(7, ENTRY)
    async with Redis.from_url(redis_url, max_connections=20) as client:
        ledger = Ledger(client)
        assert await asyncio.gather(*(ledger.load(7) for _ in range(300))) == [ENTRY] * 300


async def test_a_ledger_that_is_away_says_so():
    client = Redis(host="127.0.0.1", port=1)
    try:
        with pytest.raises(LedgerAwayError):
            await Ledger(client).load(7)
        with pytest.raises(LedgerAwayError):
            await Ledger(client).save(7, ENTRY)
    finally:
        await client.aclose()


async def test_a_server_that_never_answers_counts_as_away():
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    client = Redis(host="127.0.0.1", port=server.sockets[0].getsockname()[1], socket_timeout=None)
    try:
        with pytest.raises(LedgerAwayError):
            await Ledger(client).load(7)
    finally:
        await client.aclose()
        server.close()
        await server.wait_closed()


CHORE = Chore(channel_id=7, message_id=5, text="closed", since_ms=1)


async def test_chores_are_kept_with_the_entry_until_they_are_done(redis):
    ledger = Ledger(redis)
    other = Chore(channel_id=8, message_id=5, since_ms=1)
    await ledger.save(7, ENTRY, [CHORE])
    await ledger.save(8, ENTRY, [other])
    assert sorted(await ledger.chores(), key=lambda chore: chore.channel_id) == [CHORE, other]
    await ledger.done(CHORE)
    assert await ledger.chores() == [other]


async def test_a_chore_that_became_another_one_is_not_forgotten_when_the_first_is_done(redis):
    ledger = Ledger(redis)
    await ledger.save(7, ENTRY, [CHORE])
    later = Chore(channel_id=7, message_id=5, since_ms=2)
    await ledger.save(7, replace(ENTRY, revision=1), [later])
    await ledger.done(CHORE)
    assert await ledger.chores() == [later]


async def test_a_leader_of_an_earlier_epoch_cannot_write(redis):
    old, new = Lease(redis, "feed", "old"), Lease(redis, "feed", "new")
    await old.acquire()
    await Ledger(redis, old).save(7, ENTRY)
    await redis.delete("feed")
    await new.acquire()
    theirs = LedgerEntry(session="2026-08-20", message_id=9)
    await Ledger(redis, new).save(7, theirs)
    with pytest.raises(LeaseLostError):
        await Ledger(redis, old).save(7, ENTRY, [CHORE])
    stored = await Ledger(redis).load(7)
    assert stored is not None and stored.message_id == 9
    assert await Ledger(redis).chores() == []


async def test_a_save_that_arrives_after_a_later_one_changes_nothing(redis):
    lease = Lease(redis, "feed", "one")
    await lease.acquire()
    ledger = Ledger(redis, lease)
    await ledger.save(7, LedgerEntry(session="2026-08-20", message_id=2, revision=2))
    await ledger.save(7, LedgerEntry(session="2026-08-20", message_id=1, revision=1))
    stored = await ledger.load(7)
    assert stored is not None and stored.message_id == 2


async def test_a_channel_written_late_is_told_to_the_new_holder_once(redis):
    ledger = Ledger(redis)
    await ledger.disturb(7)
    await ledger.disturb(7)
    assert await ledger.disturbed() == [7]
    assert await ledger.disturbed() == []
