"""What the feed counts about itself, and the writer that keeps its Redis hash current."""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from streaming.bus.metrics_store import Metric, MetricValue, hash_fields, kept

BoardState = Literal["starting", "open", "closed", "retrying", "paused", "stopped"]
MetricsWriter = Callable[[Mapping[str, MetricValue]], Awaitable[None]]
_SMOOTHING: Final = 0.1
_PACE_S: Final = 30.0
_LEAST_FOR_A_PACE: Final = 6
MOST_AT_ONCE: Final = 100
"""Boards of which a write has fields."""
_REMEMBERED: Final = 256
"""Writes; more than a board makes in `_PACE_S` at its shortest beat."""


@dataclass(slots=True)
class BoardCounters:
    """The tally of one board since the process started; `METRICS` says of what."""

    updates: int = 0
    edits: int = 0
    posts: int = 0
    reposts: int = 0
    skips: int = 0
    missed: int = 0
    errors: int = 0
    last_edit_at: datetime | None = None
    last_repost_at: datetime | None = None
    last_error_at: datetime | None = None
    last_error: str | None = None
    edit_lag_s: float | None = None
    edit_lag_mean_s: float | None = None
    edit_lag_max_s: float = 0.0
    recent: deque[datetime] = field(default_factory=lambda: deque(maxlen=_REMEMBERED), repr=False)
    """When Discord acknowledged the last writes."""

    def pace_per_s(self, now: datetime) -> float:
        """Posts and edits a second over the last half minute; of a board that makes few, over its last six."""
        lately = sum((now - at).total_seconds() <= _PACE_S for at in self.recent)
        times = list(self.recent)[-max(lately, _LEAST_FOR_A_PACE) :]
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
    without_picture: str | None = None
    """Why the message lacks the picture that it is to have."""
    origin: str = "the settings"
    """Who wants it: the settings, or an admin with `/feed`."""
    counters: BoardCounters
    told_pace_per_s: float | None = None
    """The pace as another process told it, which writes this board."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStatus:
    """The whole feed at one instant; `METRICS` says what its counts are."""

    boards: tuple[BoardStatus, ...] = ()
    leading: bool = False
    listening: bool = False
    snapshots: int = 0
    last_snapshot_at: datetime | None = None
    restarts: int = 0


def _total(name: str, words: str) -> Metric[FeedStatus]:
    return Metric(name, None, lambda it: sum(getattr(board.counters, name) for board in it.boards), words)


def _newest(name: str, words: str) -> Metric[FeedStatus]:
    def read(it: FeedStatus) -> str | None:
        instants = [at for board in it.boards if (at := getattr(board.counters, name)) is not None]
        return _iso(max(instants, default=None))

    return Metric(name, None, read, words)


def _counted(name: str) -> Metric[BoardStatus]:
    words = "The same count of one board, by channel id."
    return Metric(name, f"{name}_total", lambda it: getattr(it.counters, name), words)


def _instant(name: str) -> Metric[BoardStatus]:
    return Metric(name, None, lambda it: _iso(getattr(it.counters, name)), "The same instant of one board.")


def _lag(name: str) -> Metric[BoardStatus]:
    def read(it: BoardStatus) -> int | None:
        lag_s: float | None = getattr(it.counters, f"{name}_s")
        return None if lag_s is None else _ms(lag_s)

    return Metric(
        f"{name}_ms",
        f"{name}_milliseconds",
        read,
        "Time from beat to Discord's answer, milliseconds: last, smoothed, longest.",
    )


def _longest_lag_ms(it: FeedStatus) -> int:
    return max((_ms(board.counters.edit_lag_max_s) for board in it.boards), default=0)


_TOTALS: Final = (
    _total("updates", "Beats at which there was something to look at."),
    _total("edits", "Messages edited."),
    _total("posts", "Messages posted because there was none."),
    _total("reposts", "Messages replaced on a refresh mark."),
    _total("skips", "Beats without an edit because the text had not changed."),
    _total("missed", "Beats that passed while an earlier edit was under way."),
    _total("errors", "Failures."),
)
_LASTS: Final = (
    _newest("last_edit_at", "Last edit."),
    _newest("last_repost_at", "Last repost."),
    _newest("last_error_at", "Last failure."),
)
METRICS: Final[tuple[Metric[FeedStatus], ...]] = (
    *_TOTALS,
    Metric("boards", "boards", lambda it: len(it.boards), "Boards configured."),
    Metric("boards_open", "boards_open", lambda it: sum(board.state == "open" for board in it.boards),
           "Boards being edited now."),
    kept("snapshots", "Snapshots received.", "snapshots_total"),
    kept("restarts", "How often the listener or a board was started again.", "restarts_total"),
    Metric("leading", "leading", lambda it: int(it.leading), "Whether this process writes the feed."),
    Metric("listening", "listening", lambda it: int(it.listening), "Whether snapshots are being received."),
    *_LASTS,
    Metric("last_snapshot_at", None, lambda it: _iso(it.last_snapshot_at), "Last snapshot received."),
    Metric("edit_lag_max_ms", None, _longest_lag_ms,
           "Longest time from beat to Discord's answer, milliseconds."),
)  # fmt: skip
"""The totals of the hash that telemetry readers see."""
BOARD_METRICS: Final[tuple[Metric[BoardStatus], ...]] = (
    *(_counted(metric.name) for metric in _TOTALS if metric.name is not None),
    *(_instant(metric.name) for metric in _LASTS if metric.name is not None),
    kept("ticker", "What the board shows"),
    kept("state", "what it is doing", "state", labels=("state",)),
    kept("reason", "why"),
    Metric("last_error", None, lambda it: it.counters.last_error, "its last failure."),
    Metric(
        None,
        "last_edit_timestamp_seconds",
        lambda it: _epoch_s(it.counters.last_edit_at),
        "When Discord acknowledged its last post or edit.",
    ),
    _lag("edit_lag"),
    _lag("edit_lag_mean"),
    _lag("edit_lag_max"),
)
"""Of one board, under `board:<channel id>:`."""


def in_turn(boards: Sequence[BoardStatus], turn: int) -> Sequence[BoardStatus]:
    """Whose fields are written in a turn: all of a hundred, of more the next hundred.

    A hundred are 1,500 fields; of 2,000 boards they would hold the event loop for a tenth of a second, each second.
    """
    first = turn * MOST_AT_ONCE % len(boards) if boards else 0
    return (*boards[first:], *boards[:first])[:MOST_AT_ONCE]


def metrics_mapping(
    status: FeedStatus, now: datetime, *, boards: Sequence[BoardStatus] | None = None
) -> dict[str, MetricValue]:
    """The hash: totals first, then what is of each of its `boards`, by default all. Unknown is left out."""
    fields = hash_fields(METRICS, status) | {"written_at": _iso(now)}
    for board in status.boards if boards is None else boards:
        fields |= hash_fields(BOARD_METRICS, board, under=f"board:{board.channel_id}:")
    return {name: value for name, value in fields.items() if value is not None}


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _epoch_s(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="milliseconds")
