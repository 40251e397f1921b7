"""A chain in the order the engine works in: by settlement, root, strike and side.

Because rows are sorted by settlement instant, expired rows are a prefix and every scope is one slice.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from streaming.gex.pricing.formulas import Floats
from streaming.option_chain import OptionChain

Ints = NDArray[np.int64]
Scalar = TypeVar("Scalar", np.float64, np.datetime64)
_NONE: Final = -1


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Contract lines, sorted; the code arrays index the short tables at the end.

    `pair` numbers the (settlement, root, strike) a line belongs to, `series` its (settlement, root).
    `pair_call` and `pair_put` hold a row each, or -1 where that side is not listed.
    """

    symbol: NDArray[np.str_]
    settle_s: Floats
    strike: Floats
    is_call: NDArray[np.bool_]
    iv: Floats
    open_interest: Floats
    volume: Floats
    bid: Floats
    ask: Floats

    strike_code: Ints
    pair: Ints
    series: Ints
    date_code: Ints

    strikes: Floats
    """Distinct strikes, ascending."""
    dates: NDArray[np.datetime64]
    """Distinct expiry dates, ascending."""
    pair_call: Ints
    pair_put: Ints
    pair_series: Ints
    series_start: Ints
    """First row of each series."""
    chain: OptionChain
    """What was put in order, and `order`, which of its rows each line was."""
    order: Ints

    def __len__(self) -> int:
        return int(self.strike.size)


def renew_lines(lines: Lines, chain: OptionChain) -> Lines:
    """The lines of a newer poll: in the old order as long as the same contracts are listed, else put in order anew."""
    if not chain.lists_like(lines.chain):
        return sort_lines(chain)
    return replace(lines, chain=chain, **_figures(chain, lines.order))


def sort_lines(chain: OptionChain) -> Lines:
    """The chain's rows in working order; rows without a strike or a settlement are left out."""
    rows = np.flatnonzero((chain.strike > 0.0) & np.isfinite(chain.strike) & np.isfinite(chain.settle_s))
    settle_s, settle_code = _distinct(chain.settle_s[rows])
    strikes, strike_code = _distinct(chain.strike[rows])
    root_code, root_count = _root_codes(chain.root[rows])
    series_key = settle_code * root_count + root_code
    pair_key = series_key * max(strikes.size, 1) + strike_code
    # Chains come sorted in long runs, which a stable sort merges in a tenth of the time.
    order = np.argsort(pair_key * 2 + ~chain.is_call[rows], kind="stable")
    rows = rows[order]
    is_call = chain.is_call[rows]
    pair, pair_start = _runs(pair_key[order])
    series, series_start = _runs(series_key[order])
    date_of = np.empty(settle_s.size, "datetime64[D]")
    date_of[settle_code[order]] = chain.expiry[rows]
    dates, date_code_of = _distinct(date_of)
    return Lines(
        symbol=chain.symbol[rows],
        settle_s=settle_s[settle_code[order]],
        strike=chain.strike[rows],
        is_call=is_call,
        strike_code=strike_code[order],
        pair=pair,
        series=series,
        date_code=date_code_of[settle_code[order]],
        strikes=strikes,
        dates=dates,
        pair_call=_row_per_pair(pair, is_call, pair_start.size),
        pair_put=_row_per_pair(pair, ~is_call, pair_start.size),
        pair_series=series[pair_start],
        series_start=series_start,
        chain=chain,
        order=rows,
        **_figures(chain, rows),
    )


def _figures(chain: OptionChain, rows: Ints) -> dict[str, Any]:
    """The columns that change from poll to poll."""
    return {
        "iv": chain.iv[rows],
        "open_interest": _amounts(chain.open_interest[rows]),
        "volume": _amounts(chain.volume[rows]),
        "bid": chain.bid[rows],
        "ask": chain.ask[rows],
    }


def _distinct(column: NDArray[Scalar]) -> tuple[NDArray[Scalar], Ints]:
    """The distinct values, ascending, and which of them each is; fast for columns with long runs, sorted or equal."""
    begins = _begins(column)
    heads = column[begins]
    ascending = np.sort(heads, kind="stable")
    values = ascending[_begins(ascending)]
    lengths = np.diff(begins, append=column.size)
    return values, np.repeat(np.searchsorted(values, heads), lengths)


def _begins(column: NDArray[Scalar]) -> Ints:
    """Where runs of equal neighbours begin."""
    begins: NDArray[np.bool_] = np.ones(column.size, np.bool_)
    np.not_equal(column[1:], column[:-1], out=begins[1:])
    return np.flatnonzero(begins)


def _root_codes(root: NDArray[np.str_]) -> tuple[Ints, int]:
    """A number per root; a chain has a handful, so one comparison each beats sorting text."""
    codes = np.full(root.size, _NONE, np.int64)
    names: list[str] = []
    while (unknown := np.flatnonzero(codes == _NONE)).size:
        names.append(str(root[unknown[0]]))
        codes[root == names[-1]] = len(names)
    by_name = np.array([0, *(1 + sorted(names).index(name) for name in names)], np.int64)
    return by_name[codes], len(names) + 1


def _runs(key: Ints) -> tuple[Ints, Ints]:
    """Number the runs of equal neighbours; also the first row of each."""
    starts = np.flatnonzero(np.diff(key, prepend=_NONE))
    number = np.zeros(key.size, np.int64)
    number[starts] = 1
    return np.cumsum(number) - 1, starts


def _row_per_pair(pair: Ints, wanted: NDArray[np.bool_], count: int) -> Ints:
    found = np.full(count, _NONE, np.int64)
    rows = np.flatnonzero(wanted)
    found[pair[rows]] = rows
    return found


def _amounts(column: Floats) -> Floats:
    """Open interest or volume; unknown and negative count as 0 (`specs/gex-method.md` §7)."""
    return np.where((column > 0.0) & np.isfinite(column), column, 0.0)
