"""What each live message does, as operators and the admins of its server read it. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import Final

from bot.feed.feed_metrics import BoardStatus, FeedStatus
from bot.render.message_form import FIELD_CHARS, MESSAGE_CHARS, stamp
from bot.render.numbers import age, ago
from bot.servers.orders import BoardOrder, manner_of_reposts
from bot.settings import BotSettings

_LONGEST_REASON: Final = 200


def feed_text(status: FeedStatus, boards: Sequence[BoardStatus], now: datetime, *, elsewhere: int = 0) -> str:
    """`/feed status`: whether this process writes, then a paragraph a board; `elsewhere` are those of other servers."""
    told = (line for board in boards for line in (_title(board, now), f"{_pace(board, now)} · by {board.origin}"))
    last = [] if boards else ["I keep no live message in this server."]
    if elsewhere:
        last.append(f"{elsewhere} more in other servers.")
    return _cut(chain([_head(status, now)], told, last), 1 + 2 * len(boards) + len(last), MESSAGE_CHARS)


def boards_field(boards: Sequence[BoardStatus], now: datetime) -> str:
    """The same in one line a board, for a field of an embed; empty without boards."""
    lines = (f"{_title(board, now)} · {_pace(board, now)}" for board in boards)
    return _cut(lines, len(boards), FIELD_CHARS)


def order_text(order: BoardOrder, settings: BotSettings) -> str:
    """What a live message shows and how, in one sentence."""
    minutes = settings.gex_feed_refresh_minutes if order.refresh_minutes is None else order.refresh_minutes
    parts = [
        f"style {order.style or settings.gex_feed_style}",
        *([f"scope {order.scope}"] if order.scope else []),
        *([f"weight {order.weight}"] if order.weight else []),
        *([f"picture {order.picture}"] if order.picture not in {None, "none"} else []),
        f"a new message every {minutes} min" if minutes else "no new message while it can be edited",
        *(["buttons"] if (settings.gex_feed_buttons if order.buttons is None else order.buttons) else []),
        "without a sound" if manner_of_reposts(order, settings).silent else "with a sound",
        *([] if order.alert_role_id is None else [f"alerts ping <@&{order.alert_role_id}>"]),
    ]
    rests = " It is paused: /feed resume resumes it." if order.paused else ""
    return f"<#{order.channel_id}> shows {', '.join(order.tickers)} ({', '.join(parts)}).{rests}"


def _head(status: FeedStatus, now: datetime) -> str:
    if not status.boards:
        return "**Feed: standing by.** Another process writes the messages, or there are none."
    last_at = status.last_snapshot_at
    heard = "nothing yet" if last_at is None else f"the last snapshot {ago(last_at, now)}"
    listening = "" if status.listening else " · snapshots cannot be received now"
    return f"**Feed: writing** · received {heard}{listening}"


def _title(board: BoardStatus, now: datetime) -> str:
    since = "" if board.since_at is None else f" for {age((now - board.since_at).total_seconds())}"
    reason = board.reason[:_LONGEST_REASON]
    why = "" if reason == board.state else f": {reason}"
    until = "" if board.until is None else f" until {stamp(board.until)}"
    return f"<#{board.channel_id}> {board.ticker} **{board.state}**{since}{why}{until}"


def _pace(board: BoardStatus, now: datetime) -> str:
    counters = board.counters
    if counters.last_edit_at is None:
        return "not written yet"
    pace_per_s = counters.pace_per_s(now) if board.told_pace_per_s is None else board.told_pace_per_s
    parts = [f"{pace_per_s:.2f} edits/s", f"last edit {ago(counters.last_edit_at, now)}"]
    if counters.errors:
        parts.append(f"{counters.errors} errors")
    if board.without_picture is not None:
        parts.append(f"no picture: {board.without_picture[:_LONGEST_REASON]}")
    return " · ".join(parts)


def _cut(lines: Iterable[str], count: int, limit: int) -> str:
    """As many whole lines as fit, and how many did not; of thousands only those are made that are looked at."""
    kept: list[str] = []
    size = 0
    for position, line in enumerate(lines):
        rest = f"and {count - position} more lines"
        if size + len(line) + 1 + len(rest) > limit:
            return "\n".join([*kept, rest])
        kept.append(line)
        size += len(line) + 1
    return "\n".join(kept)
