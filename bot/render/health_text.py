"""How the process is, as operators read it: what is wrong first. Pure: a record in, markdown of one message out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.render.message_form import MESSAGE_CHARS, listed
from bot.render.numbers import UNKNOWN, age
from bot.render.operations import STATE_WORDS
from bot.supervisor import JobState, JobStatus
from streaming.status import SourceStatus, StreamStatus

_MOST_JOBS: Final = 8
_LONGEST: Final = 200
_WELL: Final = frozenset({JobState.RUNNING, JobState.ENDED, JobState.STOPPED})
_LATE_MS: Final = 250.0
_MARK: Final = {True: "✅", False: "❌"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthLook:
    """One look at the process and what it stands on."""

    gateway_up: bool
    latency_s: float | None
    """Between a heartbeat and Discord's answer; None before the first."""
    shards: int
    servers: int
    aways: int
    """How often the gateway was away for half a minute."""
    sessions: int
    """Opened at the gateway within the last day."""
    most_sessions: int
    """Of which Discord takes no more without resetting the token."""
    lag_ms: float
    """How late the event loop was at worst in the last minute."""
    redis: str
    """`ok`, or what is wrong."""
    redis_ms: float
    """How long it took to say so."""
    jobs: Sequence[JobStatus]
    sources: Sequence[SourceStatus]
    stream: StreamStatus
    unreachable: int = 0
    """Operators to whom the last sentence could not be sent."""


def health_text(look: HealthLook, now: datetime) -> str:
    """`/admin health`: gateway, event loop, Redis, jobs, sources, budgets."""
    lines = [_gateway(look), _loop(look), _redis(look), *_jobs(look.jobs), *_sources(look.sources, now), _budgets(look)]
    if look.unreachable:
        lines.append(f"❌ {look.unreachable} of the people I tell about trouble cannot be reached.")
    return "\n".join(lines)[:MESSAGE_CHARS]


def _gateway(look: HealthLook) -> str:
    state = "connected" if look.gateway_up else "**away**"
    latency = UNKNOWN if look.latency_s is None else f"{look.latency_s * 1000:.0f} ms"
    shards = "" if look.shards <= 1 else f" · {look.shards} shards"
    aways = f" · away {look.aways} times" if look.aways else ""
    return f"{_MARK[look.gateway_up]} Discord: {state} · answers in {latency}{shards} · servers: {look.servers}{aways}"


def _loop(look: HealthLook) -> str:
    late = look.lag_ms >= _LATE_MS
    return f"{_MARK[not late]} Event loop: at worst {look.lag_ms:.0f} ms late in the last minute"


def _redis(look: HealthLook) -> str:
    good = look.redis == "ok"
    words = f"answers in {look.redis_ms:.1f} ms" if good else f"**{look.redis}**"
    return f"{_MARK[good]} Redis: {words}"


def _jobs(jobs: Sequence[JobStatus]) -> Iterable[str]:
    counts = Counter(job.state for job in jobs)
    troubled = [job for job in jobs if job.state not in _WELL]
    states = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    yield f"{_MARK[not troubled]} Jobs: {states or 'none'}"
    for job in troubled[:_MOST_JOBS]:
        again = "" if job.retry_in_s is None else f", again in {age(job.retry_in_s)}"
        yield f"> {job.name}: **{job.state}**{again} · {(job.last_error or UNKNOWN)[:_LONGEST]}"


def _sources(sources: Sequence[SourceStatus], now: datetime) -> Iterable[str]:
    for source in sources:
        good = source.state in {"live", "standby", "waiting", "stopped"}
        words = STATE_WORDS.get(source.state, source.state)
        quoted = "" if source.quote_at is None else f" · quotes {age((now - source.quote_at).total_seconds())} old"
        tickers = listed(source.tickers, _MOST_JOBS) or "no ticker"
        error = "" if good or source.last_error is None else f" · {source.last_error[:_LONGEST]}"
        yield f"{_MARK[good]} Source {source.name}: {words} · {tickers}{quoted}{error}"


def _budgets(look: HealthLook) -> str:
    stream = look.stream
    parts = [f"{look.sessions} of {look.most_sessions} gateway sessions today"]
    if stream.requests_per_minute:
        parts.append(f"{stream.requests_used} of {stream.requests_per_minute} Schwab requests in the last minute")
    return f"Budgets: {' · '.join(parts)}"
