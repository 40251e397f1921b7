"""How a figure that is played from a recording is called, on boards, in embeds, pictures and alerts alike. Pure."""

from datetime import datetime
from typing import Final

from streaming.calendar import new_york
from streaming.clock import instant_of
from streaming.model import GexSnapshot

PAUSED: Final = "paused"


def replay_words(snapshot: GexSnapshot) -> str | None:
    """`REPLAY 20 Nov 2026 x10` with the recorded day in New York, or None for a snapshot that is no replay."""
    mark = snapshot.replay
    if mark is None:
        return None
    day = _quote_time(snapshot)
    return f"REPLAY {day.day} {day:%b %Y} {f'x{mark.speed:.4g}' if mark.speed > 0 else PAUSED}"


def replay_banner(snapshot: GexSnapshot) -> str:
    """The words with the recorded hour, `REPLAY 20 Nov 2026 x10 · 10:31:05`; empty for a snapshot that is no replay."""
    words = replay_words(snapshot)
    return "" if words is None else f"{words} · {_quote_time(snapshot):%H:%M:%S}"


def live_word(snapshot: GexSnapshot) -> str:
    """How a snapshot that is up to date is called."""
    mark = snapshot.replay
    return "live" if mark is None else "playing" if mark.speed > 0 else PAUSED


def _quote_time(snapshot: GexSnapshot) -> datetime:
    return new_york(instant_of(snapshot.asof_ms))
