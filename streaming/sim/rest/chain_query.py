"""What `/chains` is asked for, and which expiries and strikes that leaves. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from streaming.clock import date_of
from streaming.errors import RequestError
from streaming.sim.options.contract_lines import Group
from streaming.sim.options.option_board import OptionBoard
from streaming.sim.prices.listing import Expiry
from streaming.sim.rest.chain_contract import Side

Query = Any  # a multidict, or a plain mapping of text to text
_SIDES: Final[dict[str, tuple[Side, ...]]] = {"ALL": ("CALL", "PUT"), "CALL": ("CALL",), "PUT": ("PUT",)}
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


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


def parse_chain_query(query: Query) -> ChainQuery:
    """The chain query of URL parameters; RequestError names the first one that is wrong."""
    return ChainQuery(
        symbol=required(query, "symbol").upper(),
        sides=_choice(query, "contractType", _SIDES, "ALL"),
        strike_count=_number(query.get("strikeCount"), "strikeCount", int),
        from_date=day_of(query.get("fromDate")),
        to_date=day_of(query.get("toDate")),
        strike=_number(query.get("strike"), "strike", float),
        range=query.get("range", "ALL").upper(),
        month=_choice(query, "expMonth", {"ALL": None} | {name: i + 1 for i, name in enumerate(_MONTHS)}, "ALL"),
        include_underlying=query.get("includeUnderlyingQuote") == "true",
        standard=query.get("optionType", "ALL").upper() != "NS",
    )


def required(query: Query, name: str) -> str:
    """The parameter of a name; RequestError without one."""
    value = query.get(name)
    if not value:
        raise RequestError(f"{name} is required.")
    return str(value)


def _choice(query: Query, name: str, choices: dict[str, Any], default: str) -> Any:
    value = query.get(name, default).upper()
    if value not in choices:
        raise RequestError(f"{name} must be one of {', '.join(choices)}.")
    return choices[value]


def _number(text: str | None, name: str, kind: type[int] | type[float]) -> Any:
    try:
        return None if text is None else kind(text)
    except ValueError as error:
        raise RequestError(f"{name} must be a number.") from error


def day_of(text: str | None) -> date | None:
    """The date that a parameter writes, if it was given; RequestError for what is none."""
    found = date_of(text)
    if text is not None and found is None:
        raise RequestError("Dates must be written as YYYY-MM-DD.")
    return found
