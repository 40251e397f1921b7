"""What the feed counts about itself, and the writer that keeps its Redis hash current."""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Final, Literal

BoardState = Literal["starting", "open", "closed", "retrying", "paused", "stopped"]
MetricsWriter = Callable[[Mapping[str, str | float | int]], Awaitable[None]]
_SMOOTHING: Final = 0.1
_PACE_S: Final = 30.0
_REMEMBERED: Final = 256
"""Writes; more than a board makes in `_PACE_S` at its shortest beat."""


@dataclass(slots=True)
class BoardCounters:
    """The tally of one board since the process started."""

    updates: int = 0
    """Beats at which the board looked for something to show."""
    edits: int = 0
    posts: int = 0
    """Messages posted because there was none."""
    reposts: int = 0
    """Messages replaced on a refresh mark."""
    skips: int = 0
    """Beats without an edit because the text had not changed."""
    missed: int = 0
    """Beats that passed while an earlier edit was still under way."""
    errors: int = 0
    last_edit_at: datetime | None = None
    last_repost_at: datetime | None = None
    last_error_at: datetime | None = None
    last_error: str | None = None
    edit_lag_s: float | None = None
    """From the beat to Discord's acknowledgement, the last one."""
    edit_lag_mean_s: float | None = None
    """The same, exponentially smoothed."""
    edit_lag_max_s: float = 0.0
    recent: deque[datetime] = field(default_factory=lambda: deque(maxlen=_REMEMBERED), repr=False)
    """When Discord acknowledged the last writes."""

    def pace_per_s(self, now: datetime) -> float:
        """Posts and edits a second over the last half minute, or since the first of them."""
        times = [at for at in self.recent if (now - at).total_seconds() <= _PACE_S]
        if len(times) < 2:  # noqa: PLR2004  # a pace lies between two
            return 0.0
        return (len(times) - 1) / max((now - times[0]).total_seconds(), 1e-3)

    def sent(self, at: datetime, lag_s: float) -> None:
        """Note that Discord acknowledged a post or an edit."""
        self.last_edit_at = at
        self.recent.append(at)
        self.edit_lag_s = lag_s
        mean = self.edit_lag_mean_s
        self.edit_lag_mean_s = lag_s if mean is None else mean + _SMOOTHING * (lag_s - mean)
        self.edit_lag_max_s = max(self.edit_lag_max_s, lag_s)

    def failed(self, at: datetime, sentence: str) -> None:
        """Note an error by its sentence."""
        self.errors += 1
        self.last_error_at = at
        self.last_error = sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardStatus:
    """One board at one instant."""

    channel_id: int
    ticker: str
    state: BoardState
    reason: str
    """Why it is open, closed, retrying or paused."""
    until: datetime | None
    since_at: datetime | None = None
    """When it entered this state."""
    message_id: int | None
    counters: BoardCounters


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStatus:
    """The whole feed at one instant."""

    boards: tuple[BoardStatus, ...] = ()
    leading: bool = False
    """False while another process holds the feed."""
    listening: bool = False
    """Whether snapshots are being received."""
    snapshots: int = 0
    last_snapshot_at: datetime | None = None
    restarts: int = 0
    """How often the listener or a board had to be started again."""


_COUNTS: Final = tuple(item.name for item in fields(BoardCounters) if item.type is int)
_INSTANTS: Final = tuple(item.name for item in fields(BoardCounters) if item.name.endswith("_at"))


def metrics_mapping(status: FeedStatus, now: datetime) -> dict[str, str | float | int]:
    """The hash that telemetry readers see: totals first, then `board:<channel id>:*`. Unknown is left out."""
    totals: dict[str, str | float | int] = {
        name: sum(getattr(board.counters, name) for board in status.boards) for name in _COUNTS
    }
    totals |= {"boards": len(status.boards), "boards_open": sum(board.state == "open" for board in status.boards)}
    totals |= {"snapshots": status.snapshots, "restarts": status.restarts, "written_at": _iso(now)}
    totals |= {"leading": int(status.leading), "listening": int(status.listening)}
    for name in _INSTANTS:
        instants = [at for board in status.boards if (at := getattr(board.counters, name)) is not None]
        totals |= {name: _iso(max(instants))} if instants else {}
    if status.last_snapshot_at is not None:
        totals["last_snapshot_at"] = _iso(status.last_snapshot_at)
    totals["edit_lag_max_ms"] = round(max((b.counters.edit_lag_max_s for b in status.boards), default=0.0) * 1000)
    for board in status.boards:
        totals |= {f"board:{board.channel_id}:{name}": value for name, value in _board_mapping(board).items()}
    return totals


def _board_mapping(board: BoardStatus) -> dict[str, str | float | int]:
    counters = board.counters
    mapping: dict[str, str | float | int] = {"ticker": board.ticker, "state": board.state, "reason": board.reason}
    for item in fields(counters):
        value = getattr(counters, item.name)
        if value is None or item.name == "recent":
            continue
        if item.name.endswith("_s"):
            mapping[f"{item.name.removesuffix('_s')}_ms"] = round(value * 1000)
        else:
            mapping[item.name] = _iso(value) if isinstance(value, datetime) else value
    return mapping


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
