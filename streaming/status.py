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
    """stopped, standby, idle, connecting, login, ready, live, backoff, needs_login, taken_over or failed."""
    since_at: datetime | None = None
    started_at: datetime | None = None
    """Since when this process streams, through all reconnects."""
    last_login_at: datetime | None = None
    symbols: Mapping[str, float | None] = field(default_factory=dict)
    """Wire symbol -> age of its last tick."""
    missing: tuple[str, ...] = ()
    """Symbols that sent nothing at all in their session: unknown to Schwab?"""
    quiet: tuple[str, ...] = ()
    """Symbols without a change for five minutes of their session."""
    delayed: tuple[str, ...] = ()
    contracts: Mapping[str, str] = field(default_factory=dict)
    """Futures root -> contract behind it."""
    unavailable: Mapping[str, str] = field(default_factory=dict)
    """Service -> what Schwab said."""
    frames_per_s: float = 0.0
    service_frames_per_s: Mapping[str, float] = field(default_factory=dict)
    reconnects: int = 0
    last_close: str | None = None
    buffered: int = 0
    published: int = 0
    dropped: int = 0
    chain_age_s: Mapping[str, float | None] = field(default_factory=dict)
    """Ticker -> age of the oldest chain part in use."""
    last_error: str | None = None
    lease_holder: str | None = None
    needs_login: str | None = None
    """Why a person must log in; the open connection may stream on all the same."""
    login_configured: bool = True
    """Whether there is a Schwab app to log in with."""
    login_ends_at: datetime | None = None
    retry_in_s: float | None = None
    requests_used: int = 0
    requests_per_minute: int = 0
    """The REST budget, of which `requests_used` went in the last minute."""


@dataclass(frozen=True, slots=True)
class SymbolList:
    """What is streamed, and why."""

    configured: tuple[str, ...] = ()
    """By SCHWAB_SYMBOLS."""
    added: tuple[str, ...] = ()
    """By operators."""
    removed: tuple[str, ...] = ()
    """By operators, from SCHWAB_SYMBOLS."""
    needed: tuple[str, ...] = ()
    """By the boards; nobody can remove these."""


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
