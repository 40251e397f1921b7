"""Schwab's `/chains` JSON into an `OptionChain` (specs/schwab-wire.md §3.1). Pure.

Reads production's field names and the OpenAPI document's, and TD Ameritrade's older chains, which have the
same shape with other symbols.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from itertools import chain as flatten
from typing import Any, Final

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from streaming.calendar import settle_at
from streaming.chains.assembly import amounts, column_of, float_of, without_interest
from streaming.chains.schwab_body import ChainBody, Contract, decode_chain
from streaming.chains.vendor_clock import Greeks, clock_ends
from streaming.clock import LAST_MS, date_of, epoch_ms, instant_of
from streaming.errors import ContractError
from streaming.model import ChainQuality
from streaming.option_chain import OptionChain
from streaming.symbols import is_am_settled

_STANDARD_MULTIPLIER: Final = 100.0
_ROOT_WIDTH: Final = 6
_LAST_DIGIT: Final = 0.001
"""Of gamma and vega as Schwab writes them."""
_OSI_LENGTH: Final = 21
_DATE: Final = slice(6, 12)
_FEWEST_MS: Final = 10**11
_LEAST_SPOT: Final = 1e-6
_MOST_SPOT: Final = 1e9
_STRIKE_LIMIT: Final = 99_999.9995
"""From here on a strike has no place in a 21-character name."""


@dataclass(frozen=True, slots=True, eq=False)
class ChainAnswer:
    """What one answer holds: the usable contracts, and what it takes to judge it."""

    chain: OptionChain
    symbol: str
    """Whose chain it says it is; may be empty."""
    failed: bool
    """Whether it says itself that it is none."""
    has_both_maps: bool
    calls_listed: int
    """Readable contracts, usable or not."""
    puts_listed: int
    odd_rows: int
    """What could not be read: each cost itself."""


def parse_chain(payload: bytes, *, ticker: str, asof: datetime | None, source: str = "schwab") -> OptionChain:
    """The chain of one answer; of length 0 when Schwab lists nothing.

    Standard contracts of 100 only: adjusted deliverables, minis and contracts without a strike are left
    out. Without `asof` the newest quote time of the contracts is taken. Raises ContractError when the
    payload is no chain.
    """
    return read_answer(payload, ticker=ticker, asof=asof, source=source).chain


def read_answer(payload: bytes, *, ticker: str, asof: datetime | None, source: str = "schwab") -> ChainAnswer:
    """The same with all that tells whether the answer can be true; one odd thing costs its row."""
    body, unreadable = decode_chain(payload)
    flat = _flat(body)
    return ChainAnswer(
        chain=_chain(body, flat, ticker=ticker, asof=asof, source=source, unreadable=unreadable + flat.odd_rows),
        symbol=body.symbol,
        failed=body.status == "FAILED",
        has_both_maps=body.callExpDateMap is not UNSET and body.putExpDateMap is not UNSET,
        calls_listed=flat.calls_listed,
        puts_listed=flat.puts_listed,
        odd_rows=unreadable + flat.odd_rows,
    )


def _chain(
    body: ChainBody, flat: "_Flat", *, ticker: str, asof: datetime | None, source: str, unreadable: int
) -> OptionChain:
    contracts, expiries, are_calls = flat.contracts, flat.expiries, flat.are_calls
    when = asof if asof is not None else _newest_quote(contracts)
    if when is None:
        raise ContractError(f"The {ticker} chain does not say when it was quoted.")
    roots = [_root(item) for item in contracts]
    series, kinds = _series(contracts, roots, expiries)
    is_call = np.array(are_calls, dtype=np.bool_)
    interest = column_of([item.openInterest for item in contracts])
    calls, puts = without_interest(interest, is_call)
    spot, iv = _spot(body), _volatilities(contracts)
    settles = [((root, expiry), _settle_s(root, expiry, flag)) for root, expiry, flag in kinds]
    return OptionChain(
        ticker=ticker,
        spot=spot,
        asof=when,
        source=source,
        delayed=body.isDelayed,
        symbol=_symbols(contracts, roots, expiries, are_calls),
        root=np.array([root for root, _, _ in kinds], dtype="U6")[series],
        expiry=np.array([expiry for _, expiry, _ in kinds], dtype="datetime64[D]")[series],
        settle_s=np.array([settle_s for _, settle_s in settles], dtype=np.float64)[series],
        strike=column_of([item.strikePrice for item in contracts]),
        is_call=is_call,
        iv=iv,
        open_interest=amounts(interest),
        volume=amounts(column_of([item.totalVolume for item in contracts])),
        bid=_quotes([item.bidPrice if item.bid is UNSET else item.bid for item in contracts]),
        ask=_quotes([item.askPrice if item.ask is UNSET else item.ask for item in contracts]),
        quality=ChainQuality(
            unreadable=unreadable,
            foreign=flat.foreign,
            doubled=flat.doubled,
            calls_without_interest=calls,
            puts_without_interest=puts,
        ),
        vendor_end_s=clock_ends(_greeks(contracts, iv), spot, when.timestamp(), series, settles),
    )


def merge_chains(parts: Sequence[OptionChain]) -> OptionChain:
    """One chain of several; where a contract occurs twice the part with the newest quotes wins.

    Spot and quote time are the newest part's that has them. Raises ValueError for no parts at all.
    """
    if not parts:
        raise ValueError("no chains to merge")
    newest_first = _newest_first(parts)
    symbols = np.concatenate([part.symbol for part in newest_first])
    rows = np.sort(np.unique(symbols, return_index=True)[1])

    def joined(name: str) -> NDArray[np.generic]:
        column: NDArray[np.generic] = np.concatenate([getattr(part, name) for part in newest_first])[rows]
        return column

    columns: dict[str, Any] = {name: joined(name) for name in (*_LISTING, *_FIGURES)}
    return OptionChain(symbol=symbols[rows], **columns, **_facts(newest_first), polled_ms=_polled_ms(newest_first))


def renew_merged(
    merged: OptionChain, parts: Sequence[OptionChain], newer: Iterable[tuple[slice, OptionChain]]
) -> OptionChain:
    """A chain merged of `parts` again, after some of them came anew; each with the rows where the same contracts were.

    Whoever holds the chain before keeps it as it was: the columns of figures are copies.
    """
    columns: dict[str, Any] = {name: getattr(merged, name).copy() for name in _FIGURES}
    polled_ms = dict(merged.polled_ms)
    for rows, part in newer:
        for name, column in columns.items():
            column[rows] = getattr(part, name)
        polled_ms |= _polled_ms([part])
    return replace(merged, **columns, **_facts(_newest_first(parts)), polled_ms=polled_ms)


def _newest_first(parts: Iterable[OptionChain]) -> list[OptionChain]:
    return sorted(parts, key=lambda part: part.asof, reverse=True)


def _facts(newest_first: Sequence[OptionChain]) -> dict[str, Any]:
    """What a merged chain says besides its columns."""
    head = next((part for part in newest_first if part.spot > 0.0), newest_first[0])
    return {
        "ticker": head.ticker,
        "spot": head.spot,
        "asof": newest_first[0].asof,
        "source": head.source,
        "delayed": any(part.delayed for part in newest_first),
        "quality": _joint_quality(newest_first),
        "vendor_end_s": {name: end_s for part in reversed(newest_first) for name, end_s in part.vendor_end_s.items()},
    }


def _joint_quality(parts: Sequence[OptionChain]) -> ChainQuality:
    """Counts are added; of the shares without open interest the mean counts, by contracts."""
    each = [part.quality for part in parts]
    sizes = [len(part) for part in parts]
    total = max(sum(sizes), 1)

    def mean(shares: Iterable[float]) -> float:
        return sum(share * size for share, size in zip(shares, sizes, strict=True)) / total

    return ChainQuality(
        unreadable=sum(one.unreadable for one in each),
        foreign=sum(one.foreign for one in each),
        doubled=sum(one.doubled for one in each),
        calls_without_interest=mean(one.calls_without_interest for one in each),
        puts_without_interest=mean(one.puts_without_interest for one in each),
    )


def _polled_ms(newest_first: Sequence[OptionChain]) -> dict[date, int]:
    polled: dict[date, int] = {}
    for part in newest_first:
        for expiry in _days_of(part).astype("datetime64[D]").tolist():
            polled.setdefault(expiry, epoch_ms(part.asof))
    return polled


def _days_of(part: OptionChain) -> NDArray[np.datetime64]:
    """The expiries of a part; mostly it is one, and to see that is faster than sorting."""
    first = part.expiry[:1]
    return first if (part.expiry == first).all() else np.unique(part.expiry)


_LISTING: Final = ("root", "expiry", "settle_s", "strike", "is_call")
_FIGURES: Final = ("iv", "open_interest", "volume", "bid", "ask")


def osi_symbol(root: str, expiry: date, strike: float, *, call: bool) -> str:
    """The 21-character form: root padded to six, YYMMDD, C or P, strike in thousandths."""
    return f"{root:<6.6}{expiry:%y%m%d}{'C' if call else 'P'}{round(strike * 1000):08d}"


@dataclass(slots=True)
class _Flat:
    """The usable contracts of an answer, once each, with the expiry of the map they stood in and their side."""

    contracts: list[Contract]
    expiries: list[date]
    are_calls: list[bool]
    calls_listed: int = 0
    puts_listed: int = 0
    odd_rows: int = 0
    foreign: int = 0
    doubled: int = 0


def _flat(body: ChainBody) -> _Flat:
    flat = _Flat([], [], [])
    for is_call, side in ((True, body.callExpDateMap), (False, body.putExpDateMap)):
        for key, strikes in ({} if side is UNSET else side).items():
            _add_expiry(flat, key, list(flatten.from_iterable(strikes.values())), is_call=is_call)
    by_symbol = {item.symbol: row for row, item in enumerate(flat.contracts)}
    if len(by_symbol) < len(flat.contracts):
        flat.doubled = len(flat.contracts) - len(by_symbol)
        rows = list(by_symbol.values())
        flat.contracts = [flat.contracts[row] for row in rows]
        flat.expiries = [flat.expiries[row] for row in rows]
        flat.are_calls = [flat.are_calls[row] for row in rows]
    return flat


def _add_expiry(flat: _Flat, key: str, listed: list[Contract], *, is_call: bool) -> None:
    expiry = _expiry(key)
    if expiry is None:
        flat.odd_rows += len(listed)
        return
    usable = [item for item in listed if _is_usable(item)]
    if len(usable) < len(listed):
        odd = sum(not _is_usable(item) and not _is_other(item) for item in listed)
        flat.odd_rows += odd
        flat.foreign += len(listed) - len(usable) - odd
    if is_call:
        flat.calls_listed += len(listed)
    else:
        flat.puts_listed += len(listed)
    flat.contracts += usable
    flat.expiries += [expiry] * len(usable)
    flat.are_calls += [is_call] * len(usable)


def _is_usable(item: Contract) -> bool:
    if item.nonStandard or item.mini or item.isNonStandard or item.isMini:
        return False
    strike = item.strikePrice
    if not 0.0 < (strike if isinstance(strike, float) else float_of(strike)) < _STRIKE_LIMIT:
        return False
    multiplier = item.multiplier
    return multiplier is None or multiplier == _STANDARD_MULTIPLIER or float_of(multiplier) == _STANDARD_MULTIPLIER


def _is_other(item: Contract) -> bool:
    """Whether a contract that is not used is another kind of contract, rather than one that cannot be read."""
    if item.nonStandard or item.mini or item.isNonStandard or item.isMini:
        return True
    return float_of(item.multiplier) > 0.0 and float_of(item.multiplier) != _STANDARD_MULTIPLIER


@lru_cache(maxsize=512)
def _expiry(key: str) -> date | None:
    """The date of a map key such as `2025-05-20:9`; None for a key that is no date of our time."""
    return date_of(key.partition(":")[0])


def _root(item: Contract) -> str:
    if item.optionRoot:
        return item.optionRoot
    return item.symbol.partition("_")[0] if "_" in item.symbol else item.symbol[:_ROOT_WIDTH].rstrip()


def _symbols(
    contracts: list[Contract], roots: list[str], expiries: list[date], are_calls: list[bool]
) -> NDArray[np.str_]:
    stamps = {expiry: f"{expiry:%y%m%d}" for expiry in set(expiries)}
    names = [
        item.symbol
        if len(item.symbol) == _OSI_LENGTH and item.symbol[_DATE] == stamps[expiry]
        else osi_symbol(root, expiry, float(item.strikePrice or 0.0), call=call)
        for item, root, expiry, call in zip(contracts, roots, expiries, are_calls, strict=True)
    ]
    if not names:
        return np.array([], dtype="U21")
    # Every name has 21 characters, so their joined code points already are the array: 10 times faster than np.array.
    return np.frombuffer("".join(names).encode("utf-32-le", "replace"), dtype="<U21")


Kind = tuple[str, date, str | None]
"""Root, expiry and settlement flag: what a whole series of contracts has in common."""


def _series(contracts: list[Contract], roots: list[str], expiries: list[date]) -> tuple[NDArray[np.intp], list[Kind]]:
    """Which series each contract belongs to, and the series; there are few, so their dates are worked out once."""
    seen: dict[Kind, int] = {}
    places = [
        seen.setdefault((root, expiry, item.settlementType), len(seen))
        for item, root, expiry in zip(contracts, roots, expiries, strict=True)
    ]
    return np.array(places, dtype=np.intp), list(seen)


@lru_cache(maxsize=4096)
def _settle_s(root: str, expiry: date, flag: str | None) -> float:
    """The flag wins over the root (specs/gex-method.md §5)."""
    am = flag == "A" if flag in {"A", "P"} else is_am_settled(root)
    return settle_at(expiry, am=am).timestamp()


def _volatilities(contracts: Iterable[Contract]) -> NDArray[np.float64]:
    percent = column_of([item.volatility for item in contracts])
    percent[~(percent > 0.0) | np.isinf(percent)] = np.nan
    return percent / 100.0


def _greeks(contracts: Sequence[Contract], iv: NDArray[np.float64]) -> Greeks:
    gamma, vega = column_of([item.gamma for item in contracts]), column_of([item.vega for item in contracts])
    return Greeks(iv, gamma, vega, unit=_LAST_DIGIT)


def _quotes(values: Sequence[object]) -> NDArray[np.float64]:
    """Bids or asks: negative means unknown."""
    column = column_of(values)
    column[~(column >= 0.0) | np.isinf(column)] = np.nan
    return column


def _spot(body: ChainBody) -> float:
    """The underlying's price, NaN when the answer has none."""
    offered = [body.underlyingPrice]
    if body.underlying is not None:
        offered += [body.underlying.last, body.underlying.mark]
    prices = (float_of(value) for value in offered)
    return next((value for value in prices if _LEAST_SPOT <= value <= _MOST_SPOT), np.nan)


def _newest_quote(contracts: Iterable[Contract]) -> datetime | None:
    times = (item.quoteTimeInLong or 0 for item in contracts)
    newest = max((time for time in times if _FEWEST_MS < time < LAST_MS), default=None)
    return None if newest is None else instant_of(newest)
