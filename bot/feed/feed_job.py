"""Snapshots in, boards out: one listener feeds every board its newest snapshot."""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from datetime import datetime
from functools import partial
from typing import Final

import msgspec

from bot.feed.board import Board, BoardPlan
from bot.feed.channel import AssuredChannel, ChannelPort
from bot.feed.chores import Chores
from bot.feed.feed_metrics import FeedStatus, MetricsWriter, metrics_mapping
from bot.feed.ledger import Chore, Ledger, LedgerAwayError
from bot.feed.message import LiveMessage
from bot.feed.pacing import Turns
from bot.feed.timing import backoff
from bot.feed.window import Slot
from bot.settings import BotSettings
from streaming.bus.lease import Lease, LeaseLostError
from streaming.bus.mishaps import Mishaps
from streaming.clock import Clock, epoch_ms
from streaming.errors import GexcordError, RequestError, TransientError
from streaming.model import GexSnapshot
from streaming.ports import SnapshotReader, Tell
from streaming.process.backoff import Backoff
from streaming.status import Loading
from streaming.symbols import Ticker, parse_ticker

_LOG: Final = logging.getLogger(__name__)
_LONGEST_WARM_UP_MIN: Final = 10.0
_METRICS_LIMIT_S: Final = 5.0
_LEASE_ANSWER_S: Final = 0.5
_RETRY_CAP_S: Final = 10.0
_DISTURBED_EVERY_S: Final = 5.0


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
        tell: Tell | None = None,
        write_metrics: MetricsWriter | None = None,
        lease: Lease | None = None,
        loading: Callable[[Ticker], Loading | None] = lambda _: None,
        turns: Turns | None = None,
    ) -> None:
        self._boards = dict(boards)
        self._snapshots = snapshots
        self._open_channel = open_channel
        self._ledger = ledger
        self._settings = settings
        self._clock = clock
        self._rng = rng or random.Random()
        self._tell = tell or _tell_nobody
        self._write_metrics = write_metrics
        self._lease = lease
        self._loading = loading
        self._turns = turns
        self._chores = Chores(open_channel, ledger, clock)
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

    def place_changed(self, channel_id: int | None) -> None:
        """A channel changed, or (None) anything may have: boards that wait for a person look again at once."""
        for board in self._live:
            if channel_id in {None, board.status().channel_id}:
                board.wake()
        self._chores.hurry(channel_id)

    async def run(self) -> None:
        """Write the boards while the lease is ours, else stand by; returns only by cancellation.

        What has to be tidied up goes on meanwhile, whoever holds the lease.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._chores.run(), name="feed: chores")
            retry = backoff(self._rng, cap_s=_RETRY_CAP_S)
            while True:
                try:
                    await self._hold(retry)
                except TransientError as error:
                    _LOG.warning("The feed stands by: %s", error.sentence)
                    await self._clock.sleep(0.0 if isinstance(error, LeaseLostError) else retry.next_s())

    async def _hold(self, retry: Backoff) -> None:
        async with nullcontext() if self._lease is None else self._lease.held(wait=True):
            retry.reset()
            self._leading = True
            try:
                await self._lead()
            except BaseExceptionGroup as errors:
                lost, others = errors.split(LeaseLostError)
                if lost is None or others is not None:
                    raise
                raise LeaseLostError("The feed has gone to another process.") from None
            finally:
                self._leading = False
                self._chores.leave()

    async def _lead(self) -> None:
        self._live = tuple(self._board(position) for position in range(len(self._boards)))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(), name="feed: snapshots")
            group.create_task(self._read_ledger(), name="feed: ledger")
            for board in self._live:
                group.create_task(self._keep(board), name=f"feed: channel {board.status().channel_id}")
            if self._write_metrics is not None:
                group.create_task(self._report(self._write_metrics), name="feed: metrics")

    async def _read_ledger(self) -> None:
        """Take over what is left to be tidied, then hear of processes that wrote after they had lost the feed."""
        retry = backoff(self._rng, cap_s=_RETRY_CAP_S)
        while self._lease is not None or not self._chores.loaded:
            try:
                await self._read_ledger_once()
            except TransientError as error:
                _LOG.debug("The ledger was not read: %s", error.sentence)
                await self._clock.sleep(retry.next_s())
            else:
                retry.reset()
                await self._clock.sleep(0.0 if self._lease is None else _DISTURBED_EVERY_S)

    async def _read_ledger_once(self) -> None:
        if not self._chores.loaded:
            await self._remove_strays()
            await self._chores.load()
        for channel_id in await self._ledger.disturbed():
            self._doubt(channel_id)

    async def _remove_strays(self) -> None:
        """A live message in a channel that is no board any more is nobody's: whoever wrote it was killed."""
        for channel_id, entry in (await self._ledger.known()).items():
            if channel_id in self._boards or entry.closed or entry.stopped or entry.message_id is None:
                continue
            since_ms = epoch_ms(self._clock.now())
            chore = Chore(channel_id=channel_id, message_id=entry.message_id, since_ms=since_ms)
            ended = msgspec.structs.replace(entry, closed=True, nonce=None, revision=entry.revision + 1)
            await self._ledger.save(channel_id, ended, [chore])

    def _doubt(self, channel_id: int) -> None:
        for board in self._live:
            if board.status().channel_id == channel_id:
                _LOG.info("Another process wrote late in channel %s; its message is written anew.", channel_id)
                board.doubt()

    def _board(self, position: int) -> Board:
        channel_id, ticker = list(self._boards.items())[position]
        settings = self._settings
        return Board(
            channel_id,
            ticker,
            slot=self._slots[ticker.name],
            message=LiveMessage(channel_id, self._assured(channel_id), self._ledger, self._chores, self._clock),
            plan=BoardPlan(
                update_s=settings.gex_feed_update_seconds,
                refresh_minutes=settings.gex_feed_refresh_minutes,
                window_s=settings.gex_feed_window_seconds,
                force=settings.gex_feed_force_window,
                style=settings.gex_feed_style,
                shows_age=settings.gex_feed_age,
                source=settings.source_of(ticker.name),
                loading=partial(self._loading, ticker),
            ),
            clock=self._clock,
            rng=self._rng,
            tell=self._tell,
            still_ours=self._still_ours,
            turns=self._turns,
        )

    def _assured(self, channel_id: int) -> ChannelPort:
        channel = self._open_channel(channel_id)
        if self._lease is None:
            return channel
        return AssuredChannel(channel, self._lease.assure, partial(self._came_late, channel_id))

    async def _came_late(self, channel_id: int) -> None:
        with suppress(LedgerAwayError):
            await self._ledger.disturb(channel_id)

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
        retry = backoff(self._rng)
        while True:
            try:
                await board.run()
            except LeaseLostError:
                raise
            except Exception:  # noqa: BLE001  # one board's bug is logged and must not end the others
                self._restarts += 1
                _LOG.exception("The board of channel %s failed; it starts again.", board.status().channel_id)
            await self._clock.sleep(retry.next_s())

    async def _listen(self) -> None:
        """Receive snapshots for ever; a source that is away is tried again, and is not the boards' trouble."""
        retry = backoff(self._rng, cap_s=_RETRY_CAP_S)
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
                    retry.reset()
                _LOG.warning("The feed receives no snapshots: %s", error.sentence)
                await self._clock.sleep(retry.next_s())

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
            slot.warmed()

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


def _tell_nobody(sentence: str) -> None:
    _LOG.debug("No operator to tell: %s", sentence)
