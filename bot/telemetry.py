"""What the bot tells of itself: machines by every table of metrics and its health, everybody by a line of members."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import aiohttp
import discord
from redis.asyncio import Redis

from bot.alerts import counters
from bot.alerts.counters import AlertCounters
from bot.client import GexBot
from bot.feed import feed_metrics
from bot.feed.feed_metrics import FeedStatus
from bot.feed.schedule import decide_about
from bot.name_plates import price_and_regime
from bot.render.numbers import age
from bot.render.origin_words import live_word, origin_words
from bot.supervisor import JobState, JobStatus, Supervisor
from streaming.api import admission
from streaming.api.admission import ApiStatus
from streaming.bus.metrics_store import Metric
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.calendar import new_york
from streaming.clock import Clock
from streaming.errors import GexcordError
from streaming.freshness import Freshness, data_age_s, freshness
from streaming.history import keeper
from streaming.model import GexSnapshot
from streaming.ports import Progress
from streaming.process.heartbeat import Heartbeat
from streaming.recording import recorder
from streaming.status import HistoryStatus, RecorderStatus, SourceStatus
from streaming.streamer import source_table
from streaming.symbols import Ticker
from streaming.telemetry import level_metrics, stream_metrics
from streaming.telemetry.level_metrics import level_looks
from streaming.telemetry.server import HealthReport, Watched, process_table, redis_health
from streaming.telemetry.stream_metrics import StreamFacts

if TYPE_CHECKING:
    from streaming.telemetry.prometheus import MetricTable

log = logging.getLogger(__name__)
EVERY_S: Final = 20.0
"""Three a minute: Discord takes five."""
_READ_S: Final = 2.0
_LONGEST: Final = 128
Latest = Callable[[str], Awaitable[GexSnapshot | None]]


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
    history: Callable[[], HistoryStatus | None]
    api: Callable[[], ApiStatus | None]

    @property
    def watched(self) -> Watched:
        """What the port for machines serves."""
        return Watched(self.tables, self.health, live=lambda: self.process.heartbeat.beats)

    async def tables(self) -> Sequence["MetricTable"]:
        """Everything that is known now."""
        from streaming.telemetry.prometheus import MetricTable, one

        feed = self.feed()
        boards = tuple(((str(board.channel_id), board.ticker), board) for board in feed.boards)
        sources = tuple(((source.name,), source) for source in self.sources())
        jobs = tuple(((job.name,), job) for job in self.supervisor.status())
        levels = await level_looks(self.process.snapshots.latest, self.tickers, self.clock)
        return (
            process_table(self.process.heartbeat),
            one("discord", METRICS, self.process),
            MetricTable("job", JOB_METRICS, jobs, labels=("name",)),
            one("feed", feed_metrics.METRICS, feed),
            MetricTable("board", feed_metrics.BOARD_METRICS, boards, labels=("channel", "ticker")),
            one("alerts", counters.METRICS, self.alerts),
            one("recorder", recorder.METRICS, self.recorder()),
            one("history", keeper.METRICS, self.history()),
            MetricTable("source", source_table.METRICS, sources, labels=("source",)),
            one("stream", stream_metrics.METRICS, self.stream()),
            MetricTable("levels", level_metrics.METRICS, levels, labels=("ticker",)),
            one("api", admission.METRICS, self.api()),
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


class Presence:
    """Keeps the line current until cancelled; nothing of it disturbs the feed."""

    def __init__(
        self, bot: discord.Client, latest: Latest, ticker: str, clock: Clock, *, force: bool, priced: bool = False
    ) -> None:
        self._bot = bot
        self._latest = latest
        self._ticker = ticker
        self._clock = clock
        self._force = force
        self._priced = priced

    async def run(self, progress: Progress) -> None:
        """Show it every 20 seconds."""
        while True:
            snapshot = await self._read()
            now = self._clock.now()
            if await self._show(presence_text(self._ticker, snapshot, now, force=self._force, priced=self._priced)):
                progress()
            await self._clock.sleep(EVERY_S)

    async def _read(self) -> GexSnapshot | None:
        try:
            async with asyncio.timeout(_READ_S):
                return await self._latest(self._ticker)
        except (GexcordError, TimeoutError) as error:
            log.debug("the presence has no figures: %s", error)
            return None

    async def _show(self, text: str) -> bool:
        """False while Discord's gateway is away."""
        if not self._bot.is_ready() or self._bot.is_closed():
            return False
        try:
            await self._bot.change_presence(activity=discord.CustomActivity(name=text))
        except (discord.ConnectionClosed, aiohttp.ClientError, OSError, AttributeError) as error:
            # discord.py has no socket between two connections, and says so by an AttributeError
            log.debug("the presence was not set (%s)", type(error).__name__)
            return False
        return True


def presence_text(
    ticker: str, snapshot: GexSnapshot | None, now: datetime, *, force: bool, priced: bool = False
) -> str:
    """`SPX live, 1s old`, `SPX closed until Mon 09:35 New York`, `SPX: no data`; made-up and replayed ones say so.

    With `priced`, `SPX 6900.25 amplified · live, 1s old`.
    """
    decision = decide_about(snapshot, now, force=force)
    if not decision.is_open and decision.until is not None:
        return f"{ticker} closed until {new_york(decision.until):%a %H:%M} New York"
    if snapshot is None:
        return f"{ticker}: no data"
    age_s = data_age_s(snapshot, now)
    found = freshness(snapshot, now)
    state = live_word(snapshot) if found is Freshness.LIVE else str(found)
    old = "" if found is Freshness.AHEAD else f", {age(max(age_s, 0.0))} old"
    origin = origin_words(snapshot)
    figures = f"{price_and_regime(snapshot, 2)} · " if priced else ""
    return f"{'' if origin is None else f'{origin} · '}{ticker} {figures}{state}{old}"[:_LONGEST]
