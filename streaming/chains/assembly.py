"""Rows of contracts into one underlying's chain: its standard roots, each contract once, and what was met on the way.

Whoever reads symbols and figures out of a vendor's bytes hands them over here.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streaming.chains.osi import Bytes, SymbolColumns, rows_by_root, symbol_grid
from streaming.errors import ContractError
from streaming.model import ChainQuality
from streaming.option_chain import OptionChain
from streaming.symbols import WEEKLY_ROOTS, has_standard_size

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
_CLASS_SHARE: Final = re.compile(r"([A-Z]{1,5})[ ./-]([A-Z])")
_NONE_OF_CBOE: Final = 26.001
_ODD_VOLATILITY: Final = 2.0
"""A whole chain above 200 % is rare as a fraction, and every chain is above 2 %."""
_NEARLY_ALL: Final = 0.95
_SURELY_PERCENT: Final = 5.0
_AT_THE_MONEY: Final = 0.02
_YEAR_S: Final = 365.0 * 86_400.0
_STRADDLES_PER_SIGMA: Final = 2.5
"""An option at the money costs about 0.4·S·σ·√T."""
_BETWEEN: Final = 10.0
"""Half way, as factors go, from a fraction to its percentage."""
_PLACES_OF_STRIKE: Final = 2**28
_PLACES_OF_DAY: Final = 2**17
_MOST_ROOTS_NAMED: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class ContractRows:
    """What N rows say, as columns; NaN is not sent."""

    symbols: SymbolColumns
    iv: Floats
    open_interest: Floats
    volume: Floats
    bid: Floats
    ask: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Quoted:
    """What they are about: who sends them, of which underlying (empty: of the one most rows are on), price and time."""

    source: str
    ticker: str
    spot: float
    asof: datetime


def assemble(rows: ContractRows, quoted: Quoted, met: ChainQuality) -> OptionChain:
    """The chain; adjusted contracts, other multipliers and strangers are left out (`specs/gex-method.md` §15).

    `met` is what reading has met so far. ContractError where rows are listed and none is a standard contract.
    """
    own = _own(rows.symbols, ticker_name(quoted.ticker))
    kept, symbols = own.rows, own.symbols
    iv, open_interest, volume, bid, ask = (
        column[kept] for column in (rows.iv, rows.open_interest, rows.volume, rows.bid, rows.ask)
    )
    chain = OptionChain(
        ticker=own.ticker,
        spot=quoted.spot,
        asof=quoted.asof,
        source=quoted.source,
        delayed=True,
        symbol=symbols.symbol,
        root=symbols.root,
        expiry=symbols.expiry,
        settle_s=symbols.settle_s,
        strike=symbols.strike,
        is_call=symbols.is_call,
        iv=iv,
        open_interest=amounts(open_interest),
        volume=amounts(volume),
        bid=bid,
        ask=ask,
    )
    calls, puts = without_interest(open_interest, chain.is_call)
    is_percent = _is_percent(chain)
    quality = ChainQuality(
        unreadable=met.unreadable,
        foreign=own.foreign,
        doubled=own.doubled,
        cut_off=met.cut_off,
        calls_without_interest=calls,
        puts_without_interest=puts,
        iv_in_percent=is_percent,
    )
    return replace(chain, iv=iv / 100.0 if is_percent else iv, quality=quality)


def ticker_name(symbol: str) -> str:
    """An underlying as we call it: `SPX` of `^SPX` and `_SPX`, `BRK.B` of `BRK/B`, `BRK-B` and `BRK B`."""
    name = symbol.strip().upper().lstrip("^_$").removesuffix(".X")
    share = _CLASS_SHARE.fullmatch(name)
    return ".".join(share.groups()) if share is not None else WEEKLY_ROOTS.get(name, name)


def without_interest(open_interest: Floats, is_call: NDArray[np.bool_]) -> tuple[float, float]:
    """The shares of calls and of puts whose open interest was not sent; 1 where a side has none at all."""
    with np.errstate(invalid="ignore"):
        unsent, held = ~(open_interest >= 0.0), open_interest > 0.0
    return _share(unsent, held, is_call), _share(unsent, held, ~is_call)


def _share(unsent: NDArray[np.bool_], held: NDArray[np.bool_], side: NDArray[np.bool_]) -> float:
    size = int(np.count_nonzero(side))
    if size == 0:
        return 0.0
    return float(np.count_nonzero(unsent & side) / size) if (held & side).any() else 1.0


def grid_of(symbols: list[str]) -> Bytes:
    """Symbols as columns of characters; a name that breaks its line is none."""
    data = np.frombuffer("\n".join([*symbols, ""]).encode("ascii", "replace"), np.uint8)
    end = np.flatnonzero(data == ord("\n"))
    if end.size != len(symbols):
        return grid_of([symbol.replace("\n", "?") for symbol in symbols])
    return symbol_grid(data, np.concatenate(([0], end[:-1] + 1)) if end.size else end, end)


@dataclass(frozen=True, slots=True, eq=False)
class _Own:
    """The rows that make a ticker's chain, how many are foreign to it, and how many say again what another says."""

    ticker: str
    rows: slice | Rows
    symbols: SymbolColumns
    """Of those rows."""
    foreign: int
    doubled: int


