"""Net gamma and charm's hedge flow over price and the rest of a session (`specs/gex-method.md` §23).

Every line is priced anew with the volatility that the time left then leaves of today's: w(t) = w·√(T(t)/T(now)).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import NDArray

from streaming.calendar import session_until_close
from streaming.clock import epoch_ms
from streaming.day_map import DayMap, MapPart
from streaming.gex.pricing.formulas import ROOT_2PI, YEAR_S, Floats, normal_cdf, years_to_expiry
from streaming.gex.pricing.lines import Ints
from streaming.gex.pricing.priced import MULTIPLIER, PER_CENT, Kernel, PricedStrikes
from streaming.gex.pricing.spans import span_of
from streaming.model import SCOPES

PRICES: Final = 61
TIMES: Final = 27
_DEVIATIONS: Final = 5.0
"""Of spot until the close: so far the prices reach to either side, which makes their step that of the last column."""
_REACH: Final = (0.005, 0.1)
_NEAREST: Final = 7
_LEAST_LEFT: Final = timedelta(minutes=1)
_TIME_NODES: Final = 9
_PRICE_NODES: Final = 25
_OUTLIVED_SPANS: Final = 3.0
"""Lines that outlive the session by so many times what is left of it change evenly over time."""
_LEAST_WIDTH: Final = 0.25
"""Of the reach of prices: lines as wide as that at the close change evenly over prices."""
_CELLS: Final = 1 << 14
"""Priced at a time, in half a millisecond: small enough for the processor's nearest memory."""
Work = Iterator[DayMap | None]
"""Nothing after each piece of the work, then the map."""


@dataclass(frozen=True, slots=True, eq=False)
class MapAxes:
    """Where and when lines are priced."""

    spot: float
    prices: Floats
    times_s: Floats
    """Epoch seconds; each counts until the next one."""
    ends_s: float

    @property
    def span_s(self) -> float:
        return self.ends_s - float(self.times_s[0])


def axes_of(kernel: Kernel, asof: datetime) -> MapAxes:
    """From the quote time, or the next opening where that is later, to the close; prices around spot.

    With a minute left or less it is the next session.
    """
    session = session_until_close(asof + _LEAST_LEFT)
    begins_s, ends_s = max(asof, session.open_at).timestamp(), session.close_at.timestamp()
    times: Floats = np.round(begins_s + (ends_s - begins_s) / TIMES * np.arange(TIMES), 3)
    moves = _DEVIATIONS * _volatility(kernel) * np.sqrt((ends_s - begins_s) / YEAR_S)
    reach = float(np.clip(moves, *_REACH))
    prices: Floats = kernel.anchor * (1.0 + reach * np.linspace(-1.0, 1.0, PRICES))
    return MapAxes(kernel.anchor, prices, times, ends_s)


def _volatility(kernel: Kernel) -> float:
    """The median of the lines nearest the money: a single one may be a stale mark."""
    nearest = np.argsort(np.abs(kernel.moneyness), kind="stable")[:_NEAREST]
    return float(np.median(kernel.deviation[nearest] / np.sqrt(kernel.years[nearest])))


@dataclass(frozen=True, slots=True, eq=False)
class _Entries:
    """Of priced strikes, what the map needs."""

    settle_s: Floats
    years: Floats
    """Left at the quote time."""
    deviation: Floats
    moneyness: Floats
    net: Floats
    """Contracts of calls less those of puts, shape (2, entries): by open interest, by volume."""

    def __getitem__(self, rows: slice | Ints) -> "_Entries":
        return _Entries(
            self.settle_s[rows], self.years[rows], self.deviation[rows], self.moneyness[rows], self.net[:, rows]
        )

    def __len__(self) -> int:
        return int(self.settle_s.size)


def _entries(priced: PricedStrikes, kernel: Kernel) -> _Entries:
    return _Entries(priced.settle_s, kernel.years, kernel.deviation, kernel.moneyness, priced.net)


