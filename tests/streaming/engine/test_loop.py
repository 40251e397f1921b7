"""The loop that computes: at once when news comes and the pace allows, never without news."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from streaming.bus.lease import LeaseLostError
from streaming.clock import SystemClock
from streaming.engine.engine_host import EngineError
from streaming.engine.loop import SnapshotCounters, SnapshotLoop
from streaming.errors import TransientError
from streaming.model import GexSnapshot
from streaming.symbols import parse_ticker
from tests.support.clock import ManualClock
from tests.support.snapshots import snapshot
from tests.support.virtual_clock import VirtualClock
from tests.support.waiting import until


class Engines:
    """Two tickers, with news all the time or when a test says so; NDX never has a snapshot."""

    def __init__(self, *, always=True):
        self.tickers = (parse_ticker("NDX"), parse_ticker("SPX"))
        self.always = always
        self.fresh = {"NDX": asyncio.Event(), "SPX": asyncio.Event()}
        self.errors = {}
        self.computed = []

    async def news(self, name):
        if not self.always:
            await self.fresh[name].wait()

    def expect(self, within_s):
        """Nothing else is going on."""

    def rehearse(self, name, now):
        """It would change nothing."""

    async def compute(self, name, now):
        self.fresh[name].clear()
        self.computed.append((name, asyncio.get_running_loop().time()))
        await asyncio.sleep(0)
        if name in self.errors:
            raise self.errors[name]
        return None if name == "NDX" else snapshot()


class Sink:
    def __init__(self):
        self.stored = 0
        self.error = None

    async def put(self, snapshot):
        if self.error is not None:
            raise self.error
        self.stored += 1


class Running:
    """A loop that runs until the block ends."""

    def __init__(self, engines, sink=None, *, clock=None, pace_s=1.0, assure=None):
        self.counters = SnapshotCounters()
        clock = clock or ManualClock()
        self.loop = SnapshotLoop(engines, sink or Sink(), clock, pace_s=pace_s, counters=self.counters, assure=assure)

    async def __aenter__(self):
        self.task = asyncio.create_task(self.loop.run())
        return self.counters

    async def __aexit__(self, *_):
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


async def test_what_can_be_computed_is_stored():
    sink = Sink()
    async with Running(Engines(), sink) as counters:
        await until(lambda: counters.snapshots >= 3)
    assert sink.stored == counters.snapshots
    assert counters.last_snapshot_at is not None and counters.compute_ms is not None


async def test_without_news_nothing_is_computed_and_news_is_computed_at_once():
    engines = Engines(always=False)
    async with Running(engines, clock=SystemClock(), pace_s=0.25):
        await asyncio.sleep(0.4)
        assert engines.computed == []
        engines.fresh["SPX"].set()
        told_s = asyncio.get_running_loop().time()
        await until(lambda: engines.computed)
    ((name, at_s),) = engines.computed
    assert name == "SPX"
    assert at_s - told_s < 0.05


async def test_news_within_the_pace_is_computed_when_the_pace_allows():
    engines = Engines(always=False)
    async with Running(engines, clock=SystemClock(), pace_s=0.3):
        engines.fresh["SPX"].set()
        await until(lambda: engines.computed)
        await asyncio.sleep(0.05)
        engines.fresh["SPX"].set()
        await until(lambda: len(engines.computed) == 2)
    first, second = (at_s for _, at_s in engines.computed)
    assert second - first == pytest.approx(0.3, abs=0.04)


async def test_a_ticker_that_takes_long_does_not_hold_up_the_other():
    class Slow(Engines):
        async def compute(self, name, now):
            if name == "NDX":
                await asyncio.sleep(60)
            return await super().compute(name, now)

    async with Running(Slow()) as counters:
        await until(lambda: counters.snapshots >= 3)


async def test_a_ticker_that_fails_is_counted_and_the_others_go_on():
    engines = Engines()
    engines.errors["NDX"] = FloatingPointError("overflow")
    async with Running(engines) as counters:
        await until(lambda: counters.snapshots >= 3 and counters.compute_errors >= 3)
    assert counters.last_error == "NDX could not be computed (FloatingPointError)."


async def test_a_store_that_is_away_is_counted_and_tried_again():
    sink = Sink()
    sink.error = TransientError("Redis is away.")
    async with Running(Engines(), sink) as counters:
        await until(lambda: counters.store_errors >= 3)
    assert (counters.snapshots, counters.last_error) == (0, "Redis is away.")


async def test_no_error_of_one_ticker_ends_the_stream_and_each_is_logged_once(caplog):
    engines = Engines()
    engines.errors["NDX"] = EngineError("KeyError", "'strike'")
    async with Running(engines) as counters:
        await until(lambda: counters.snapshots >= 4 and counters.compute_errors >= 3)
    assert counters.last_error == "NDX could not be computed (KeyError)."
    assert len([record for record in caplog.records if record.exc_info]) == 1


async def test_a_store_that_refuses_for_minutes_is_logged_once_a_minute(caplog):
    sink, clock = Sink(), ManualClock()
    sink.error = TransientError("Redis failed while storing a snapshot.")
    async with Running(Engines(), sink, clock=clock) as counters:
        began_s = clock.monotonic()
        await until(lambda: counters.store_errors > 100)
        minutes = (clock.monotonic() - began_s) / 60
    said = [record.message for record in caplog.records if "not stored" in record.message]
    assert 1 <= len(said) <= minutes + 2
    assert "more like it in the last" in said[1]


async def test_a_process_that_streams_no_more_stores_nothing_over_its_successor():
    sink = Sink()

    async def assure():
        raise LeaseLostError("somebody else streams")

    async with Running(Engines(), sink, assure=assure) as counters:
        await until(lambda: counters.store_errors)
    assert sink.stored == 0


class Busy:
    """Tickers with news all the time; each computation takes the engines a tenth of a second of the clock."""

    def __init__(self, clock: VirtualClock, *names: str) -> None:
        self.tickers = tuple(parse_ticker(name) for name in names or ("SPX", "NDX", "RUT"))
        self.clock = clock
        self.begun: dict[str, list[float]] = {ticker.name: [] for ticker in self.tickers}
        self.rehearsed: dict[str, list[float]] = {ticker.name: [] for ticker in self.tickers}
        self.expected: list[tuple[float, float]] = []

    async def news(self, name: str) -> None:
        """At once."""

    def expect(self, within_s: float) -> None:
        now_s = self.clock.monotonic() - 1000.0
        self.expected.append((round(now_s, 3), round(now_s + within_s, 3)))

    def rehearse(self, name: str, now: datetime) -> None:
        self.rehearsed[name].append(round(self.clock.monotonic() - 1000.0, 3))

    async def compute(self, name: str, now: datetime) -> GexSnapshot:
        self.begun[name].append(self.clock.monotonic() - 1000.0)
        await self.clock.sleep(0.1)
        return snapshot()


async def test_before_there_are_figures_the_next_look_comes_sooner_than_the_pace():
    class Loading(Busy):
        async def compute(self, name: str, now: datetime) -> GexSnapshot | None:
            self.begun[name].append(self.clock.monotonic() - 1000.0)
            return snapshot() if len(self.begun[name]) > 3 else None

    clock = VirtualClock(datetime(2026, 8, 20, 15, 0, tzinfo=UTC))
    engines = Loading(clock)
    async with Running(engines, clock=clock):
        await clock.run(lambda: clock.sleeping == 3, done=lambda: len(engines.begun["RUT"]) == 5)
    assert [round(at_s, 3) for at_s in engines.begun["SPX"]] == [0.0, 0.1, 0.2, 0.3, 1.3]


async def test_tickers_that_have_news_at_once_take_turns_and_keep_their_places_in_the_second():
    clock = VirtualClock(datetime(2026, 8, 20, 15, 0, tzinfo=UTC))
    engines = Busy(clock)
    async with Running(engines, clock=clock):
        await clock.run(lambda: clock.sleeping == 3, done=lambda: len(engines.begun["RUT"]) == 5)
    assert [[round(at_s, 3) for at_s in begun[1:4]] for begun in engines.begun.values()] == [
        [1.0, 2.0, 3.0],
        [1.108, 2.108, 3.108],
        [1.216, 2.216, 3.216],
    ]


async def test_what_is_due_is_expected_and_then_rehearsed_just_before():
    clock = VirtualClock(datetime(2026, 8, 20, 15, 0, tzinfo=UTC))
    engines = Busy(clock)
    async with Running(engines, clock=clock):
        await clock.run(lambda: clock.sleeping == 3, done=lambda: len(engines.begun["RUT"]) == 4)
    assert {name: at_s[-1] for name, at_s in engines.rehearsed.items()} == {"SPX": 2.992, "NDX": 3.1, "RUT": 3.208}
    assert (2.088, 2.128) in engines.expected, "nothing else is begun from 20 ms before NDX is due at 2.108"


async def test_nothing_is_rehearsed_while_another_ticker_is_due():
    class Crowded(Busy):
        async def compute(self, name: str, now: datetime) -> GexSnapshot:
            self.begun[name].append(round(self.clock.monotonic() - 1000.0, 3))
            return snapshot()

    clock = VirtualClock(datetime(2026, 8, 20, 15, 0, tzinfo=UTC))
    engines = Crowded(clock, "SPX", "NDX", "RUT", "SPY")
    async with Running(engines, clock=clock, pace_s=0.024):
        await clock.run(lambda: clock.sleeping == 4, done=lambda: len(engines.begun["SPY"]) == 5)
    assert [begun[4] for begun in engines.begun.values()] == [0.096, 0.102, 0.108, 0.114]
    assert not any(at_s > 0.03 for rehearsed in engines.rehearsed.values() for at_s in rehearsed)


async def test_news_that_comes_when_a_computation_is_due_is_not_rehearsed():
    class Late(Busy):
        async def news(self, name: str) -> None:
            await self.clock.sleep(1.0)

    clock = VirtualClock(datetime(2026, 8, 20, 15, 0, tzinfo=UTC))
    engines = Late(clock)
    async with Running(engines, clock=clock):
        await clock.run(lambda: clock.sleeping == 3, done=lambda: len(engines.begun["RUT"]) == 3)
    assert not any(engines.rehearsed.values()) and engines.expected == []
