"""How much of each expiry is known of a chain, and whether another answer falls short of it. Pure.

Told apart from the chain itself, for it travels between the processes, and who only asks for chains does without numpy.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final

import msgspec

from streaming.calendar import settle_at

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


def known_after(known: Known | None, sizes: Sequence[ExpirySize], *, strikes: int) -> Known:
    """What is known once an answer was believed; a side that came without open interest keeps what it had."""
    before = {size.expiry: size.interest for size in (known.sizes if known is not None else ())}
    return Known(tuple(_with_interest(size, before.get(size.expiry)) for size in sizes), strikes)


def _with_interest(size: ExpirySize, before: Sides | None) -> ExpirySize:
    if before is None or all(size.interest):
        return size
    calls, puts = (now or was for now, was in zip(size.interest, before, strict=True))
    return msgspec.structs.replace(size, interest=(calls, puts))
