"""Snapshots in, boards out: one listener feeds every board its newest snapshot."""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime
from typing import Final, Protocol

from bot.feed.board import Board, BoardPlan, Notify
from bot.feed.channel import ChannelPort
from bot.feed.ledger import Ledger
from bot.feed.message import LiveMessage
from bot.feed.metrics import FeedStatus, MetricsWriter, metrics_mapping
from bot.feed.retry import Retry
from bot.feed.window import Slot
from bot.settings import BotSettings
from streaming.bus.mishaps import Mishaps
from streaming.clock import Clock
from streaming.errors import GexcordError, RequestError, TransientError
from streaming.model import GexSnapshot
from streaming.ports import SnapshotReader
from streaming.symbols import Ticker, parse_ticker

_LOG: Final = logging.getLogger(__name__)
_MOST_CALLS_PER_S: Final = 40.0
"""Below Discord's 50 a second for one bot, with room for replies and replacements."""
_LONGEST_WARM_UP_MIN: Final = 10.0
_METRICS_LIMIT_S: Final = 5.0
_LEASE_ANSWER_S: Final = 0.5


class LeasePort(Protocol):
    """The right to write the boards, held by one process at a time (`streaming.bus.lease.Lease`)."""

    def held(self, *, wait: bool = False) -> AbstractAsyncContextManager[None]:
        """Stand by until it is ours, and keep it while inside."""
        ...

    async def renew(self) -> bool:
        """Hold it further; False when somebody else has it."""
        ...


class FeedRunner:
    """Runs the boards of `boards` (channel id to ticker) until cancelled."""

    def __init__(  # noqa: PLR0917  # the six parts a feed is made of, in reading order
        self,
        boards: Mapping[int, Ticker],
        snapshots: SnapshotReader,
        open_channel: Callable[[int], ChannelPort],
        ledger: Ledger,
        settings: BotSettings,
        clock: Clock,
        *,
        rng: random.Random | None = None,
        notify: Notify | None = None,
        write_metrics: MetricsWriter | None = None,
        lease: LeasePort | None = None,
    ) -> None:
        self._boards = dict(boards)
        self._snapshots = snapshots
        self._open_channel = open_channel
        self._ledger = ledger
        self._settings = settings
        self._clock = clock
        self._rng = rng or random.Random()
        self._notify = notify or _tell_nobody
        self._write_metrics = write_metrics
        self._lease = lease
        names = {ticker.name for ticker in boards.values()}
        self._slots = {name: Slot(settings.gex_feed_window_seconds) for name in names}
        self._live: tuple[Board, ...] = ()
        self._leading = False
        self._listening = False
        self._received = 0
        self._last_snapshot_at: datetime | None = None
        self._restarts = 0
        self._unusable = Mishaps("The feed")

    def status(self) -> FeedStatus:
        """Every board and the listener, now."""
        return FeedStatus(
            boards=tuple(board.status() for board in self._live),
            leading=self._leading,
            listening=self._listening,
            snapshots=self._received,
            last_snapshot_at=self._last_snapshot_at,
            restarts=self._restarts,
        )

    async def run(self) -> None:
        """Hold the lease (if there is one) and keep every board writing; returns only by cancellation."""
        async with nullcontext() if self._lease is None else self._lease.held(wait=True):
            self._leading = True
            self._live = tuple(self._board(position) for position in range(len(self._boards)))
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._listen(), name="feed: snapshots")
                    for board in self._live:
                        group.create_task(self._keep(board), name=f"feed: channel {board.status().channel_id}")
                    if self._write_metrics is not None:
                        group.create_task(self._report(self._write_metrics), name="feed: metrics")
            finally:
                self._leading = False

    def _board(self, position: int) -> Board:
        channel_id, ticker = list(self._boards.items())[position]
        settings = self._settings
        update_s = max(settings.gex_feed_update_seconds, len(self._boards) / _MOST_CALLS_PER_S)
        return Board(
            channel_id,
            ticker,
            slot=self._slots[ticker.name],
            message=LiveMessage(channel_id, self._open_channel(channel_id), self._ledger),
            plan=BoardPlan(
                update_s=update_s,
                refresh_minutes=settings.gex_feed_refresh_minutes,
                window_s=settings.gex_feed_window_seconds,
                force=settings.gex_feed_force_window,
                style=settings.gex_feed_style,
                source=settings.source_of(ticker.name),
                phase_s=update_s * position / len(self._boards),
            ),
            clock=self._clock,
            rng=self._rng,
            notify=self._notify,
            still_ours=self._still_ours,
        )

    async def _still_ours(self) -> bool:
        """Whether nobody took the lease; without an answer of Redis nobody can have."""
        if self._lease is None:
            return True
        try:
            async with asyncio.timeout(_LEASE_ANSWER_S):
                return await self._lease.renew()
        except (GexcordError, TimeoutError):
            return True

    async def _keep(self, board: Board) -> None:
        """Run one board; a bug in it is logged with its traceback and must not take the others down."""
        retry = Retry(self._rng)
        while True:
            try:
                await board.run()
            except Exception:  # noqa: BLE001  # one board's bug is logged and must not end the others
                self._restarts += 1
                _LOG.exception("The board of channel %s failed; it starts again.", board.status().channel_id)
            await self._clock.sleep(retry.delay_s())

    async def _listen(self) -> None:
        """Receive snapshots for ever; a source that is away is tried again, and is not the boards' trouble."""
        retry = Retry(self._rng)
        while True:
            received = self._received
            try:
                async with self._snapshots.listen() as stream:
                    await self._warm_up()
                    self._listening = True
                    async for snapshot in stream:
                        self._take(snapshot)
                raise TransientError("The stream of snapshots ended.")
            except GexcordError as error:
                self._listening = False
                self._restarts += 1
                if self._received > received:
                    retry.succeeded()
                _LOG.warning("The feed receives no snapshots: %s", error.sentence)
                await self._clock.sleep(retry.delay_s())

    async def _warm_up(self) -> None:
        """Fill empty slots with what is already stored, so that a restart shows figures and changes at once."""
        minutes = min(self._settings.gex_feed_window_seconds * 1.5 / 60, _LONGEST_WARM_UP_MIN)
        for name, slot in self._slots.items():
            if slot.latest is not None:
                continue
            for snapshot in await self._snapshots.history(name, minutes=minutes):
                slot.put(snapshot)
            latest = await self._snapshots.latest(name)
            if latest is not None and (slot.latest is None or latest.asof_ms >= slot.latest.asof_ms):
                slot.put(latest)

    def _take(self, snapshot: GexSnapshot) -> None:
        slot = self._slots.get(snapshot.ticker) or self._slots.get(_canonical(snapshot.ticker))
        if slot is not None:
            with self._unusable.skipping(snapshot):
                slot.put(snapshot)
            self._received += 1
            self._last_snapshot_at = self._clock.now()

    async def _report(self, write: MetricsWriter) -> None:
        """Keep the telemetry hash current, once a second at most; telemetry never disturbs the feed."""
        while True:
            try:
                async with asyncio.timeout(_METRICS_LIMIT_S):
                    await write(metrics_mapping(self.status(), self._clock.now()))
            except (GexcordError, TimeoutError) as error:
                _LOG.debug("Feed metrics were not written: %s", error)
            await self._clock.sleep(1.0)


def _canonical(ticker: str) -> str:
    try:
        return parse_ticker(ticker).name
    except RequestError:
        return ticker


async def _tell_nobody(sentence: str) -> None:
    _LOG.debug("No operator to tell: %s", sentence)
