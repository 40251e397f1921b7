"""Numbers as people read them: the sign always printed, the unknown as a dash. Pure."""

import math
from datetime import datetime
from typing import Final, TypeGuard

MINUS: Final = "−"
"""U+2212: as wide as a plus in every monospaced face, unlike a hyphen in some."""
UNKNOWN: Final = "—"
_FOUR_DECIMALS_BELOW_BN: Final = 1000.0
_SCIENTIFIC_FROM: Final = 1e9
_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_DAY_S: Final = 86_400


def known(value: float | None) -> TypeGuard[float]:
    """Whether a figure can be shown: neither absent nor NaN nor infinite."""
    return value is not None and math.isfinite(value)


def finite(value: float | None) -> float | None:
    """The figure, or None unless it can be shown."""
    return value if known(value) else None


def price(value: float | None, decimals: int = 2) -> str:
    """A level in points, without thousands separators, as order tickets take it; a rounded zero has no sign."""
    if not known(value):
        return UNKNOWN
    text = _fixed(value, decimals)
    return text.replace("-", MINUS) if float(text) else text.removeprefix("-")


def signed(value: float | None, decimals: int = 2) -> str:
    """A change with its sign; what rounds to nothing is +0."""
    if not known(value):
        return UNKNOWN
    text = _fixed(abs(value), decimals)
    negative = value < 0 and float(text) != 0
    return f"{MINUS if negative else '+'}{text}"


def percent(fraction: float | None, decimals: int = 2) -> str:
    """A percentage of a fraction, 0.0005 is +0.05%, with the fraction's sign even where it rounds to nothing."""
    if not known(fraction):
        return UNKNOWN
    return f"{MINUS if fraction < 0 else '+'}{_fixed(abs(fraction) * 100, decimals)}%"


def bn(value: float | None) -> str:
    """Billions of US dollars with sign and unit; four decimals, one from a thousand up so that the width holds."""
    if not known(value):
        return UNKNOWN
    return f"{signed(value, 4 if abs(value) < _FOUR_DECIMALS_BELOW_BN else 1)}Bn"


def age(seconds: float) -> str:
    """A duration in its largest whole unit, rounded down: 7s, 12m, 3h, 2d."""
    whole = max(int(seconds), 0)
    if whole < _MINUTE_S:
        return f"{whole}s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S}m"
    return f"{whole // _HOUR_S}h" if whole < _DAY_S else f"{whole // _DAY_S}d"


def ago(at: datetime, now: datetime) -> str:
    """How long ago an instant was."""
    return f"{age((now - at).total_seconds())} ago"


def counted(count: int, noun: str) -> str:
    """A count with its noun in singular or plural."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _fixed(value: float, decimals: int) -> str:
    """Fixed decimals; nonsense sizes in scientific form, so that no input makes a text long."""
    return f"{value:.{decimals}f}" if abs(value) < _SCIENTIFIC_FROM else f"{value:.3e}"
