"""The streamer and the login as operators read them. Pure: records in, Discord markdown out, within one message."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from bot.render.numbers import UNKNOWN, age
from streaming.status import StreamStatus, TokenStatus

_LIMIT: Final = 2000
_MOST_SYMBOLS: Final = 20
_SOON: Final = timedelta(hours=24)
_DAY_S: Final = 86_400


def stream_text(status: StreamStatus, now: datetime) -> str:
    """`/stream status`: state first, then what flows, then what went wrong."""
    since = "" if status.since_at is None else f" for {age((now - status.since_at).total_seconds())}"
    holder = status.lease_holder or "nobody"
    lines = [
        f"**Stream: {status.state}**{since}",
        f"{status.frames_per_s:.1f} frames/s · {_times(status.reconnects, 'reconnect')} · lease: {holder}",
        f"{status.published} events published, {status.buffered} waiting, {status.dropped} dropped",
        f"Last tick: {_ages(status.symbols)}",
        f"Option chains: {_ages(status.chain_age_s)}",
    ]
    if status.last_close is not None:
        lines.append(f"Last close: {status.last_close}")
    if status.last_error is not None:
        lines.append(f"Last error: {status.last_error}")
    return "\n".join(lines)[:_LIMIT]


def token_text(status: TokenStatus, now: datetime) -> str:
    """`/token status`: what the login is worth, until when, and what to do."""
    if not status.configured:
        return "**Schwab login: not configured.** Set SCHWAB_CLIENT_ID and SCHWAB_CLIENT_SECRET in .env, then restart."
    if not status.present:
        return "**Schwab login: none.** Run `python -m streaming token login` where the bot runs."
    lines = [
        _login_line(status.login_ends_at, now),
        f"Access token: {_access(status.access_expires_at, now)}",
        f"Last refresh: {_ago(status.last_refresh_at, now)}",
    ]
    if status.last_error is not None:
        lines.append(f"Last error: {status.last_error}")
    return "\n".join(lines)[:_LIMIT]


def _login_line(ends_at: datetime | None, now: datetime) -> str:
    if ends_at is None:
        return "**Schwab login: its age is unknown.** It ends seven days after the browser login."
    if ends_at <= now:
        return "**Schwab login: over.** Run `python -m streaming token login` where the bot runs."
    soon = " **Log in again soon.**" if ends_at - now < _SOON else ""
    return f"**Schwab login: good** for {_left(ends_at - now)}, until {_stamp(ends_at)}.{soon}"


def _access(expires_at: datetime | None, now: datetime) -> str:
    if expires_at is None:
        return UNKNOWN
    if expires_at <= now:
        return "expired; the next request renews it"
    return f"valid for {age((expires_at - now).total_seconds())}"


def _ago(at: datetime | None, now: datetime) -> str:
    return UNKNOWN if at is None else f"{age((now - at).total_seconds())} ago"


def _left(span: timedelta) -> str:
    """Days and hours, or what is left of the last day."""
    seconds = span.total_seconds()
    rest = age(seconds % _DAY_S)
    return age(seconds) if seconds < _DAY_S else f"{age(seconds)} {rest if rest.endswith('h') else '0h'}"


def _stamp(at: datetime) -> str:
    """Discord shows this in the reader's own time zone."""
    return f"<t:{int(at.timestamp())}:f>"


def _ages(ages: Mapping[str, float | None]) -> str:
    shown = [f"{name} {UNKNOWN if seconds is None else age(seconds)}" for name, seconds in ages.items()]
    rest = len(shown) - _MOST_SYMBOLS
    return ", ".join(shown[:_MOST_SYMBOLS]) + (f" and {rest} more" if rest > 0 else "") if shown else "none"


def _times(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
