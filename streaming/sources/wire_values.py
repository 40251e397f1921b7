"""Numbers and instants as programs write them on the wire: as numbers, as text, or as something else. Pure."""

import math
from datetime import UTC, datetime
from typing import Any, Final

_HIGHEST_PRICE: Final = 1e9
_LARGEST_WHOLE: Final = 2**53
_FIRST_INSTANT_S: Final = 946_684_800.0
"""2000-01-01; a smaller number is no time."""
_LAST_INSTANT_S: Final = 4_102_444_800.0
"""2100-01-01; a larger number counts thousandths, millionths or billionths of a second."""


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


def instant_ms(value: Any) -> int | None:
    """Epoch milliseconds from ISO text (UTC where it names no zone) or a count of s, ms, µs or ns."""
    count = number(value)
    if count is None:
        return _iso_ms(value) if isinstance(value, str) else None
    while count > _LAST_INSTANT_S:
        count /= 1000.0
    return round(count * 1000) if count >= _FIRST_INSTANT_S else None


def is_instant(ms: int) -> bool:
    """Whether a count of milliseconds is a time between 1970 and 2100, so that it has a date everywhere."""
    return 0 <= ms <= _LAST_INSTANT_S * 1000


def _iso_ms(text: str) -> int | None:
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return round(instant.timestamp() * 1000)
