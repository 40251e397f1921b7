"""The sources of snapshots as operators read them. Pure: records in, Discord markdown out."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from bot.render.numbers import age, ago
from streaming.status import SourceStatus

_LIMIT: Final = 2000
_LONGEST: Final = 200
_WORDS: Final = {"needs_action": "needs you", "failing": "failing, tried again"}


def sources_text(sources: Iterable[SourceStatus], now: datetime) -> str:
    """One line a source: state, tickers, what came and how old its quotes are; then its last error."""
    lines: list[str] = []
    for source in sources:
        lines.append(f"**Source {source.name}: {_WORDS.get(source.state, source.state)}** · {_tickers(source)}")
        lines.append(_counts(source, now))
        if source.last_error is not None:
            lines.append(f"Last error: {source.last_error[:_LONGEST]}")
    return "\n".join(lines)


def join_texts(first: str, second: str) -> str:
    """Both within one message; the second keeps its room, the first loses its end."""
    if not second:
        return first[:_LIMIT]
    second = second[: _LIMIT // 2]
    return f"{first[: _LIMIT - len(second) - 1]}\n{second}"


def _tickers(source: SourceStatus) -> str:
    return ", ".join(source.tickers) or "no ticker"


def _counts(source: SourceStatus, now: datetime) -> str:
    parts = [f"{source.snapshots} snapshots, {source.rejected} rejected, {source.errors} errors"]
    if source.last_snapshot_at is not None:
        parts.append(f"last {ago(source.last_snapshot_at, now)}")
    if source.quote_at is not None:
        parts.append(f"quotes {age((now - source.quote_at).total_seconds())} old")
    return " · ".join(parts)
