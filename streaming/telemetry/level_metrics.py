"""The levels that stand in Redis, for a scrape: those of the scope that each snapshot sums over."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final, NamedTuple

from streaming.bus.metrics_store import Metric, Value
from streaming.clock import Clock
from streaming.errors import GexcordError
from streaming.figures import read_levels
from streaming.freshness import data_age_s
from streaming.model import WEIGHTS, GexSnapshot
from streaming.symbols import Ticker

_LOG: Final = logging.getLogger(__name__)
_READ_S: Final = 1.0
LatestOf = Callable[[str], Awaitable[GexSnapshot | None]]
TickerLook = tuple[tuple[str, ...], "LevelFacts"]


class LevelFacts(NamedTuple):
    """One snapshot, and when it is looked at."""

    snapshot: GexSnapshot
    now: datetime


def _level(name: str, words: str) -> Metric[LevelFacts]:
    def read(it: LevelFacts) -> Value:
        by_weight: Mapping[str, object] = {
            weight: getattr(read_levels(it.snapshot, None, weight), name) for weight in WEIGHTS
        }
        return by_weight

    return Metric(None, name, read, words, labels=("weight",))


METRICS: Final[tuple[Metric[LevelFacts], ...]] = (
    Metric(None, "age_seconds", lambda it: data_age_s(it.snapshot, it.now), "How old the quotes behind them are."),
    Metric(None, "spot", attrgetter("snapshot.spot"), "The price that they were computed at, points."),
    _level("zero_gamma", "Where net gamma changes its sign, points."),
    _level("call_wall", "The strike with most call gamma, points."),
    _level("put_wall", "The strike with most put gamma, points."),
    _level("net_gex_usd_per_1pct", "Net gamma exposure, US dollars per 1 % move."),
)


async def level_looks(latest: LatestOf, tickers: Sequence[Ticker], clock: Clock) -> Sequence[TickerLook]:
    """The newest levels of each ticker, under its name; of none while Redis is away."""
    try:
        async with asyncio.timeout(_READ_S):
            found = [(ticker.name, await latest(ticker.name)) for ticker in tickers]
    except (GexcordError, TimeoutError) as error:
        _LOG.debug("a scrape has no levels: %s", error)
        return ()
    now = clock.now()
    return tuple(((name,), LevelFacts(snapshot, now)) for name, snapshot in found if snapshot is not None)
