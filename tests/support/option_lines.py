"""Small option chains, written down line by line, for the gamma engine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from streaming.calendar import settle_at
from streaming.option_chain import OptionChain
from streaming.symbols import is_am_settled

ASOF = datetime(2023, 6, 9, 17, 25, tzinfo=UTC)
TODAY = date(2023, 6, 9)


@dataclass(frozen=True, slots=True)
class Line:
    """One contract; the root decides between AM and PM."""

    strike: float
    side: str
    iv: float
    oi: float = 0.0
    volume: float = 0.0
    expiry: date = TODAY
    root: str = "SPXW"
    bid: float = np.nan
    ask: float = np.nan

    @property
    def symbol(self) -> str:
        return f"{self.root:6}{self.expiry:%y%m%d}{self.side}{round(self.strike * 1000):08d}"


def make_chain(
    lines: Iterable[Line],
    *,
    spot: float = 4300.0,
    asof: datetime = ASOF,
    ticker: str = "SPX",
    delayed: bool = False,
    settle_s: Sequence[float] | None = None,
) -> OptionChain:
    """The lines as a chain; `settle_s` overrides the settlement of every line."""
    rows = list(lines)
    own = [settle_at(row.expiry, am=is_am_settled(row.root)).timestamp() for row in rows]
    return OptionChain(
        ticker=ticker,
        spot=spot,
        asof=asof,
        source="test",
        delayed=delayed,
        symbol=np.array([row.symbol for row in rows], "U21"),
        root=np.array([row.root for row in rows], "U6"),
        expiry=np.array([row.expiry for row in rows], "datetime64[D]"),
        settle_s=np.array(own if settle_s is None else settle_s, np.float64),
        strike=np.array([row.strike for row in rows], np.float64),
        is_call=np.array([row.side == "C" for row in rows], np.bool_),
        iv=np.array([row.iv for row in rows], np.float64),
        open_interest=np.array([row.oi for row in rows], np.float64),
        volume=np.array([row.volume for row in rows], np.float64),
        bid=np.array([row.bid for row in rows], np.float64),
        ask=np.array([row.ask for row in rows], np.float64),
    )


def lines_of(contracts: Iterable[dict[str, object]]) -> list[Line]:
    """Contracts as the acceptance examples write them."""
    return [
        Line(
            strike=float(item["strike"]),  # type: ignore[arg-type]  # JSON numbers
            side=str(item["type"]),
            iv=float(item["iv"]),  # type: ignore[arg-type]
            oi=float(item["oi"]),  # type: ignore[arg-type]
            volume=float(item["volume"]),  # type: ignore[arg-type]
            expiry=date.fromisoformat(str(item.get("expiry", TODAY))),
            root=str(item.get("root", "SPXW")),
        )
        for item in contracts
    ]


BLOCK_A = (
    Line(4900, "C", 0.18, 1000, 200),
    Line(4900, "P", 0.18, 6000, 9000),
    Line(5000, "C", 0.16, 3000, 8000),
    Line(5000, "P", 0.16, 2500, 7000),
    Line(5100, "C", 0.15, 5000, 6000),
    Line(5100, "P", 0.15, 500, 100),
)
"""The acceptance example A: spot 5000, 0.02 years."""


def block_a_chain() -> OptionChain:
    """Example A with a settlement exactly 0.02 years after its quotes."""
    settle_s = (ASOF + timedelta(seconds=0.02 * 365 * 86_400)).timestamp()
    lines = [Line(**{**_fields(row), "expiry": date(2023, 6, 16)}) for row in BLOCK_A]
    return make_chain(lines, spot=5000.0, settle_s=[settle_s] * len(lines))


def _fields(row: Line) -> dict[str, object]:
    return {name: getattr(row, name) for name in Line.__slots__}
