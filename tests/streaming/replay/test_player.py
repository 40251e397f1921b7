import asyncio
from contextlib import asynccontextmanager, nullcontext
from itertools import pairwise

import pytest
from msgspec.structs import replace

from streaming.clock import epoch_ms
from streaming.errors import RequestError, TransientError
from streaming.model import GexSnapshot, ReplayMark
from streaming.recording.recording_files import parts_of
from streaming.replay.player import SnapshotReplay
from streaming.replay.recorded import EVERYTHING, RecordedTape, TapeChoice, TapeItem, recorded_tape
from tests.support.clock import ManualClock
from tests.support.recordings import BEGIN, record
from tests.support.snapshots import snapshot
from tests.support.waiting import until


class Sink:
    """Takes snapshots and events with the hour at which they came."""

    def __init__(self, clock):
        self.clock = clock
        self.put_at = []
        self.snapshots: list[GexSnapshot] = []
        self.events = []
        self.faults = 0
        self.when = {}
        """What happens after so many snapshots."""

    async def put(self, one):
        if self.faults:
            self.faults -= 1
            raise TransientError("Redis is away.")
        self.put_at.append(self.clock.monotonic() - 1000)
        self.snapshots.append(one)
        self.when.get(len(self.snapshots), lambda: None)()

    def publish(self, events):
        self.events += events


class Rig:
    def __init__(self, folder, *, tape=None, choice=EVERYTHING, **how):
        self.clock = ManualClock()
        self.sink = Sink(self.clock)
        tape = tape or recorded_tape(parts_of(record(folder)), choice)
        self.player = SnapshotReplay(tape, self.sink, self.sink, self.clock, **how)

    async def play(self):
        await self.player.run(lambda: None)
        return self.sink.snapshots

    @asynccontextmanager
    async def playing(self):
        task = asyncio.create_task(self.player.run(lambda: None))
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait({task})


def unmarked(one):
    return replace(one, replay=None, source="")


async def test_what_is_played_is_what_was_recorded_marked_as_a_replay(tmp_path):
    rig = Rig(tmp_path, speed=10.0)
    played = await rig.play()
    assert [unmarked(one) for one in played[:20:2]] == [
        unmarked(item.content)
        async for item in recorded_tape(parts_of(tmp_path), TapeChoice(tickers={"SPX"})).items()
        if isinstance(item.content, GexSnapshot)
    ]
    assert {one.source for one in played} == {"replay"}
    assert {(one.replay.of, one.replay.speed) for one in played[:20]} == {("test", 10.0)}
    assert [event.seq for event in rig.sink.events] == list(range(10))
    assert {event.source for event in rig.sink.events} == {"replay"}


async def test_the_mark_says_when_it_was_played(tmp_path):
    rig = Rig(tmp_path, speed=2.0)
    start_ms = epoch_ms(rig.clock.now())
    played = await rig.play()
    assert [one.replay.sent_ms - start_ms for one in played[:6]] == [0, 0, 500, 500, 1000, 1000]


@pytest.mark.parametrize(("speed", "took_s"), [(1.0, 9.5), (10.0, 0.95), (0.5, 19.0), (0.0, 0.0)])
async def test_a_replay_takes_as_long_as_the_recording_divided_by_its_speed(tmp_path, speed, took_s):
    rig = Rig(tmp_path, speed=speed)
    before = rig.clock.monotonic()
    await rig.play()
    assert rig.clock.monotonic() - before == pytest.approx(took_s, abs=0.01)
    assert rig.player.played == 20


async def test_at_its_end_time_stands(tmp_path):
    rig = Rig(tmp_path, speed=10.0)
    played = await rig.play()
    assert [(one.ticker, one.replay.speed, one.asof_ms) for one in played[20:]] == [
        ("SPX", 0.0, epoch_ms(BEGIN) + 9000),
        ("NDX", 0.0, epoch_ms(BEGIN) + 9000),
    ]


async def test_without_pauses_time_stands_between_snapshots(tmp_path):
    assert {one.replay.speed for one in await Rig(tmp_path, speed=0.0).play()} == {0.0}


