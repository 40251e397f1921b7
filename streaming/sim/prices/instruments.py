"""What the simulated market trades: indexes, shares and futures with their fixed traits. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import cycle, islice, product
from string import ascii_uppercase
from typing import Final

from streaming.symbols import parse_ticker

YEAR_S: Final = 365.0 * 86400.0
RATE: Final = 0.043
"""The one interest rate of the simulated world, per year."""

Tier = tuple[float, float]
"""(strike step in points, how far from spot it is used as a fraction of spot)."""


@lru_cache(maxsize=64)
def _wire_of(ticker: str) -> str:
    return parse_ticker(ticker).wire


@dataclass(frozen=True, slots=True)
class Underlying:
    """An index or share with listed options."""

    ticker: str
    leader: str
    """The index process it moves with: its own name, or the index behind a share."""
    spot: float
    sigma: float
    """At-the-money volatility a month out, per year."""
    dividend_yield: float
    pm_root: str
    am_root: str | None
    near: tuple[Tier, ...]
    far: tuple[Tier, ...]
    """Strike ladders of expiries within and beyond five weeks."""
    round_at: tuple[tuple[float, float], ...]
    """(multiple, weight): open interest gathers where a strike divides by a multiple; the last match wins."""
    open_interest: float
    """Scale: contracts of an ordinary line at the centre of its side."""
    contracts_per_s: float
    """Average option volume in the session."""
    description: str
    exchange: str = "0"
    exchange_name: str = "Index"
    mic: str = ""
    cusip: str = ""
    sub_type: str = ""
    shares_per_s: float = 0.0

    @property
    def wire(self) -> str:
        """Schwab's symbol: `$SPX`, `SPY`."""
        return _wire_of(self.ticker)

    @property
    def is_index(self) -> bool:
        return self.wire.startswith("$")

    @property
    def carry(self) -> float:
        """Growth of the forward per year."""
        return RATE - self.dividend_yield


@dataclass(frozen=True, slots=True)
class Future:
    """A futures root; its active contract is worked out from the date."""

    root: str
    leader: str
    multiplier: float
    tick: float
    description: str
    contracts_per_s: float


_INDEX_ROUND: Final = ((5.0, 1.0), (25.0, 3.0), (50.0, 5.0), (100.0, 10.0), (500.0, 18.0))
_NDX_ROUND: Final = ((10.0, 1.0), (25.0, 1.6), (50.0, 2.5), (100.0, 5.0), (500.0, 12.0), (1000.0, 18.0))
_SHARE_ROUND: Final = ((1.0, 1.0), (5.0, 3.0), (10.0, 5.0), (50.0, 9.0), (100.0, 14.0))

UNDERLYINGS: Final = {
    item.ticker: item
    for item in (
        Underlying(
            ticker="SPX",
            leader="SPX",
            spot=6880.0,
            sigma=0.145,
            dividend_yield=0.013,
            pm_root="SPXW",
            am_root="SPX",
            near=((5.0, 0.04), (25.0, 0.12), (100.0, 0.30)),
            far=((25.0, 0.10), (50.0, 0.20), (100.0, 0.40)),
            round_at=_INDEX_ROUND,
            open_interest=420.0,
            contracts_per_s=170.0,
            description="S&P 500 INDEX",
        ),
        Underlying(
            ticker="NDX",
            leader="NDX",
            spot=25060.0,
            sigma=0.19,
            dividend_yield=0.007,
            pm_root="NDXP",
            am_root="NDX",
            near=((10.0, 0.02), (50.0, 0.06), (100.0, 0.15), (500.0, 0.30)),
            far=((100.0, 0.12), (250.0, 0.20), (500.0, 0.40)),
            round_at=_NDX_ROUND,
            open_interest=16.0,
            contracts_per_s=9.0,
            description="NASDAQ 100 INDEX",
        ),
        Underlying(
            ticker="SPY",
            leader="SPX",
            spot=686.2,
            sigma=0.145,
            dividend_yield=0.012,
            pm_root="SPY",
            am_root=None,
            near=((1.0, 0.07), (5.0, 0.25)),
            far=((5.0, 0.30), (10.0, 0.40)),
            round_at=_SHARE_ROUND,
            open_interest=3200.0,
            contracts_per_s=320.0,
            description="State Street SPDR S&P 500 ETF Trust",
            exchange="P",
            exchange_name="NYSE Arca",
            mic="ARCX",
            cusip="78462F103",
            sub_type="ETF",
            shares_per_s=2600.0,
        ),
        Underlying(
            ticker="QQQ",
            leader="NDX",
            spot=609.6,
            sigma=0.19,
            dividend_yield=0.005,
            pm_root="QQQ",
            am_root=None,
            near=((1.0, 0.07), (5.0, 0.25)),
            far=((5.0, 0.30), (10.0, 0.40)),
            round_at=_SHARE_ROUND,
            open_interest=2000.0,
            contracts_per_s=200.0,
            description="INVESCO QQQ TR",
            exchange="Q",
            exchange_name="Nasdaq",
            mic="XNAS",
            cusip="46090E103",
            sub_type="ETF",
            shares_per_s=1900.0,
        ),
    )
}

