"""What the streamer and the login say about themselves; records only, filled by the parts, read by commands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class StreamReport:
    """What came of an order to start or stop the stream."""

    ok: bool
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionStatus:
    """One look at the connection to the streamer; ages in seconds, None means unknown or never."""

    state: str
    """idle, connecting, login, ready (nothing received yet), live, backoff, refused (for long, although the login is
    good), needs_login, taken_over or stopped."""
    since_at: datetime | None = None
    last_login_at: datetime | None = None
    symbols: Mapping[str, float | None] = field(default_factory=dict)
    """Wire symbol -> age of its last event."""
    missing: tuple[str, ...] = ()
    """Symbols that sent nothing at all in their session: unknown to Schwab?"""
    quiet: tuple[str, ...] = ()
    """Symbols without a change for five minutes of their session."""
    delayed: tuple[str, ...] = ()
    """Symbols that Schwab sends with a delay, for want of an entitlement."""
    contracts: Mapping[str, str] = field(default_factory=dict)
    """Futures root -> contract behind it."""
    unavailable: Mapping[str, str] = field(default_factory=dict)
    """Service -> what Schwab said."""
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Service -> symbols that Schwab refused, alone or because they were too many; they are asked for again."""
    frames_per_s: float = 0.0
    service_frames_per_s: Mapping[str, float] = field(default_factory=dict)
    reconnects: int = 0
    gaps: int = 0
    """How often no data came between two connections; what was sent meanwhile cannot be had again."""
    gap_s: float = 0.0
    """How long all of them were together."""
    last_gap_s: float | None = None
    last_close: str | None = None
    needs_login: str | None = None
    """Why a person must log in; the open connection may stream on all the same."""
    retry_in_s: float | None = None
    """Until the next attempt, while backing off or yielding."""


@dataclass(frozen=True, slots=True)
class Loading:
    """Expiries of an underlying during their first load, before which there are no figures."""

    loaded: int
    planned: int

    def __str__(self) -> str:
        return f"{self.loaded} of {self.planned} expiries loaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStatus(ConnectionStatus):
    """One look at the streamer, which may be standby or failed besides."""

    started_at: datetime | None = None
    """Since when this process streams, through all reconnects."""
    odd_frames: int = 0
    """Frames that broke their shape: unreadable ones, and those read as far as they go."""
    buffered: int = 0
    published: int = 0
    dropped: int = 0
    chain_age_s: Mapping[str, float | None] = field(default_factory=dict)
    """Underlying -> age of its nearest expiry's chain."""
    expiry_age_s: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    """Underlying -> ISO date -> age of that expiry's chain, nearest first; None before it was loaded."""
    chain_refusals: Mapping[str, str] = field(default_factory=dict)
    """Underlying, or expiry of one -> why its last answer was not believed; what was known before stays and ages."""
    chain_remarks: Mapping[str, str] = field(default_factory=dict)
    """Expiry -> what is odd about the chain in use."""
    chains_refused: int = 0
    """Answers about chains and expirations that were not believed, since streaming began."""
    chain_rows_odd: int = 0
    """Rows of chains that could not be read."""
    engine_restarts: int = 0
    """How often the engine process had to be started again."""
    engine_start_ms: float | None = None
    """How long it took to be ready the last time."""
    last_error: str | None = None
    lease_holder: str | None = None
    refused: Mapping[str, str] = field(default_factory=dict)
    """What Schwab does not give although the login is good -> why; the rest goes on."""
    login_configured: bool = True
    """Whether there is a Schwab app to log in with."""
    login_ends_at: datetime | None = None
    requests_used: int = 0
    requests_per_minute: int = 0
    """The REST budget, of which `requests_used` went in the last minute."""


_SHOWN: Final = 12
_SHOWN_IN_ALL: Final = 10
"""Of several services together: with more option symbols a line would lose its last counts."""


def some_of(symbols: Sequence[str], most: int = _SHOWN) -> str:
    """Symbols for a person: the first `most`, and how many more there are."""
    more = len(symbols) - most
    return ", ".join(symbols[:most]) + (f" and {more:,} more" if more > 0 else "")


def named(left_out: Mapping[str, tuple[str, ...]]) -> str:
    """Symbols by service for a person: `ZZZZ; SPY of NYSE_BOOK`; level one, which has the ticks, needs no name.

    At most some 300 characters; each service has its first symbols, which were wanted most, and its count.
    """
    each = max(_SHOWN_IN_ALL // max(len(left_out), 1), 1)
    parts = (
        some_of(symbols, each) + ("" if service.startswith("LEVELONE") else f" of {service}")
        for service, symbols in left_out.items()
    )
    return "; ".join(parts)


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
    """By the boards; what they are priced by cannot be removed, what their other views need can."""


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
    refusals: int = 0
    """How often in a row Schwab has refused this login or app key."""
    odd_grants: int = 0
    """Tokens whose stated life could not be, so that half an hour was taken for it."""
    unsaved: bool = False
    """Whether this process alone has the newest login."""


SourceState = Literal["stopped", "standby", "waiting", "live", "failing", "needs_action"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """One look at a source of snapshots since its process started."""

    name: str
    """Its word in GEX_SOURCE."""
    tickers: tuple[str, ...] = ()
    state: SourceState = "stopped"
    """standby: another process asks; waiting: nothing came yet; failing: tried again by itself; needs_action: a
    person must act."""
    last_snapshot_at: datetime | None = None
    """When the last snapshot was stored."""
    quote_at: datetime | None = None
    """When the quotes behind it were live."""
    snapshots: int = 0
    rejected: int = 0
    """Answers without usable figures, or of another shape than agreed."""
    errors: int = 0
    """Requests that failed."""
    last_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderStatus:
    """One look at the recorder since its process started."""

    state: Literal["stopped", "recording", "failed"] = "stopped"
    path: str = ""
    with_ticks: bool = False
    snapshots: int = 0
    ticks: int = 0
    gaps: int = 0
    """Times at which something was missed; each stands in the recording too."""
    lost: int = 0
    """Entries known to be missed."""
    rejected: int = 0
    """Payloads without usable figures."""
    replayed: int = 0
    """Snapshots and ticks left out because they came from a recording."""
    written_bytes: int = 0
    total_bytes: int = 0
    """Of all recordings in the folder."""
    last_write_at: datetime | None = None
    last_error: str | None = None


KeeperState = Literal["stopped", "keeping", "standby", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryStatus:
    """One look at who keeps the history over days."""

    state: KeeperState = "stopped"
    """standby: another process keeps the folder."""
    path: str = ""
    snapshots: int = 0
    """Whose levels went into the journal since the process started."""
    gaps: int = 0
    lost: int = 0
    journal_days: int = 0
    """In the journal, because they are not over or not closed."""
    journal_bytes: int = 0
    last_write_at: datetime | None = None
    """When the journal was last forced to the disk."""
    days: int = 0
    """Closed, of any ticker."""
    last_day: str | None = None
    """The newest of them."""
    last_error: str | None = None
