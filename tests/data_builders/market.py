"""Option markets: contracts with quotes, open interest and the volatilities that a vendor writes, or cannot. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from random import Random

from tests.support.slow_gex import NEW_YORK, Contract, cdf, years

RATE = 0.03
"""Forwards lie above spot by this much a year."""
DEEP = 0.985
"""Beyond this delta a vendor finds no volatility in a price."""


@dataclass(frozen=True, slots=True)
class Line:
    """One listed contract; `iv` is what the vendor writes as a fraction, None where it has none to write."""

    root: str
    expiry: date
    call: bool
    strike: float
    iv: float | None
    open_interest: int
    volume: int
    bid: float
    ask: float
    delta: float
    gamma: float
    vega: float
    adjusted: bool = False
    mini: bool = False

    @property
    def side(self) -> str:
        return "C" if self.call else "P"

    @property
    def standard(self) -> bool:
        """Whether it belongs into figures at all."""
        return not self.adjusted and not self.mini

    def osi(self, *, width: int = 0) -> str:
        """Its name, the root padded to `width`."""
        return f"{self.root:<{width}}{self.expiry:%y%m%d}{self.side}{round(self.strike * 1000):08d}"


@dataclass(frozen=True, slots=True)
class Series:
    """What is listed of one root and date: strikes every `step` within `reach` of spot, and how it is quoted."""

    root: str
    expiry: str
    step: float = 10.0
    reach: float = 0.08
    quotes: str = "both"
    """`both` sides; `none` (zeros, as in the evening); `crossed`."""
    volatilities: str = "some"
    """`some` lines lack one, deep in the money; `none` has any; `split`: calls and puts disagree."""
    adjusted: bool = False
    mini: bool = False


@dataclass(frozen=True)
class Market:
    """One underlying at one quote time. `lines` hold settled, adjusted and mini contracts too."""

    ticker: str
    spot: float
    asof: datetime
    lines: tuple[Line, ...] = field(repr=False)

    @property
    def standard(self) -> list[Line]:
        return [line for line in self.lines if line.standard]

    def contracts(self, decimals: int | None = None) -> list[Contract]:
        """The standard lines for the slow model; a volatility that is not there is NaN.

        `decimals` are those of the greeks, None for a file that has none.
        """
        return [
            Contract(
                line.root, line.expiry, line.call, line.strike, math.nan if line.iv is None else line.iv,
                (float(line.open_interest), float(line.volume)), line.bid, line.ask,
                *((math.nan if decimals is None else round(greek, decimals)) for greek in (line.gamma, line.vega)),
            )
            for line in self.standard
        ]  # fmt: skip


def make_market(
    ticker: str, spot: float, asof: str, listed: Sequence[Series], *, seed: int, traded: bool = True
) -> Market:
    """A market at a New York time such as `2023-06-09T13:25`; without `traded` nothing has changed hands yet."""
    when = datetime.fromisoformat(asof).replace(tzinfo=NEW_YORK)
    rng = Random(seed)
    lines = [line for series in listed for line in _series(series, spot, when, rng, traded=traded)]
    return Market(ticker, spot, when, tuple(lines))


def _series(series: Series, spot: float, asof: datetime, rng: Random, *, traded: bool) -> Iterator[Line]:
    expiry = date.fromisoformat(series.expiry)
    left = max(years(series.root, expiry, asof), 1e-5)
    forward = spot * math.exp(RATE * left)
    first, last = (math.ceil(spot * (1 + sign * series.reach) / series.step) for sign in (-1, 1))
    for number in range(first, last):
        strike = number * series.step
        sigma = smile(strike / forward, left)
        for call in (True, False):
            yield _line(series, expiry, strike, call=call, sigma=sigma, left=left, spot=spot, rng=rng, traded=traded)


def smile(moneyness: float, left: float) -> float:
    """A volatility that rises to both sides, more below; steeper the less time is left."""
    away = math.log(moneyness) / math.sqrt(left + 0.003)
    return min(0.12 + 0.04 * math.sqrt(left) - 0.045 * away + 0.05 * away * away, 3.0)


def _line(
    series: Series, expiry: date, strike: float, *, call: bool, sigma: float, left: float, spot: float, rng: Random,
    traded: bool,
) -> Line:  # fmt: skip
    forward = spot * math.exp(RATE * left)
    deviation = sigma * math.sqrt(left)
    d1 = math.log(forward / strike) / deviation + deviation / 2
    sign = 1.0 if call else -1.0
    delta = sign * cdf(sign * d1)
    price = sign * (forward * cdf(sign * d1) - strike * cdf(sign * (d1 - deviation)))
    density = math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)
    gamma, vega = density / (spot * deviation), spot * density * math.sqrt(left) / 100.0
    bid, ask = _quote(series.quotes, price, rng)
    interest = _lots(strike, spot, call=call, rng=rng)
    return Line(
        series.root, expiry, call, strike, _volatility(series.volatilities, sigma, delta, call=call), interest,
        _lots(strike, spot, call=call, rng=rng) // 3 if traded else 0, bid, ask, round(delta, 4), gamma, vega,
        series.adjusted, series.mini,
    )  # fmt: skip


def _quote(quotes: str, price: float, rng: Random) -> tuple[float, float]:
    if quotes == "none":
        return 0.0, 0.0
    half = 0.025 + 0.004 * price * rng.random()
    bid, ask = (round(20 * value) / 20 for value in (max(price - half, 0.0), price + half))
    ask = round(max(ask, bid + 0.05), 2)
    return (ask, bid) if quotes == "crossed" else (round(bid, 2), ask)


def _volatility(kind: str, sigma: float, delta: float, *, call: bool) -> float | None:
    """To four decimals, as CBOE writes it."""
    if kind == "none" or (kind == "some" and abs(delta) > DEEP):
        return None
    return round(sigma * (1.0 if kind != "split" else 0.9 if call else 1.2), 4)


def _lots(strike: float, spot: float, *, call: bool, rng: Random) -> int:
    """Most at and just out of the money, more at round strikes, now and then none."""
    out = (strike / spot - 1.0) * (1.0 if call else -1.0)
    size = 4000.0 * math.exp(-(((out - 0.015) / 0.035) ** 2)) * rng.lognormvariate(0.0, 0.8)
    return 0 if rng.random() < 0.08 else round(size * (3.0 if strike % 100 == 0 else 1.0))
