"""Whether a chain that was sent can be true, by what it says itself and by what is known. Pure.

An answer of status 200 may hold nothing, one side, a handful of strikes or another expiry (`specs/sources.md`). What
cannot be true is refused; what is only much smaller than what is known is doubted, and believed when it comes again and
again (`corroboration`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from streaming.calendar import settle_at
from streaming.chains.schwab import ChainAnswer
from streaming.errors import ContractError
from streaming.model import OptionChain

_LEAST_SHARE: Final = 0.5
_ALIKE: Final = 0.1
Sides = tuple[float, float]
"""Of calls and of puts."""


class ExpirySize(msgspec.Struct, frozen=True, array_like=True):
    """How much of an expiry there is: (calls, puts)."""

    expiry: date
    contracts: Sides
    interest: Sides
    """Open interest."""


class Known(msgspec.Struct, frozen=True, array_like=True):
    """What is known of a chain, or of one expiry of it, to judge the next answer by."""

    sizes: tuple[ExpirySize, ...] = ()
    strikes: int = 0
    """Strikes on either side of the money that were asked for; 0 is all."""


def believable(answer: ChainAnswer, *, underlying: str, expiry: date | None) -> OptionChain:
    """The contracts of the asked expiry in an answer from Schwab; ContractError when it cannot be true.

    The rows of other expiries are left out; where all contracts are of another kind, the chain is empty.
    """
    if answer.failed:
        raise ContractError("It calls itself FAILED.")
    if not answer.has_both_maps:
        raise ContractError("It lacks the map of its calls or of its puts.")
    chain = answer.chain
    if expiry is not None:
        chain = only_rows(chain, chain.expiry == np.datetime64(expiry, "D"))
    if len(answer.chain) > len(chain) == 0:
        raise ContractError(f"It is about {answer.chain.expiry[0]}, not {expiry}.")
    if not answer.calls_listed or not answer.puts_listed:
        raise ContractError(_missing_side(answer.calls_listed, answer.puts_listed))
    require_both_sides(chain)
    if answer.symbol and _letters(answer.symbol) != underlying_letters(underlying):
        require_own(chain, underlying)
    return chain


def require_both_sides(chain: OptionChain) -> None:
    """ContractError when a chain has calls or puts, but not both."""
    calls = int(np.count_nonzero(chain.is_call))
    if (calls == 0) != (calls == len(chain)):
        raise ContractError(_missing_side(calls, len(chain) - calls))


def require_weight(chain: OptionChain) -> None:
    """ContractError for a whole chain that neither anybody holds nor anybody traded."""
    if not chain.open_interest.any() and not chain.volume.any():
        raise ContractError("It holds no figure beyond its spot.")


def require_own(chain: OptionChain, underlying: str) -> None:
    """ContractError when a root is another underlying's; weekly roots begin with their own's name."""
    name = underlying_letters(underlying)
    strangers = [str(root) for root in np.unique(chain.root) if not str(root).startswith(name)]
    if strangers:
        raise ContractError(f"It is about {strangers[0]}, not {underlying}.")


def underlying_letters(underlying: str) -> str:
    """An underlying as its contracts are called: `BRKB` of `BRK.B`."""
    return _letters(underlying)


def _letters(name: str) -> str:
    return "".join(character for character in name.removesuffix(".X") if character.isalnum())


def _missing_side(calls: int, puts: int) -> str:
    return f"It lists {'only calls' if calls else 'only puts' if puts else 'no contracts'}."


def only_rows(chain: OptionChain, rows: NDArray[np.bool_]) -> OptionChain:
    """The chain of some of its rows."""
    if rows.all():
        return chain
    return replace(chain, **{name: getattr(chain, name)[rows] for name in _COLUMNS})


_COLUMNS: Final = (
    "symbol", "root", "expiry", "settle_s", "strike", "is_call", "iv", "open_interest", "volume", "bid", "ask",
)  # fmt: skip


def sizes_of(chain: OptionChain) -> tuple[ExpirySize, ...]:
    """How much of each expiry a chain holds, nearest first."""
    days, place = np.unique(chain.expiry.astype("datetime64[D]"), return_inverse=True)
    side = 2 * place + ~chain.is_call
    contracts = np.bincount(side, minlength=2 * days.size).reshape(-1, 2).tolist()
    interest = np.bincount(side, chain.open_interest, 2 * days.size).reshape(-1, 2).tolist()
    return tuple(
        ExpirySize(day, (float(calls), float(puts)), (calls_oi, puts_oi))
        for day, (calls, puts), (calls_oi, puts_oi) in zip(days.tolist(), contracts, interest, strict=True)
    )


def doubt(sizes: Sequence[ExpirySize], known: Known, *, strikes: int, at: datetime) -> str | None:
    """Why much less came than is known of the expiries that have not settled at `at`; None when it did not.

    Where fewer strikes were asked for than before, only their number counts. A side without any open interest says
    nothing about it: it is sent so at times.
    """
    narrower = strikes > 0 and not 0 < known.strikes <= strikes
    standing = [size for size in known.sizes if settle_at(size.expiry, am=False) > at]
    by_day = {size.expiry: size for size in sizes}
    for size in standing:
        found = by_day.get(size.expiry)
        for side, word in enumerate(("calls", "puts")):
            expected = min(size.contracts[side], 2.0 * strikes) if narrower else size.contracts[side]
            came = found.contracts[side] if found is not None else 0.0
            if came < _LEAST_SHARE * expected:
                return f"It has {came:.0f} of {expected:.0f} {word} of {size.expiry}."
    return (
        None
        if narrower
        else _interest_doubt(standing, [by_day[size.expiry] for size in standing if size.expiry in by_day])
    )


def _interest_doubt(known: Iterable[ExpirySize], found: Sequence[ExpirySize]) -> str | None:
    was, came = _interest(known), _interest(found)
    for side, word in enumerate(("calls", "puts")):
        if 0.0 < came[side] < _LEAST_SHARE * was[side]:
            return f"Its open interest of {word} is {came[side]:.0f}, after {was[side]:.0f}."
    return None


def _interest(sizes: Iterable[ExpirySize]) -> Sides:
    pairs = [size.interest for size in sizes]
    return sum(calls for calls, _ in pairs), sum(puts for _, puts in pairs)


def are_alike(one: Sequence[ExpirySize], other: Sequence[ExpirySize]) -> bool:
    """Whether two answers say about the same."""
    if [size.expiry for size in one] != [size.expiry for size in other]:
        return False
    pairs = zip(_figures(one), _figures(other), strict=True)
    return all(abs(left - right) <= _ALIKE * max(left, right) for left, right in pairs)


def _figures(sizes: Iterable[ExpirySize]) -> list[float]:
    return [figure for size in sizes for figure in (*size.contracts, *size.interest)]


def with_known_interest(chain: OptionChain, known: OptionChain | None) -> tuple[OptionChain, bool]:
    """A chain whose sides without any open interest keep what was known of them, and whether one did."""
    if known is None:
        return chain, False
    sides = (chain.is_call, known.is_call), (~chain.is_call, ~known.is_call)
    silent = [
        mine
        for mine, theirs in sides
        if not chain.open_interest[mine].any() and mine.any() and known.open_interest[theirs].any()
    ]
    if not silent:
        return chain, False
    by_symbol = dict(zip(known.symbol.tolist(), known.open_interest.tolist(), strict=True))
    before = np.array([by_symbol.get(symbol, 0.0) for symbol in chain.symbol.tolist()])
    rows = np.logical_or.reduce(silent)
    names = ("calls_without_interest", "puts_without_interest")
    told = {name: 0.0 for name, (mine, _) in zip(names, sides, strict=True) if any(mine is one for one in silent)}
    quality = msgspec.structs.replace(chain.quality, **told)
    return replace(chain, open_interest=np.where(rows, before, chain.open_interest), quality=quality), True


def known_after(known: Known | None, sizes: Sequence[ExpirySize], *, strikes: int) -> Known:
    """What is known once an answer was believed; a side that came without open interest keeps what it had."""
    before = {size.expiry: size.interest for size in (known.sizes if known is not None else ())}
    return Known(tuple(_with_interest(size, before.get(size.expiry)) for size in sizes), strikes)


def _with_interest(size: ExpirySize, before: Sides | None) -> ExpirySize:
    if before is None or all(size.interest):
        return size
    calls, puts = (now or was for now, was in zip(size.interest, before, strict=True))
    return msgspec.structs.replace(size, interest=(calls, puts))
