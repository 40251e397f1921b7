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
from bot.wire.crew_member import CrewMember
from streaming.status import SourceStatus, StreamStatus

_MOST_JOBS: Final = 8
_MOST_PROCESSES: Final = 8
_MOST_SHARDS: Final = 16
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
    process: CrewMember | None = None
    """This process among those of the bot."""
    others: Sequence[CrewMember] = ()


def health_text(look: HealthLook, now: datetime) -> str:
    """`/admin health`: gateway, the bot's processes, event loop, Redis, jobs, sources, budgets."""
    lines = [
        _gateway(look),
        *_processes(look),
        _loop(look),
        _redis(look),
        *_jobs(look.jobs),
        *_sources(look.sources, now),
        _budgets(look),
    ]
    if look.unreachable:
        lines.append(f"❌ {look.unreachable} of the people I tell about trouble cannot be reached.")
    return "\n".join(lines)[:MESSAGE_CHARS]


def _gateway(look: HealthLook) -> str:
    state = "connected" if look.gateway_up else "**away**"
    latency = UNKNOWN if look.latency_s is None else f"{look.latency_s * 1000:.0f} ms"
    shards = "" if look.shards <= 1 else f" · {look.shards} shards"
    aways = f" · away {look.aways} times" if look.aways else ""
    return f"{_MARK[look.gateway_up]} Discord: {state} · answers in {latency}{shards} · servers: {look.servers}{aways}"


def _processes(look: HealthLook) -> Iterable[str]:
    """Which process keeps which shards and how many live messages, where there is more than one of either."""
    own = look.process
    if own is None or (not look.others and own.shards == 1):
        return
    crew = sorted([own, *look.others], key=lambda member: (member.since_ms, member.name))
    silent = sorted(set(range(own.shards)) - {shard for member in crew for shard in member.connected})
    missing = f" · **no connection: shard {listed([str(shard) for shard in silent], _MOST_SHARDS)}**" if silent else ""
    yield f"{_MARK[not silent]} Processes of this bot: {len(crew)}{missing}"
    for member in crew[:_MOST_PROCESSES]:
        here = " (this one)" if member.name == own.name else ""
        yield f"> {member.name}{here}: {_work(member)} · {_calls(member)}"


def _work(member: CrewMember) -> str:
    shards = "" if member.shards == 1 else _shards(member)
    boards = f"writes {member.boards} live messages" if member.parts else "stands by"
    return " · ".join(part for part in (shards, boards) if part)


def _shards(member: CrewMember) -> str:
    names = [str(shard) for shard in member.connected] + [f"{shard} (waits)" for shard in member.awaited]
    return f"shards {listed(names, _MOST_SHARDS)}" if names else "no shard"


def _calls(member: CrewMember) -> str:
    waiting = f", {member.waiting} wait" if member.waiting else ""
    return f"{member.calls_per_s:.0f} of {member.rate_per_s:.0f} calls to Discord a second{waiting}"


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
    if look.process is not None and not look.others:
        parts.append(_calls(look.process))
    if stream.requests_per_minute:
        parts.append(f"{stream.requests_used} of {stream.requests_per_minute} Schwab requests in the last minute")
    return f"Budgets: {' · '.join(parts)}"
