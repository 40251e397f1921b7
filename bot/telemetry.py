"""What the bot tells machines that watch it: every table of metrics, and whether it does its work."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from redis.asyncio import Redis

from bot.alerts import counters
from bot.alerts.counters import AlertCounters
from bot.client import GexBot
from bot.feed import feed_metrics
from bot.feed.feed_metrics import FeedStatus
from bot.supervisor import JobState, JobStatus, Supervisor
from streaming.bus.metrics_store import Metric
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import Clock
from streaming.process.heartbeat import Heartbeat
from streaming.recording import recorder
from streaming.status import RecorderStatus, SourceStatus
from streaming.streamer import source_table
from streaming.symbols import Ticker
from streaming.telemetry import level_metrics, stream_metrics
from streaming.telemetry.level_metrics import level_looks
from streaming.telemetry.server import HealthReport, Watched, process_table, redis_health
from streaming.telemetry.stream_metrics import StreamFacts

if TYPE_CHECKING:
    from streaming.telemetry.prometheus import Table


@dataclass(frozen=True, slots=True)
class Process:
    """Who knows what this process tells besides its boards."""

    bot: GexBot
    heartbeat: Heartbeat
    snapshots: SnapshotStore


METRICS: Final[tuple[Metric[Process], ...]] = (
    Metric("loop_lag_ms", None, lambda it: it.heartbeat.worst_lag_ms,
           "Worst lateness of the event loop lately, milliseconds.", digits=1),
    Metric("snapshots_rejected", "snapshots_rejected_total", lambda it: it.snapshots.rejected,
           "Snapshots of any producer that were met and could not be used."),
    Metric("gateway_up", "gateway_up", lambda it: int(it.bot.gateway.is_up),
           "1 while Discord's gateway is connected, else 0."),
    Metric("gateway_aways", "gateway_aways_total", lambda it: it.bot.gateway.aways,
           "How often the gateway was away for half a minute."),
    Metric("gateway_events_unread", "gateway_events_unread_total", lambda it: it.bot.events.unread,
           "Gateway events that could not be read."),
    Metric("operators_unreachable", "operators_unreachable", lambda it: len(it.bot.mail.unreachable),
           "Operators to whom the last sentence could not be sent."),
)  # fmt: skip
"""What stands in the feed's hash besides the feed's own."""
JOB_METRICS: Final[tuple[Metric[JobStatus], ...]] = (
    Metric(None, "state", lambda it: str(it.state), "running, backoff, waiting for a person, ended, stopped or failed.",
           labels=("state",)),
    Metric(None, "restarts_total", lambda it: it.restarts, "How often the job was run again."),
    Metric(None, "bugs_total", lambda it: it.bugs, "How often it ended on a bug."),
)  # fmt: skip
"""Of each background job; only scraped."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Looks at the running parts; each is asked at the moment of a scrape."""

    process: Process
    redis: Redis
    clock: Clock
    supervisor: Supervisor
    tickers: Sequence[Ticker]
    feed: Callable[[], FeedStatus]
    stream: Callable[[], StreamFacts]
    alerts: AlertCounters
    sources: Callable[[], Sequence[SourceStatus]]
    recorder: Callable[[], RecorderStatus | None]

    @property
    def watched(self) -> Watched:
        """What the port for machines serves."""
        return Watched(self.tables, self.health, live=lambda: self.process.heartbeat.beats)

    async def tables(self) -> Sequence["Table"]:
        """Everything that is known now."""
        from streaming.telemetry.prometheus import Table, one

        feed = self.feed()
        boards = tuple(((str(board.channel_id), board.ticker), board) for board in feed.boards)
        sources = tuple(((source.name,), source) for source in self.sources())
        jobs = tuple(((job.name,), job) for job in self.supervisor.status())
        levels = await level_looks(self.process.snapshots.latest, self.tickers, self.clock)
        return (
            process_table(self.process.heartbeat),
            one("discord", METRICS, self.process),
            Table("job", JOB_METRICS, jobs, labels=("name",)),
            one("feed", feed_metrics.METRICS, feed),
            Table("board", feed_metrics.BOARD_METRICS, boards, labels=("channel", "ticker")),
            one("alerts", counters.METRICS, self.alerts),
            one("recorder", recorder.METRICS, self.recorder()),
            Table("source", source_table.METRICS, sources, labels=("source",)),
            one("stream", stream_metrics.METRICS, self.stream()),
            Table("levels", level_metrics.METRICS, levels, labels=("ticker",)),
        )

    async def health(self) -> HealthReport:
        """Ready with Discord's gateway, Redis, and no job that has failed for good."""
        failed = [job.name for job in self.supervisor.status() if job.state is JobState.FAILED]
        parts = {
            "gateway": "ok" if self.process.bot.gateway.is_up else "away",
            "redis": await redis_health(self.redis),
            "jobs": f"failed: {', '.join(failed)}" if failed else "ok",
        }
        return HealthReport(live=self.process.heartbeat.beats, parts=parts)
