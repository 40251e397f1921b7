"""What `/chains` is asked for, and which expiries and strikes that leaves. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from streaming.sim.options.contract_lines import Group
from streaming.sim.options.option_board import OptionBoard
from streaming.sim.prices.listing import Expiry
from streaming.sim.rest.chain_contract import Side


@dataclass(frozen=True, slots=True)
class ChainQuery:
    """The parameters of `/chains` that are understood."""

    symbol: str
    sides: tuple[Side, ...] = ("CALL", "PUT")
    strike_count: int | None = None
    from_date: date | None = None
    to_date: date | None = None
    strike: float | None = None
    range: str = "ALL"
    month: int | None = None
    include_underlying: bool = False
    standard: bool = True


def in_window(expiry: Expiry, query: ChainQuery) -> bool:
    return (
        (query.from_date is None or expiry.day >= query.from_date)
        and (query.to_date is None or expiry.day <= query.to_date)
        and (query.month is None or expiry.day.month == query.month)
    )


def line_count(groups: Iterable[Group], sides: Sequence[Side]) -> int:
    return sum(group.stop - group.start for group in groups) * len(sides) // 2


def wanted_strikes(board: OptionBoard, groups: Sequence[Group], query: ChainQuery) -> set[tuple[Side, float]] | None:
    """The (side, strike) pairs a query leaves, or None when it leaves all."""
    if query.strike is None and query.strike_count is None and query.range == "ALL":
        return None
    strikes = sorted({k for group in groups for k in board.lines.strike[group.rows].tolist()})
    if query.strike is not None:
        strikes = [k for k in strikes if k == query.strike]
    if query.strike_count is not None:
        strikes = _around(strikes, board.spot, query.strike_count)
    return {(side, k) for side in query.sides for k in strikes if _in_range(side, k, board.spot, query.range)}


def _around(strikes: Sequence[float], spot: float, count: int) -> list[float]:
    below = [k for k in strikes if k <= spot]
    return below[max(len(below) - count, 0) :] + [k for k in strikes if k > spot][:count]


def _in_range(side: Side, strike: float, spot: float, kind: str) -> bool:
    inside = strike < spot if side == "CALL" else strike > spot
    near = abs(strike / spot - 1.0) <= 0.03  # noqa: PLR2004 - what "near the money" means here
    tests = {"ITM": inside, "OTM": not inside, "NTM": near, "SNK": near, "SAK": strike > spot, "SBK": strike < spot}
    return tests.get(kind, True)
