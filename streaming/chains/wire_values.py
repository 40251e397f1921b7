"""Numbers as programs write them on the wire: as numbers, as text, or as something else. Pure."""

from typing import Any, Final

LOWEST_PRICE: Final = 1e-6
HIGHEST_PRICE: Final = 1e9
LARGEST: Final = 1e18
"""No exposure, count or price is larger, and products of two such numbers are still finite."""
LARGEST_WHOLE: Final = 2**53


def number(value: Any) -> float | None:
    """A float from a number or its text, of a size that can be; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value.replace(",", "") if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return found if abs(found) <= LARGEST else None


def price(value: Any) -> float | None:
    """A number that can be a price in points; None for anything else."""
    found = number(value)
    return found if found is not None and LOWEST_PRICE <= found <= HIGHEST_PRICE else None


def whole(value: Any) -> int | None:
    """An integer that every JSON reader can hold; None for anything else."""
    found = number(value)
    return int(found) if found is not None and abs(found) <= LARGEST_WHOLE else None
