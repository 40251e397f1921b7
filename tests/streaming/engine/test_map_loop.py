"""The loop that keeps maps current: once a minute, soon at first, and through trouble."""

import asyncio
import logging
from contextlib import asynccontextmanager

from msgspec.structs import replace

from streaming.engine.engine_host import EngineError
from streaming.engine.map_loop import MapLoop
from streaming.errors import TransientError
from streaming.symbols import parse_ticker
from tests.support.charts import NOON
from tests.support.day_maps import made_map
from tests.support.virtual_clock import VirtualClock


class Engines:
    """Figures that are newer every ten seconds; NDX has none until a test says so."""

    def __init__(self, clock):
        self.clock = clock
        self.tickers = (parse_ticker("NDX"), parse_ticker("SPX"))
        self.without = {"NDX"}
        self.error = None
        self.asked = []

    async def map_ahead(self, name, *, newer_than_ms):
        asof_ms = 1 + int(self.clock.monotonic() // 10) * 10_000
        self.asked.append((name, self.clock.monotonic(), newer_than_ms))
        if self.error is not None:
            raise self.error
        if name in self.without or asof_ms <= newer_than_ms:
            return None
        return replace(made_map(ticker=name), asof_ms=asof_ms)


class Sink:
    def __init__(self):
        self.stored = []
        self.error = None

    async def put(self, made):
        if self.error is not None:
            raise self.error
        self.stored.append((made.ticker, made.asof_ms))


@asynccontextmanager
async def running(engines, sink, clock, **more):
    loop = MapLoop(engines, sink, clock, **more)
    task = asyncio.create_task(loop.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


def desk():
    clock = VirtualClock(NOON)
    return clock, Engines(clock), Sink()


async def until_s(clock, seconds, *, sleepers=2):
    start_s = clock.monotonic()
    await clock.run(lambda: clock.sleeping == sleepers, done=lambda: clock.monotonic() - start_s >= seconds)


def times(engines, name):
    return [at - 1000.0 for asked, at, _ in engines.asked if asked == name]


async def test_the_first_map_comes_soon_and_from_then_on_one_a_minute():
    clock, engines, sink = desk()
    async with running(engines, sink, clock):
        await until_s(clock, 130)
    assert times(engines, "SPX") == [2.0, 62.0, 122.0]
    assert [ticker for ticker, _ in sink.stored] == ["SPX"] * 3
    asked = [newer for name, _, newer in engines.asked if name == "SPX"]
    assert asked == [0, *(asof for _, asof in sink.stored[:-1])], "nothing is made twice"


async def test_a_ticker_without_figures_is_asked_about_often_and_holds_up_no_other():
    clock, engines, sink = desk()
    async with running(engines, sink, clock):
        await until_s(clock, 20)
        engines.without.clear()
        await until_s(clock, 4)
    assert times(engines, "SPX")[0] == 2.0
    assert times(engines, "NDX")[:11] == [2.0 * n for n in range(1, 12)]
    assert [ticker for ticker, _ in sink.stored][:2] == ["SPX", "NDX"]


async def test_trouble_is_told_once_and_the_next_map_is_stored(caplog):
    clock, engines, sink = desk()
    engines.error = EngineError("ValueError", "odd lines")
    with caplog.at_level(logging.WARNING):
        async with running(engines, sink, clock):
            await until_s(clock, 20)
            engines.error, sink.error = None, TransientError("Redis is away.")
            await until_s(clock, 20)
            assert sink.stored == []
            sink.error = None
            await until_s(clock, 4)
    assert [ticker for ticker, _ in sink.stored] == ["SPX"]
    (told,) = caplog.records
    assert "odd lines" in told.message


async def test_who_was_deposed_stores_nothing():
    clock, engines, sink = desk()

    async def assure():
        raise TransientError("Another process streams now.")

    async with running(engines, sink, clock, assure=assure):
        await until_s(clock, 20)
    assert sink.stored == []