@lru_cache(maxsize=4)
def _own(symbols: SymbolColumns, ticker: str) -> _Own:
    """Worked out once for symbols that are listed again; without a ticker it is the one most rows are on."""
    by_root = rows_by_root(symbols.root)
    name = ticker or _commonest(by_root)
    letters = "".join(character for character in name if character.isalnum())
    own = {
        root: rows for root, rows in by_root.items()
        if WEEKLY_ROOTS.get(root, root) == letters and has_standard_size(root)
    }  # fmt: skip
    if by_root and not own:
        raise ContractError(_all_foreign(name, by_root))
    rows = np.sort(np.concatenate([np.empty(0, np.intp), *own.values()]))
    once = _once(symbols, own, rows)
    foreign, doubled = symbols.root.size - rows.size, rows.size - once.size
    if once.size == symbols.root.size:
        return _Own(name, slice(None), symbols, foreign, doubled)
    kept = SymbolColumns(*(getattr(symbols, field.name)[once] for field in fields(symbols)))
    return _Own(name, once, kept, foreign, doubled)


def _all_foreign(name: str, by_root: dict[str, Rows]) -> str:
    roots = sorted(by_root, key=lambda root: -by_root[root].size)
    count = sum(rows.size for rows in by_root.values())
    named = ", ".join(roots[:_MOST_ROOTS_NAMED])
    kind = f"a standard one of {name}" if any(map(has_standard_size, by_root)) else "on 100 of its underlying"
    return f"None of its {count} contracts ({named}) is {kind}."


def _once(symbols: SymbolColumns, own: dict[str, Rows], rows: Rows) -> Rows:
    """The rows without those that a later one of the same contract replaces."""
    code = np.zeros(symbols.root.size, np.int64)
    for number, of_root in enumerate(own.values()):
        code[of_root] = number
    days = symbols.expiry[rows].astype("datetime64[D]").astype(np.int64)
    strikes = np.rint(symbols.strike[rows] * 1000.0).astype(np.int64)
    key = ((code[rows] * _PLACES_OF_DAY + days) * _PLACES_OF_STRIKE + strikes) * 2 + symbols.is_call[rows]
    if not (np.diff(np.sort(key, kind="stable")) == 0).any():
        return rows
    order = np.argsort(key, kind="stable")
    is_last = np.diff(key[order], append=-1) != 0
    return np.sort(rows[order[is_last]])


def _commonest(by_root: dict[str, Rows]) -> str:
    """The underlying that most contracts are on."""
    counts: Counter[str] = Counter()
    for name, rows in by_root.items():
        counts[WEEKLY_ROOTS.get(name, name)] += rows.size
    return max(counts, key=lambda name: (counts[name], name), default="")


def _is_percent(chain: OptionChain) -> bool:
    """Whether volatilities are percentages: hardly any is below 200 %, and prices at the money speak of a hundredth."""
    with np.errstate(invalid="ignore"):
        sent = (chain.iv > 0.0) & (chain.iv != _NONE_OF_CBOE)
        if np.count_nonzero(chain.iv[sent] > _ODD_VOLATILITY) <= _NEARLY_ALL * np.count_nonzero(sent):
            return False
    ratio = _over_prices(chain)
    return float(np.median(chain.iv[sent])) > _SURELY_PERCENT if np.isnan(ratio) else ratio > _BETWEEN


def _over_prices(chain: OptionChain) -> float:
    """How many times larger the volatilities at the money are than what the prices there say; NaN without prices."""
    years = (chain.settle_s - chain.asof.timestamp()) / _YEAR_S
    with np.errstate(invalid="ignore", divide="ignore"):
        near = (np.abs(chain.strike / chain.spot - 1.0) < _AT_THE_MONEY) & (chain.bid > 0.0) & (chain.ask >= chain.bid)
        near &= (years > 0.0) & (chain.iv > 0.0)
        mid = 0.5 * (chain.bid + chain.ask)[near]
        sigma = _STRADDLES_PER_SIGMA * mid / (chain.spot * np.sqrt(years[near]))
    return float(np.median(chain.iv[near] / sigma)) if sigma.size else float("nan")


def amounts(column: Floats) -> Floats:
    """Open interest or volume: what is unknown or negative counts as 0 (`specs/gex-method.md` §7)."""
    return np.where((column > 0.0) & np.isfinite(column), column, 0.0)


def column_of(values: Sequence[object]) -> Floats:
    """Numbers as they came; what is none is NaN."""
    try:
        column = np.fromiter(values, np.float64, len(values))
    except (TypeError, ValueError, OverflowError):
        column = np.fromiter((float_of(value) for value in values), np.float64, len(values))
    return column


def float_of(value: object) -> float:
    """A number or its text as it came; NaN for anything else."""
    if not isinstance(value, (int, float, str)):
        return np.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return np.nan
