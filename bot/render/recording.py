"""The recorder as operators read it. Pure: a record in, Discord markdown out."""

from datetime import datetime
from typing import Final

from bot.render.numbers import ago, counted
from streaming.status import RecorderStatus

_LONGEST: Final = 300
_MEGABYTE: Final = 1_000_000


def recorder_text(status: RecorderStatus | None, now: datetime) -> str:
    """State, place, what was written and what was missed; empty where nothing is to be recorded."""
    if status is None:
        return ""
    ticks = f", {status.ticks} ticks" if status.with_ticks else ""
    lost = f" ({status.lost} entries known to be lost)" if status.lost else ""
    parts = (
        f"{status.snapshots} snapshots{ticks}, {counted(status.gaps, 'gap')}{lost}",
        f"{status.written_bytes / _MEGABYTE:.1f} MB written, {status.total_bytes / _MEGABYTE:.1f} MB kept",
        f"last write {_ago(status.last_write_at, now)}",
    )
    lines = [f"**Recorder: {status.state}** · {status.path[:_LONGEST]}", " · ".join(parts)]
    if status.last_error is not None:
        lines.append(f"Last error: {status.last_error[:_LONGEST]}")
    return "\n".join(lines)


def _ago(at: datetime | None, now: datetime) -> str:
    return "never" if at is None else ago(at, now)
