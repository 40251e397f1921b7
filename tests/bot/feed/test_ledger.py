import asyncio

import pytest
from redis.asyncio import Redis

from bot.feed.ledger import LedgerAwayError, LedgerEntry, RedisLedger
from streaming.bus import keys

ENTRY = LedgerEntry(session="2026-08-20", message_id=1234567890123456789, superseded=(5, 6), nonce="n")


async def test_an_entry_survives_in_redis(redis):
    await RedisLedger(redis).save(7, ENTRY)
    assert await RedisLedger(redis).load(7) == ENTRY
    assert await redis.hkeys(keys.FEED_LEDGER) in ([b"7"], ["7"])


async def test_an_unknown_channel_has_no_entry(redis):
    assert await RedisLedger(redis).load(7) is None


async def test_an_entry_nobody_can_read_counts_as_none(redis):
    await redis.hset(keys.FEED_LEDGER, "7", "{broken")
    assert await RedisLedger(redis).load(7) is None


async def test_a_ledger_that_is_away_says_so():
    client = Redis(host="127.0.0.1", port=1)
    try:
        with pytest.raises(LedgerAwayError):
            await RedisLedger(client).load(7)
        with pytest.raises(LedgerAwayError):
            await RedisLedger(client).save(7, ENTRY)
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
            await RedisLedger(client).load(7)
    finally:
        await client.aclose()
        server.close()
        await server.wait_closed()
