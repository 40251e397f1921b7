"""Numbers as people read them: the sign always printed, the unknown as a dash. Pure."""

import math
from datetime import datetime
from typing import Final, TypeGuard

MINUS: Final = "−"
"""U+2212: as wide as a plus in every monospaced face, unlike a hyphen in some."""
UNKNOWN: Final = "—"
DIGITS: Final = 3
"""Significant ones of an exposure, where nothing else is chosen."""
_BETWEEN_STRIKES: Final = frozenset({"spot", "zero_gamma", "ladder_split"})
_FINEST_DECIMALS: Final = 4
"""Of an exposure in billions: 100,000 dollars."""
_TWO_DECIMALS_BELOW_PCT: Final = 9.995
_ONE_DECIMAL_BELOW_PCT: Final = 99.95
_FARTHEST_PCT: Final = 9999.0
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


def distance(level: float | None, spot: float | None) -> str:
    """How far a level lies from spot, in percent of spot: + above it; in six characters, >9999% of what lies beyond."""
    if not (known(level) and known(spot)) or not spot > 0.0:
        return UNKNOWN
    fraction = (level - spot) / spot
    size = abs(fraction) * 100
    if size >= _FARTHEST_PCT:
        return f">{_FARTHEST_PCT:.0f}%"
    return percent(fraction, 2 if size < _TWO_DECIMALS_BELOW_PCT else 1 if size < _ONE_DECIMAL_BELOW_PCT else 0)


def strike(value: float | None, decimals: int = 2) -> str:
    """A strike in points; a whole one, as nearly all are, without decimals."""
    return price(value, 0 if known(value) and round(value, decimals) == round(value) else decimals)


def level(name: str, value: float | None, decimals: int = 2) -> str:
    """A level in points by its name; all but these are strikes."""
    return price(value, decimals) if name in _BETWEEN_STRIKES else strike(value, decimals)


def significant_bn(value: float | None, digits: int, finest: int = _FINEST_DECIMALS) -> str:
    """Billions of US dollars with sign and unit, to so many significant digits; the size that is left says the rest.

    No finer than `finest` decimals, 100,000 dollars (or what more than five digits ask for): below that is the noise of
    the quotes.
    """
    return f"{significant(value, digits, finest)}Bn" if known(value) else UNKNOWN


def significant(value: float | None, digits: int, finest: int = _FINEST_DECIMALS) -> str:
    """The same in a column that is headed by its unit."""
    if not known(value):
        return UNKNOWN
    size = math.floor(math.log10(abs(value))) if value else 0
    return signed(value, min(max(digits - 1 - size, 0), max(finest, digits - 1)))


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