def map_ahead(priced: PricedStrikes, kernel: Kernel, asof: datetime, *, ticker: str, points: float) -> Work:
    """The map of what a snapshot was made of, piece by piece; nothing at all without lines.

    `points` is what a futures ticker's basis adds to prices. Holds on to none of the arrays it is given.
    """
    if not len(priced):
        return
    axes, entries = axes_of(kernel, asof), _entries(priced, kernel)
    spans = {name: span_of(priced.scopes[name]) for name in SCOPES}
    edges = sorted({edge for span in spans.values() for edge in span})
    parts: list[MapPart] = []
    for low, high in pairwise(edges):
        cells = np.zeros((4, PRICES, TIMES))
        yield from _some(entries[low:high], axes, cells)
        parts.append(_part(cells))
    yield DayMap(
        ticker=ticker,
        asof_ms=epoch_ms(asof),
        spot=axes.spot + points,
        prices=tuple((axes.prices + points).tolist()),
        times_ms=tuple((axes.times_s * 1000.0).round().astype(np.int64).tolist()),
        ends_ms=round(axes.ends_s * 1000.0),
        parts=tuple(parts),
        scopes={name: _within(edges, span) for name, span in spans.items()},
    )


def _within(edges: list[int], span: tuple[int, int]) -> tuple[int, ...]:
    return tuple(n for n, (low, high) in enumerate(pairwise(edges)) if span[0] <= low and high <= span[1])


def _part(cells: Floats) -> MapPart:
    packed = [field.astype("<f4").tobytes() for field in cells]
    return MapPart(gamma_oi=packed[0], gamma_vol=packed[1], flow_oi=packed[2], flow_vol=packed[3])


def _some(entries: _Entries, axes: MapAxes, cells: Floats) -> Iterator[None]:
    """Add the figures of some lines to `cells`, with a pause after each piece."""
    smooth = _are_smooth(entries, axes)
    times, to_times = _nodes(axes.times_s, _TIME_NODES)
    prices, to_prices = _nodes(axes.prices, _PRICE_NODES)
    for some in _pieces(entries[np.flatnonzero(~smooth)], axes.prices, axes.times_s):
        cells += _priced(some, axes.spot, axes.prices, axes.times_s)
        yield
    for some in _pieces(entries[np.flatnonzero(smooth)], prices, times):
        cells += to_prices @ _priced(some, axes.spot, prices, times) @ to_times.T
        yield


def _are_smooth(entries: _Entries, axes: MapAxes) -> NDArray[np.bool_]:
    """Which lines live so long and are so wide that a few prices and times tell all others."""
    outlive = entries.settle_s >= axes.ends_s + _OUTLIVED_SPANS * axes.span_s
    left = years_to_expiry(entries.settle_s, axes.ends_s) / entries.years
    wide: NDArray[np.bool_] = entries.deviation * np.sqrt(left) >= _LEAST_WIDTH * np.log(axes.prices[-1] / axes.spot)
    return outlive & wide


def _pieces(entries: _Entries, prices: Floats, times: Floats) -> Iterator[_Entries]:
    step = max(_CELLS // (prices.size * times.size), 1)
    return (entries[low : low + step] for low in range(0, len(entries), step))


def _priced(some: _Entries, spot: float, prices: Floats, times_s: Floats) -> Floats:
    """Gamma and flow under both weights, shape (4, prices, times); the first of the times is the map's."""
    left = years_to_expiry(some.settle_s[:, None], times_s)
    deviation = some.deviation[:, None] * np.sqrt(left / some.years[:, None])
    slope = 1.0 / deviation
    d1 = (some.moneyness[:, None] + np.log(prices / spot))[:, :, None] * slope[:, None, :]
    d1 += 0.5 * deviation[:, None, :]
    lives = some.settle_s[:, None] > times_s
    bell = np.exp(-0.5 * d1 * d1) * (slope * lives)[:, None, :]
    delta = normal_cdf(d1)
    sold = (delta[:, :, :1] - delta) * lives[:, None, :]
    shares, dollars = some.net * MULTIPLIER, prices[:, None]
    gamma = np.tensordot(shares, bell, 1) * (dollars * PER_CENT / ROOT_2PI)
    return np.concatenate((gamma, np.tensordot(shares, sold, 1) * dollars))


def _nodes(values: Floats, count: int) -> tuple[Floats, Floats]:
    """Chebyshev's points from the first to the last value, and what turns figures there into figures at all values."""
    nodes = np.cos(np.linspace(np.pi, 0.0, count))
    first, last = values[0], values[-1]
    along = 2.0 * (values - first) / (last - first) - 1.0
    at_nodes, at_values = (chebvander(points, count - 1) for points in (nodes, along))
    return first + 0.5 * (nodes + 1.0) * (last - first), at_values @ np.linalg.inv(at_nodes)