FUTURES: Final = {
    item.root: item
    for item in (
        Future("/ES", "SPX", 50.0, 0.25, "E-mini S&P 500 Index Futures", 60.0),
        Future("/MES", "SPX", 5.0, 0.25, "Micro E-mini S&P 500 Index Futures", 45.0),
        Future("/NQ", "NDX", 20.0, 0.25, "E-mini Nasdaq-100 Index Futures", 22.0),
        Future("/MNQ", "NDX", 2.0, 0.25, "Micro E-mini Nasdaq-100 Index Futures", 55.0),
    )
}

_AM_ROOTS: Final = {"RUT": "RUTW", "DJX": "DJX"}


def underlying_of(ticker: str, spot: float) -> Underlying:
    """The traits of `ticker` at another spot; an unlisted one gets those of the S&P 500, scaled by its price."""
    known = UNDERLYINGS.get(ticker)
    if known is not None:
        return replace(known, spot=spot)
    model = UNDERLYINGS["SPX" if parse_ticker(ticker).wire.startswith("$") else "SPY"]
    scale = spot / model.spot
    return replace(
        model,
        ticker=ticker,
        leader=ticker,
        spot=spot,
        pm_root=_AM_ROOTS.get(ticker, ticker),
        am_root=ticker if ticker in _AM_ROOTS else None,
        near=_scaled(model.near, scale),
        far=_scaled(model.far, scale),
        round_at=_scaled(model.round_at, scale),
        description=f"{ticker} (simulated)",
        cusip="" if model.is_index else "000000000",
    )


MOST_PLAIN_SHARES: Final = 26**3


def plain_shares(number: int, leaders: Sequence[str]) -> tuple[Underlying, ...]:
    """So many shares without options, `QAAA`, `QAAB` …, at most 17,576; `leaders` and the two exchanges take turns."""
    names = islice(product(ascii_uppercase, repeat=3), number)
    turns = zip(names, cycle(leaders), cycle(("SPY", "QQQ")))
    return tuple(_plain_share(f"Q{''.join(name)}", place, *turn) for place, (name, *turn) in enumerate(turns))


def _plain_share(name: str, place: int, leader: str, model: str) -> Underlying:
    return replace(
        UNDERLYINGS[model],
        ticker=name,
        leader=leader,
        spot=10.0 + place % 490,
        pm_root=name,
        near=(),
        far=(),
        description=f"{name} (simulated)",
        cusip=f"{place:09d}",
        sub_type="COE",
        shares_per_s=40.0,
    )


def traits_around(ticker: str, spot: float) -> dict[str, Underlying]:
    """The usual underlyings with `ticker` at a real spot; those that move with it keep their ratio to it."""
    default = UNDERLYINGS.get(ticker)
    if default is None:
        return {ticker: underlying_of(ticker, spot)} | UNDERLYINGS
    scale = spot / default.spot
    family = {name: item for name, item in UNDERLYINGS.items() if item.leader == default.leader}
    return UNDERLYINGS | {name: replace(item, spot=item.spot * scale) for name, item in family.items()}


def _scaled(pairs: tuple[tuple[float, float], ...], scale: float) -> tuple[tuple[float, float], ...]:
    return tuple((max(round(step * scale, 1), 0.5), weight) for step, weight in pairs)
