import json
from datetime import time, timedelta

import pytest
from msgspec.structs import replace

from streaming.bus import keys
from streaming.bus.codec import encode_event
from streaming.bus.snapshots.classic import parse_snapshot
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.errors import RequestError
from streaming.model import GexSnapshot, TickEvent
from streaming.recording.record_lines import snapshot_line, tick_line
from streaming.recording.recording_files import part_name, parts_of
from streaming.recording.writer import RecordWriter
from streaming.replay.recorded import EVERYTHING, TapeChoice, recorded_tape, stream_tape
from tests.support.events import tick
from tests.support.recordings import DAY, record
from tests.support.snapshots import ASOF, snapshot


async def everything(tape):
    return [item async for item in tape.items()]


async def test_a_recording_comes_back_in_the_order_of_arrival(tmp_path):
    tape = recorded_tape(parts_of(record(tmp_path, seconds=3)), EVERYTHING)
    found = await everything(tape)
    kinds = [item.content.ticker if isinstance(item.content, GexSnapshot) else "tick" for item in found]
    assert kinds == ["SPX", "NDX", "tick"] * 3
    assert [item.at_ms for item in found] == sorted(item.at_ms for item in found)
    assert tape.name == DAY


async def test_a_tape_can_be_read_twice(tmp_path):
    tape = recorded_tape(parts_of(record(tmp_path, gap_after=2)), EVERYTHING)
    assert await everything(tape) == await everything(tape)
    assert tape.counts.gaps == 1


async def test_the_beginning_is_an_hour_in_new_york(tmp_path):
    tape = recorded_tape(parts_of(record(tmp_path)), TapeChoice(start=time(10, 30)))
    snapshots = [item.content for item in await everything(tape) if isinstance(item.content, GexSnapshot)]
    assert [one.spot for one in snapshots[::2]] == [6405.0, 6406.0, 6407.0, 6408.0, 6409.0]


async def test_tickers_choose_snapshots_and_leave_ticks(tmp_path):
    tape = recorded_tape(parts_of(record(tmp_path, seconds=2)), TapeChoice(tickers={"NDX"}))
    kinds = [type(item.content) for item in await everything(tape)]
    assert kinds == [GexSnapshot, TickEvent] * 2


async def test_what_cannot_be_read_is_counted_and_passed_over(tmp_path):
    record(tmp_path, seconds=2)
    with RecordWriter(tmp_path, max_mb=10) as writer:
        writer.write({("snapshots", DAY): [snapshot_line(1, b'{"ticker":"SPX"}'), b"rubbish\n"]})
    (tmp_path / part_name("snapshots", DAY, 3)).write_bytes(b"\x1f\x8bxx")
    tape = recorded_tape(parts_of(tmp_path), EVERYTHING)
    assert len(await everything(tape)) == 6
    assert (tape.counts.unusable, tape.counts.foreign, tape.counts.torn) == (1, 1, 1)


async def test_snapshots_of_other_programs_are_played_with_the_time_of_their_arrival(tmp_path):
    payload = b'{"symbol": "SPX", "spot_price": 6400.5, "net_gex": NaN, "call_wall": 6500}'
    with RecordWriter(tmp_path, max_mb=10) as writer:
        writer.write({("snapshots", DAY): [snapshot_line(1_795_000_000_000, payload)]})
    (item,) = await everything(recorded_tape(parts_of(tmp_path), EVERYTHING))
    assert (item.content.spot, item.content.major_pos_oi, item.market_ms) == (6400.5, 6500.0, 1_795_000_000_000)


async def test_a_history_in_redis_is_a_tape(redis):
    store = SnapshotStore(redis)
    for second in range(0, 600, 5):
        await store.put(snapshot(asof=ASOF + timedelta(seconds=second), seq=second))
    tape = stream_tape(redis, keys.history("SPX"), TapeChoice(start=time(11, 1)))
    found = await everything(tape)
    assert [item.content.seq for item in found] == list(range(60, 600, 5))


async def test_the_tick_stream_is_a_tape_up_to_what_it_holds_now(redis):
    for number in range(120):
        await redis.xadd(keys.TICKS_STREAM, {"data": encode_event(tick(number))})
    await redis.xadd(keys.TICKS_STREAM, {"data": b"rubbish"})
    tape = stream_tape(redis, keys.TICKS_STREAM, EVERYTHING)
    seen = []
    async for item in tape.items():
        seen.append(item.content.seq)
        await redis.xadd(keys.TICKS_STREAM, {"data": encode_event(tick(999))})
    assert seen == list(range(120))
    assert tape.counts.unusable == 1


@pytest.mark.parametrize("kind", ["nothing", "string"])
async def test_what_is_no_stream_is_named(redis, kind):
    if kind == "string":
        await redis.set("gex:history:SPX", json.dumps({}))
    with pytest.raises(RequestError, match="gex:history:SPX"):
        await everything(stream_tape(redis, "gex:history:SPX", EVERYTHING))


async def test_a_tick_of_no_year_of_ours_is_counted_and_passed_over(tmp_path):
    record(tmp_path, seconds=2)
    with RecordWriter(tmp_path, max_mb=10) as writer:
        strays = [
            tick_line(9 * 10**15, f"{9 * 10**15 + n}-0", encode_event(replace(tick(1), event_ms=at)))
            for n, at in enumerate((10**17, -(10**17)))
        ]
        writer.write({("ticks", DAY): strays})
    tape = recorded_tape(parts_of(tmp_path), TapeChoice(start=time(10, 0)))
    assert len(await everything(tape)) == 6
    assert tape.counts.unusable == 2


async def test_an_entry_that_breaks_the_code_that_reads_it_is_passed_over(tmp_path, monkeypatch):
    def brittle(payload, *, received_ms):
        if b'"seq":3,' in payload:
            raise KeyError("a bug of ours")
        return parse_snapshot(payload, received_ms=received_ms)

    monkeypatch.setattr("streaming.replay.recorded.parse_snapshot", brittle)
    tape = recorded_tape(parts_of(record(tmp_path)), TapeChoice(tickers={"SPX"}))
    played = [item.content.seq async for item in tape.items() if isinstance(item.content, GexSnapshot)]
    assert played == [1, 2, 4, 5, 6, 7, 8, 9, 10]
    assert tape.counts.unusable == 2
