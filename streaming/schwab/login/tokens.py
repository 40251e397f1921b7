"""What a Schwab login is made of once it is stored: a record, and the instants in it."""

from dataclasses import dataclass, field
from datetime import datetime


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


def token_text(value: object) -> str:
    """A token as others wrote it; empty for what no header can carry, such as a number, a space or an accent."""
    return value if isinstance(value, str) and value.isascii() and value.isprintable() and " " not in value else ""
