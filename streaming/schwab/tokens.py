"""What a Schwab login is made of once it is stored: a record, and the instants in it."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

_MILLISECONDS_FROM: Final = 10**11
_INSTANT_FROM: Final = 10**9
"""Smaller numbers (September 2001 in seconds) are durations, not instants."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and what renews it; its repr shows neither."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime | None = None
    """When the access token dies, in UTC; None means unknown, so treat it as dead."""
    login_at: datetime | None = None
    """The browser login that started the 7 days; a refresh never moves it. None means unknown."""
    refreshed_at: datetime | None = None
    id_token: str | None = field(default=None, repr=False)
    scope: str = "api"
    token_type: str = "Bearer"  # noqa: S105 - the scheme's name, not a secret

    def seconds_left(self, now: datetime) -> float:
        """Seconds until the access token dies; 0 when unknown."""
        return 0.0 if self.expires_at is None else (self.expires_at - now).total_seconds()


def instant(value: object) -> datetime | None:
    """Seconds or milliseconds as number or text, or ISO 8601 (naive means UTC); None when it is no time."""
    if isinstance(value, str):
        return _instant_of_text(value.strip())
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not value >= _INSTANT_FROM:
        return None
    try:
        return datetime.fromtimestamp(value / 1000.0 if value > _MILLISECONDS_FROM else value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _instant_of_text(text: str) -> datetime | None:
    with suppress(ValueError):
        return instant(float(text))
    with suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return None
