"""Numbers as programs write them on the wire: as numbers, as text, or as something else. Pure."""

import math
from typing import Any, Final

_HIGHEST_PRICE: Final = 1e9
_LARGEST_WHOLE: Final = 2**53


def number(value: Any) -> float | None:
    """A finite float from a number or its text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value.replace(",", "") if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def price(value: Any) -> float | None:
    """A number that can be a price in points; None for anything else."""
    found = number(value)
    return found if found is not None and 0 < found <= _HIGHEST_PRICE else None


def whole(value: Any) -> int | None:
    """An integer that every JSON reader can hold; None for anything else."""
    found = number(value)
    return int(found) if found is not None and abs(found) <= _LARGEST_WHOLE else None
