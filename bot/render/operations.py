"""Streamer, recorder, sources and login as operators read them. Pure: records in, markdown of one message out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bot.render.message_form import MESSAGE_CHARS, fitting, in_readers_time, listed, stamp
from bot.render.numbers import UNKNOWN, age, ago, counted
from streaming.calendar import NEW_YORK
from streaming.login_week import plan
from streaming.status import (
    HistoryStatus,
    RecorderStatus,
    SourceStatus,
    StreamStatus,
    SymbolList,
    TokenStatus,
    named,
    some_of,
)

_MOST_SYMBOLS: Final = 20
_MOST_LISTED: Final = 100
_SOON: Final = timedelta(hours=24)
_DAY_S: Final = 86_400
_LONGEST: Final = 300
STATE_WORDS: Final = {"needs_action": "needs you", "failing": "failing, tried again"}
_STREAM_WORDS = {
    "idle": "not started",
    "login": "signing in",
    "ready": "connected, no data yet",
    "backoff": "trying again soon",
    "needs_login": "waits for a login",
    "taken_over": "taken over by another program",
}
_AT_REST: Final = frozenset({"idle", "stopped"})
NO_STREAM: Final = "**Stream: none.** No Schwab app is set up here, so figures come from the sources below."
_LONGEST_ERROR: Final = 200
_MEGABYTE: Final = 1_000_000
_LOG_IN: Final = "Log in with `/token login`, or `python -m streaming token login` where the bot runs."


_PASTED: Final = (
    "2. The browser then shows a page that does not load. Copy its whole address.",
    "3. Press *Paste the redirect URL* and paste it. The address is good for 30 seconds.",
)
_ARRIVES: Final = (
    "2. That is all: the browser comes back to the bot, and this message says how it went.",
    "If the page does not load, copy its address, press *Paste the redirect URL* and paste it within 30 seconds.",
)


def stream_text(status: StreamStatus, now: datetime) -> str:
    """`/stream status`: state first, then what flows, then what needs attention."""
    if not status.login_configured and status.state in _AT_REST:
        return NO_STREAM
    lines = [
        _state_line(status, now),
        f"{_frames(status)} frames/s{_services(status.service_frames_per_s)}{_odd(status.odd_frames)}",
        f"{counted(status.reconnects, 'reconnect')}{_gaps(status)} · lease: {status.lease_holder or 'nobody'}",
        f"{status.published} events published, {status.buffered} waiting, {status.dropped} lost",
        f"Last tick{_of_many(status.symbols)}: {_ages(status.symbols)}",
        f"Option chains: {_chains(status.expiry_age_s)}",
        f"Schwab login: {_login_left(status, now)} · {_requests(status)}",
        *_attention(status),
    ]
    return "\n".join(line for line in lines if line)[:MESSAGE_CHARS]


def symbols_text(symbols: SymbolList, status: StreamStatus) -> str:
    """`/stream symbols list`: what is streamed and by whose wish."""
    groups = (
        ("From SCHWAB_SYMBOLS", symbols.configured),
        ("Added", symbols.added),
        ("Needed by the live messages", symbols.needed),
        ("Removed from SCHWAB_SYMBOLS", symbols.removed),
        ("Refused by Schwab and left out", tuple(filter(None, [named(status.left_out)]))),
        ("Silent during its session", status.missing),
    )
    shown = [(title, names) for title, names in groups if names]
    room = MESSAGE_CHARS // max(len(shown), 1)
    return "\n".join(_listed_within(title, names, room) for title, names in shown) or "Nothing is streamed."


def _listed_within(title: str, names: Sequence[str], room: int) -> str:
    """As many of the names as a line of so many characters holds, at most a hundred, and how many more there are."""
    most = min(len(names), _MOST_LISTED)
    while len(line := f"{title}: {listed(names, most)}") >= room and most > 1:
        most -= 1
    return line[: room - 1]


def _state_line(status: StreamStatus, now: datetime) -> str:
    since = "" if status.since_at is None else f" for {age((now - status.since_at).total_seconds())}"
    up = "" if status.started_at is None else f" · up {age((now - status.started_at).total_seconds())}"
    login = "" if status.last_login_at is None else f" · logged in {_ago(status.last_login_at, now)}"
    retry = "" if status.retry_in_s is None else f" · next try in {age(status.retry_in_s)}"
    return f"**Stream: {_STREAM_WORDS.get(status.state, status.state)}**{since}{up}{login}{retry}"


def _services(rates: Mapping[str, float]) -> str:
    shown = [f"{name} {rate:.1f}" for name, rate in sorted(rates.items())]
    return f" ({', '.join(shown)})" if shown else ""


def _frames(status: StreamStatus) -> str:
    """A rate only where there is, or was, something to count."""
    return f"{status.frames_per_s:.1f}" if status.frames_per_s or status.started_at is not None else UNKNOWN


def _gaps(status: StreamStatus) -> str:
    if status.last_gap_s is None:
        return ""
    together = f", {age(status.gap_s)} in all {status.gaps}" if status.gaps > 1 else ""
    return f" · last gap {age(status.last_gap_s)}{together}"


def _odd(frames: int) -> str:
    return f" · {counted(frames, 'odd frame')}" if frames else ""


def _login_left(status: StreamStatus, now: datetime) -> str:
    if not status.login_configured:
        return "not configured"
    ends_at = status.login_ends_at
    return "of unknown age" if ends_at is None else "over" if ends_at <= now else f"{_left(ends_at - now)} left"


def _requests(status: StreamStatus) -> str:
    if not status.requests_per_minute:
        return f"REST {UNKNOWN}"
    return f"REST {status.requests_used} of {status.requests_per_minute} requests in the last minute"


def _attention(status: StreamStatus) -> list[str]:
    """What a person may have to act on or should know, each with its own line."""
    rolls = ", ".join(f"{root} is {contract}" for root, contract in status.contracts.items())
    texts = (
        ("Needs a login", status.needs_login),
        *((f"Refused by Schwab, {what}", why) for what, why in status.refused.items()),
        ("Refused by Schwab and left out", named(status.left_out)),
        ("Silent during its session", some_of(status.missing)),
        ("Quiet for five minutes", some_of(status.quiet)),
        ("Chains rejected, earlier ones kept", _named(status.chain_refusals)),
        ("Odd in chains", _named(status.chain_remarks)),
        ("Delayed by Schwab", some_of(status.delayed)),
        ("Not available from Schwab now", ", ".join(status.unavailable)),
        ("Futures (depth: top of book)", rolls),
        ("Last close", status.last_close),
        ("Last error", status.last_error),
    )
    return [f"{title}: {text[:_LONGEST]}" for title, text in texts if text]


def _named(texts: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {text.removesuffix('.')}" for name, text in texts.items())


def token_text(status: TokenStatus, now: datetime, zone: ZoneInfo = NEW_YORK) -> str:
    """`/token status`: what the login is worth, until when, and what to do."""
    if not status.configured:
        return "**Schwab login: not configured.** Set SCHWAB_CLIENT_ID and SCHWAB_CLIENT_SECRET in .env, then restart."
    if not status.present:
        return f"**Schwab login: none.** {status.last_error or _LOG_IN}"[:MESSAGE_CHARS]
    lines = [
        _login_line(status.login_ends_at, now, zone),
        f"Access token: {_access(status.access_expires_at, now)}",
        f"Last refresh: {_ago(status.last_refresh_at, now)}",
    ]
    if status.last_error is not None:
        lines.append(f"Last error: {status.last_error}")
    if status.refusals:
        lines.append(f"Refused by Schwab: {counted(status.refusals, 'time')} in a row; the bot keeps asking")
    if status.odd_grants:
        lines.append(f"Tokens with an impossible lifetime: {status.odd_grants}")
    return "\n".join(lines)[:MESSAGE_CHARS]


def doctor_text(lines: Sequence[str]) -> str:
    """`/token doctor`: each finding a line, what is wrong in bold; the last line says where to begin."""
    *findings, verdict = map(in_readers_time, lines)
    shown = [f"**{line}**" if line.startswith("FAIL") else line for line in findings]
    return fitting([verdict, *shown])


def login_steps(ends_at: datetime, *, link: str | None = None, arrives: bool = False) -> str:
    """`/token login`: what to do until `ends_at`; `link` where it did not fit a button.

    `arrives` where the browser comes back to the bot by itself.
    """
    page = "Open Schwab's login page with the button" if link is None else f"Open [Schwab's login page](<{link}>)"
    lines = [
        f"**Log in at Schwab.** The link works until {stamp(ends_at)}.",
        f"1. {page}, sign in with the *brokerage* login, choose the accounts and allow the app.",
        *(_ARRIVES if arrives else _PASTED),
    ]
    return "\n".join(lines)[:MESSAGE_CHARS]


def logged_in_text(status: TokenStatus, now: datetime, zone: ZoneInfo = NEW_YORK) -> str:
    """The end of `/token login`."""
    return f"You are logged in at Schwab.\n{token_text(status, now, zone)}"[:MESSAGE_CHARS]


def login_ending_text(ends_at: datetime, now: datetime, zone: ZoneInfo = NEW_YORK) -> str:
    """To the operators, some hours before the weekly login ends."""
    left = age(max((ends_at - now).total_seconds(), 60))
    return f"The Schwab login ends in {left}, {stamp(ends_at)}. It {plan(ends_at, now, zone)}. {_LOG_IN}"


def _login_line(ends_at: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    if ends_at is None:
        return "**Schwab login: its age is unknown.** It ends seven days after the browser login."
    if ends_at <= now:
        return f"**Schwab login: over.** {_LOG_IN}"
    soon = " **Log in again soon.**" if ends_at - now < _SOON else ""
    week = f"It {plan(ends_at, now, zone)}."
    return f"**Schwab login: good** for {_left(ends_at - now)}, until {stamp(ends_at)}.{soon} {week}"


def _access(expires_at: datetime | None, now: datetime) -> str:
    if expires_at is None:
        return UNKNOWN
    if expires_at <= now:
        return "expired; the next request renews it"
    return f"valid for {age((expires_at - now).total_seconds())}"


def _ago(at: datetime | None, now: datetime, unknown: str = UNKNOWN) -> str:
    return unknown if at is None else ago(at, now)


def _left(span: timedelta) -> str:
    """Days and hours, or what is left of the last day."""
    seconds = span.total_seconds()
    rest = age(seconds % _DAY_S)
    return age(seconds) if seconds < _DAY_S else f"{age(seconds)} {rest if rest.endswith('h') else '0h'}"


def _chains(expiries: Mapping[str, Mapping[str, float | None]]) -> str:
    """Per underlying how old the nearest expiry is, and the oldest of all; while loading, how far that got."""
    return "; ".join(f"{name} {_chain(ages)}" for name, ages in expiries.items() if ages)[:_LONGEST] or "none"


def _chain(ages: Mapping[str, float | None]) -> str:
    known = {expiry: age_s for expiry, age_s in ages.items() if age_s is not None}
    if len(known) < len(ages):
        return f"{len(known)} of {len(ages)} expiries loaded"
    oldest = max(known, key=lambda expiry: known[expiry])
    nearest = f"{age(next(iter(known.values())))} nearest"
    return nearest if len(known) == 1 else f"{nearest}, {age(known[oldest])} oldest of {len(known)} ({oldest})"


def _of_many(symbols: Mapping[str, object]) -> str:
    return f" of {len(symbols):,} symbols" if len(symbols) > _MOST_SYMBOLS else ""


def _ages(ages: Mapping[str, float | None]) -> str:
    shown = [f"{name} {UNKNOWN if seconds is None else age(seconds)}" for name, seconds in ages.items()]
    return listed(shown, _MOST_SYMBOLS) or "none"


def recorder_text(status: RecorderStatus | None, now: datetime) -> str:
    """State, place, what was written and what was missed; empty where nothing is to be recorded."""
    if status is None:
        return ""
    ticks = f", {status.ticks} ticks" if status.with_ticks else ""
    lost = f" ({status.lost} entries known to be lost)" if status.lost else ""
    parts = (
        f"{status.snapshots} snapshots{ticks}, {counted(status.gaps, 'gap')}{lost}",
        f"{status.written_bytes / _MEGABYTE:.1f} MB written, {status.total_bytes / _MEGABYTE:.1f} MB kept",
        f"last write {_ago(status.last_write_at, now, 'never')}",
    )
    lines = [f"**Recorder: {status.state}** · {status.path[:_LONGEST]}", " · ".join(parts)]
    if status.last_error is not None:
        lines.append(f"Last error: {status.last_error[:_LONGEST]}")
    return "\n".join(lines)


def history_text(status: HistoryStatus | None, now: datetime) -> str:
    """State and place, what waits in the journal, what is closed; empty where no history is kept."""
    if status is None:
        return ""
    lost = f" ({status.lost} known to be lost)" if status.lost else ""
    journal = f"journal of {counted(status.journal_days, 'day')}, {status.journal_bytes / _MEGABYTE:.1f} MB"
    parts = (
        f"{status.snapshots} snapshots, {counted(status.gaps, 'gap')}{lost}",
        f"{journal}, last write {_ago(status.last_write_at, now, 'never')}",
        f"{counted(status.days, 'day')} kept, the last {status.last_day or 'unknown'}",
    )
    lines = [f"**History: {status.state}** · {status.path[:_LONGEST]}", " · ".join(parts)]
    if status.last_error is not None:
        lines.append(f"Last error: {status.last_error[:_LONGEST]}")
    return "\n".join(lines)


def sources_text(sources: Iterable[SourceStatus], now: datetime) -> str:
    """One line a source: state, tickers, what came and how old its quotes are; then its last error."""
    lines: list[str] = []
    for source in sources:
        tickers = ", ".join(source.tickers) or "no ticker"
        lines.append(f"**Source {source.name}: {STATE_WORDS.get(source.state, source.state)}** · {tickers}")
        lines.append(_counts(source, now))
        if source.last_error is not None:
            lines.append(f"Last error: {source.last_error[:_LONGEST_ERROR]}")
    return "\n".join(lines)


def join_texts(first: str, second: str) -> str:
    """Both within one message; the second keeps its room, the first loses its end."""
    if not second:
        return first[:MESSAGE_CHARS]
    second = second[: MESSAGE_CHARS // 2]
    return f"{first[: MESSAGE_CHARS - len(second) - 1]}\n{second}"


def _counts(source: SourceStatus, now: datetime) -> str:
    parts = [f"{source.snapshots} snapshots, {source.rejected} rejected, {source.errors} errors"]
    if source.last_snapshot_at is not None:
        parts.append(f"last {ago(source.last_snapshot_at, now)}")
    if source.quote_at is not None:
        parts.append(f"quotes {age((now - source.quote_at).total_seconds())} old")
    return " · ".join(parts)
