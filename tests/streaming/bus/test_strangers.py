"""streaming/bus on a real server: what other programs put there harms nobody."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from streaming.bus import keys
from streaming.bus.codec import encode_snapshot
from streaming.bus.lease import Lease
from streaming.bus.snapshots.classic import MOST_BYTES
from streaming.bus.snapshots.intake import SnapshotIntake
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import epoch_ms
from streaming.model import ReplayMark
from tests.support.clock import ManualClock
from tests.support.snapshots import snapshot
from tests.support.waiting import until

NOW = datetime(2026, 8, 20, 15, 0, tzinfo=UTC)  # a Thursday, 11:00 in New York
DAY = timedelta(days=1)


def store_at(redis, now=NOW):
    return SnapshotStore(redis, clock=ManualClock(now))


def stranger(days, **changes):
    """A snapshot dated so many days from now by a producer whose own clock agrees with its date."""
    asof = NOW + timedelta(days=days)
    return replace(snapshot(asof=asof, seq=99), computed_ms=epoch_ms(asof), source="stranger", **changes)


async def days_of(redis, key="gex:history:SPX"):
    return [fields[b"day"].decode() for _, fields in await redis.xrange(key)]


async def test_an_older_day_erases_neither_todays_history_nor_the_latest_whatever_its_clock_says(redis):
    store = store_at(redis)
    await store.put(snapshot(asof=NOW, seq=1))
    for days in (-1, -30, -365):
        await store.put(stranger(days))
    assert await days_of(redis) == ["2026-08-20"]
    assert (await store.latest("SPX")).seq == 1
    assert store.outdated == 3


async def test_a_day_that_has_not_come_erases_nothing_and_gives_way_to_today(redis):
    store = store_at(redis)
    await store.put(stranger(30))
    await store.put(snapshot(asof=NOW, seq=1))
    await store.put(stranger(30))
    assert await days_of(redis) == ["2026-08-20"]
    assert (await store.latest("SPX")).seq == 1


async def test_on_a_weekend_and_before_the_bell_the_last_session_is_kept(redis):
    friday = datetime(2026, 8, 21, 19, 0, tzinfo=UTC)
    await store_at(redis, friday).put(snapshot(asof=friday, seq=1))
    for now in (friday + DAY, friday + 2.75 * DAY):  # Saturday, and 9:00 on Monday in New York
        await store_at(redis, now).put(stranger(-1))
        assert await days_of(redis) == ["2026-08-21"]
    monday = friday + 3 * DAY
    await store_at(redis, monday).put(snapshot(asof=monday, seq=2))
    assert await days_of(redis) == ["2026-08-24"]


async def test_a_producer_that_wrote_yesterday_looks_again_before_it_writes_into_what_another_began(redis):
    slow, quick = store_at(redis), store_at(redis)
    await slow.put(snapshot(asof=NOW - DAY, seq=1))
    await quick.put(snapshot(asof=NOW, seq=2))
    await slow.put(snapshot(asof=NOW - DAY + timedelta(minutes=1), seq=3))
    assert [seen.seq for seen in await quick.history("SPX", minutes=600)] == [2]


async def test_an_older_day_written_over_the_latest_by_another_program_is_not_shown(redis):
    store = store_at(redis)
    await store.put(snapshot(asof=NOW, seq=1))
    await redis.set(keys.snapshot("SPX"), encode_snapshot(stranger(-1)))
    assert (await store.latest("SPX")).seq == 1


async def test_a_listener_is_not_given_an_older_day_after_todays(redis):
    store = store_at(redis)
    async with store.listen() as heard:
        await redis.publish(keys.SNAPSHOT_STREAM, encode_snapshot(snapshot(asof=NOW, seq=1)))
        assert (await anext(heard)).seq == 1
        for one in (stranger(-1), stranger(3)):
            await redis.publish(keys.SNAPSHOT_STREAM, encode_snapshot(one))
        await redis.publish(keys.SNAPSHOT_STREAM, encode_snapshot(snapshot("NDX", asof=NOW)))
        assert (await anext(heard)).ticker == "NDX"
    assert store.outdated == 2


async def test_a_year_that_cannot_be_reaches_no_reader(redis):
    store = store_at(redis)
    async with store.listen() as heard:
        for asof_ms in (-62_135_596_800_000, 0, 253_402_300_799_000, 2**62):
            payload = encode_snapshot(replace(snapshot(), asof_ms=asof_ms))
            await redis.publish(keys.SNAPSHOT_STREAM, payload)
        await redis.publish(keys.SNAPSHOT_STREAM, encode_snapshot(snapshot(asof=NOW, seq=5)))
        assert (await anext(heard)).seq == 5
    assert store.rejected == 4


async def test_three_hundred_other_tickers_silence_nobody(redis):
    store = store_at(redis)
    heard_of_spx = asyncio.timeout(5)
    async with store.listen() as everything, store.only({"SPX"}.__contains__).listen() as board, heard_of_spx:
        for n in range(300):
            await redis.publish(keys.SNAPSHOT_STREAM, encode_snapshot(snapshot(f"X{n}", asof=NOW)))
        await redis.publish(keys.SNAPSHOT_STREAM, encode_snapshot(snapshot("SPX", asof=NOW)))
        assert (await anext(board)).ticker == "SPX"
        heard = [(await anext(everything)).ticker for _ in range(250)]
        while heard[-1] != "SPX":
            heard.append((await anext(everything)).ticker)


async def test_one_payload_is_taken_apart_once_for_all_readers_of_a_process(redis):
    store = store_at(redis)
    async with store.listen() as first, store.listen() as second:
        await redis.publish(keys.SNAPSHOT_STREAM, encode_snapshot(snapshot(asof=NOW)))
        assert await anext(first) is await anext(second)
    assert store.intake.parsed == 1


async def test_a_payload_is_kept_only_while_another_reader_may_be_about_to_read_it():
    intake = SnapshotIntake()
    for second in range(5):
        payload = encode_snapshot(snapshot(asof=NOW, seq=second))
        await intake.read(payload, received_ms=second * 1000)
    assert intake._bytes == len(payload)


async def test_the_same_words_said_again_later_are_news(redis):
    clock = ManualClock(NOW)
    store = SnapshotStore(redis, clock=clock)
    payload = json.dumps({"ticker": "SPX", "net_gex": 5.0})
    async with store.listen() as heard:
        await redis.publish(keys.SNAPSHOT_STREAM, payload)
        first = await anext(heard)
        clock.advance(1)
        await redis.publish(keys.SNAPSHOT_STREAM, payload)
        assert (await anext(heard)).asof_ms == first.asof_ms + 1000


async def test_what_is_too_large_is_not_even_parsed_and_what_is_large_does_not_hold_the_loop(redis):
    store = store_at(redis)
    rows = [[6000 + n / 10, 1.5, 2.5, [1.0] * 5] for n in range(4900)]
    large = json.dumps({"ticker": "SPX", "spot": 6400.0, "net_gex": 1.0, "strikes": rows}).encode()
    huge = json.dumps({"ticker": "SPX", "net_gex": 1.0, "note": "x" * MOST_BYTES}).encode()
    async with store.listen() as heard:
        await redis.publish(keys.SNAPSHOT_STREAM, huge)
        await redis.publish(keys.SNAPSHOT_STREAM, large)
        assert len((await anext(heard)).strikes) == 4900
    assert (store.intake.parsed, store.rejected) == (1, 1)


async def test_foreign_entries_in_a_history_are_passed_over(redis):
    store = store_at(redis)
    await store.put(snapshot(asof=NOW, seq=1))
    await redis.xadd("gex:history:SPX", {"what": "ever"})
    await redis.xadd("gex:history:SPX", {"data": b"nonsense", "day": "2026-08-20", "asof_ms": epoch_ms(NOW)})
    await redis.xadd("gex:history:SPX", {"data": b"{}", "day": "soon", "asof_ms": "x"})
    assert [seen.seq for seen in await store.history("SPX", minutes=600)] == [1]
    past = await store.past(snapshot(asof=NOW), minutes=600, most=10, strikes=True)
    assert [seen.asof_ms for seen in past] == [epoch_ms(NOW)]


async def test_a_replay_rules_while_the_one_who_plays_it_holds_the_lease(redis):
    store, mark = store_at(redis), ReplayMark(of="schwab", speed=1.0, sent_ms=epoch_ms(NOW), by="me")
    lease = Lease(redis, keys.REPLAY_LEASE, "me")
    async with lease.held():
        await redis.set(keys.snapshot("SPX"), encode_snapshot(stranger(-90, replay=mark)))
        assert (await store.latest("SPX")).replay.rules
    for by in (None, "", "somebody"):
        await redis.set(keys.snapshot("SPX"), encode_snapshot(stranger(-90, replay=replace(mark, by=by))))
        shown = (await store_at(redis).latest("SPX")).replay
        assert (shown.of, shown.rules) == ("schwab", False)


async def test_a_strangers_replay_of_an_older_day_does_not_push_todays_figures_aside(redis):
    store = store_at(redis)
    mark = ReplayMark(of="schwab", speed=1.0, sent_ms=epoch_ms(NOW))
    async with store.listen() as heard:
        await redis.publish(keys.SNAPSHOT_STREAM, encode_snapshot(snapshot(asof=NOW, seq=1)))
        assert (await anext(heard)).seq == 1
        await redis.publish(keys.SNAPSHOT_STREAM, encode_snapshot(stranger(-90, replay=mark)))
        await until(lambda: store.outdated)
