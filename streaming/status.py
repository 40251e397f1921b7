"""What the streamer and the login say about themselves; records only, filled by the parts, read by commands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StreamReport:
    """What came of an order to start or stop the stream."""

    ok: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """One look at the streamer; ages in seconds, None means unknown or never."""

    state: str
    """stopped, connecting, login, live, backoff, standby or failed."""
    since_at: datetime | None = None
    symbols: Mapping[str, float | None] = field(default_factory=dict)
    """Wire symbol -> age of its last tick."""
    frames_per_s: float = 0.0
    reconnects: int = 0
    last_close: str | None = None
    buffered: int = 0
    published: int = 0
    dropped: int = 0
    chain_age_s: Mapping[str, float | None] = field(default_factory=dict)
    """Ticker -> age of the oldest chain part in use."""
    last_error: str | None = None
    lease_holder: str | None = None


@dataclass(frozen=True, slots=True)
class TokenStatus:
    """One look at the Schwab login; no part of a token is in here."""

    configured: bool
    """Whether SCHWAB_CLIENT_ID and SCHWAB_CLIENT_SECRET are set."""
    present: bool
    """Whether a token file could be read."""
    access_expires_at: datetime | None = None
    login_ends_at: datetime | None = None
    """Seven days after the browser login; None when the file does not say when that was."""
    last_refresh_at: datetime | None = None
    last_error: str | None = None
