"""What a number from Schwab is worth: sentinels become None, percent becomes a fraction. Pure.

See specs/schwab-wire.md §3.1.
"""

from typing import Final

from msgspec import UnsetType

NO_VALUE: Final = -999.0
"""What Schwab writes where its model found nothing."""
_PERCENT: Final = 100.0
LARGEST_PRICE: Final = 1e12
"""Nothing costs as much; what is larger, infinity included, is a mistake."""
LARGEST_COUNT: Final = 2**53
"""Beyond this a float no longer counts one by one, so it is no count."""
FIRST_MS: Final = 946_684_800_000
LAST_MS: Final = 4_102_444_800_000

Wire = float | UnsetType | None


def price(value: Wire) -> float | None:
    """A price that cannot be zero or less."""
    if type(value) is float or type(value) is int:
        return value if 0.0 < value < LARGEST_PRICE else None
    return None


def signed_price(value: Wire) -> float | None:
    """A price that may be zero or less, as of spreads, futures or worthless options."""
    if type(value) is float or type(value) is int:
        return value if value != NO_VALUE and -LARGEST_PRICE < value < LARGEST_PRICE else None
    return None


def count(value: Wire) -> int | None:
    """A whole number of shares or contracts; negative ones mean null."""
    if type(value) is int:
        return value if 0 <= value < LARGEST_COUNT else None
    return int(value) if isinstance(value, float) and 0 <= value < LARGEST_COUNT else None


def volatility(percent: Wire) -> float | None:
    """Implied volatility as a fraction; zero, negative and -999 are unusable."""
    if type(percent) is float or type(percent) is int:
        return percent / _PERCENT if 0.0 < percent < LARGEST_PRICE else None
    return None


def instant_ms(value: Wire) -> int:
    """Milliseconds since 1970 between the years 2000 and 2100, else 0."""
    if type(value) is int or isinstance(value, (int, float)):
        return int(value) if FIRST_MS < value < LAST_MS else 0
    return 0