async def test_while_it_is_paused_the_last_snapshots_are_kept_alive_every_second(tmp_path):
    rig = Rig(tmp_path, speed=1.0)
    states = []
    rig.sink.when = {
        6: rig.player.toggle,
        12: lambda: states.append(rig.player.status().state),
        16: rig.player.toggle,
    }
    played = await rig.play()
    resting = played[6:16]
    assert {one.replay.speed for one in resting} == {0.0}
    assert [one.ticker for one in resting] == ["SPX", "NDX"] * 5
    assert {one.asof_ms for one in resting} == {played[5].asof_ms}
    assert resting[-1].replay.sent_ms - resting[0].replay.sent_ms == pytest.approx(4000, abs=50)
    assert {one.replay.of for one in resting} == {"test"}
    assert states == ["waiting"]
    assert [one.spot for one in played[16:30:2]] == [6403.0 + n for n in range(7)], "it goes on where it was"
    at = rig.sink.put_at
    steps = [later - earlier for earlier, later in pairwise(at[16:30:2])]
    assert steps == pytest.approx([1.0] * 6, abs=0.01), "no burst, no hole"


async def test_a_loop_begins_again_until_it_is_stopped(tmp_path):
    rig = Rig(tmp_path, speed=100.0, loop=True)
    async with rig.playing() as task:
        await until(lambda: rig.player.played >= 60)
        assert not task.done()
    spots = [one.spot for one in rig.sink.snapshots if one.ticker == "SPX"]
    assert spots[:20] == spots[:10] * 2


async def test_held_at_its_end_it_keeps_the_last_snapshots_on_display(tmp_path):
    rig = Rig(tmp_path, speed=0.0, hold=True)
    async with rig.playing() as task:
        await until(lambda: len(rig.sink.snapshots) >= 30)
        assert not task.done()
    assert {one.asof_ms for one in rig.sink.snapshots[20:]} == {epoch_ms(BEGIN) + 9000}


async def test_a_hole_in_the_recording_is_never_waited_for_longer_than_ten_seconds(tmp_path):
    async def items():
        for at_ms in (0, 3_600_000, 3_601_000):
            yield TapeItem(at_ms, snapshot())

    rig = Rig(tmp_path, tape=RecordedTape("hole", items))
    await rig.play()
    assert rig.sink.put_at[:3] == pytest.approx([0, 10, 11], abs=0.01)


async def test_while_redis_is_away_nothing_is_skipped(tmp_path):
    rig = Rig(tmp_path, speed=100.0)
    rig.sink.faults = 3
    played = await rig.play()
    assert rig.player.played == 20
    assert [one.spot for one in played[:20:2]] == [6400.0 + n for n in range(10)]
    assert rig.player.status().errors == 3


async def test_nothing_to_play_is_said(tmp_path):
    with pytest.raises(RequestError, match="nothing to play in 2026-11-20"):
        await Rig(tmp_path / "a", choice=TapeChoice(tickers={"RUT"}, start=BEGIN.time().replace(hour=23))).play()


async def test_its_status_tells_how_far_it_is(tmp_path):
    rig = Rig(tmp_path, speed=0.0, tickers=("SPX", "NDX"))
    assert rig.player.status().state == "stopped"
    async with rig.playing():
        await until(lambda: rig.player.played == 20)
        status = rig.player.status()
    assert (status.name, status.tickers, status.snapshots) == ("replay", ("SPX", "NDX"), 20)
    assert epoch_ms(status.quote_at) == rig.player.market_ms


class Guard:
    def __init__(self):
        self.asked = []
        self.live = False

    def listening(self):
        return nullcontext()

    async def look(self, *tickers):
        self.asked.append(tickers)
        if self.live:
            raise RequestError("schwab publishes live snapshots.")

    async def make_room(self, *tickers, say):
        await self.look(*tickers)


async def test_a_live_producer_is_looked_for_before_a_tickers_first_snapshot_and_again_and_again(tmp_path):
    guard = Guard()
    rig = Rig(tmp_path, speed=1.0, guard=guard)
    await rig.play()
    assert guard.asked[:3] == [(), ("SPX",), ("NDX",)]
    assert len(guard.asked) >= 4


async def test_a_live_producer_that_comes_later_ends_the_replay(tmp_path):
    guard = Guard()
    rig = Rig(tmp_path, speed=1.0, guard=guard)
    rig.sink.when = {4: lambda: setattr(guard, "live", True)}
    with pytest.raises(RequestError, match="live snapshots"):
        await rig.play()
    assert rig.player.played < 20


async def test_a_replay_of_a_replay_names_the_first_producer(tmp_path):
    async def items():
        yield TapeItem(1, replace(snapshot(), source="replay", replay=ReplayMark(of="cboe", speed=3, sent_ms=5)))

    (played, _) = await Rig(tmp_path, tape=RecordedTape("again", items)).play()
    assert played.replay.of == "cboe"
