"""Snapshots in, boards out: one listener feeds every board its newest snapshot."""

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import count
from typing import Final

import msgspec

from bot.feed.board import Board, BoardPlan
from bot.feed.channel import AssuredChannel, ChannelPort, GoneMessageError
from bot.feed.chores import Chores
from bot.feed.feed_metrics import BoardCounters, BoardStatus, FeedStatus, MetricsWriter, in_turn, metrics_mapping
from bot.feed.handover import Handover
from bot.feed.illustration import Draw, Illustration
from bot.feed.ledger import Chore, Ledger, LedgerAwayError, LedgerEntry
from bot.feed.message import LiveMessage
from bot.feed.pacer import Rank
from bot.feed.pacing import Turns, ranked
from bot.feed.part import WHOLE, FeedPart
from bot.feed.timing import backoff, woken
from bot.feed.window import Slot
from bot.feed.wording import Beside
from bot.servers.order_store import FeedOrders
from bot.servers.orders import BoardOrder, is_only_reposted
from bot.settings import BotSettings
from streaming.bus.lease import Lease, LeaseLostError
from streaming.bus.mishaps import Mishaps
from streaming.clock import Clock, epoch_ms
from streaming.errors import GexcordError, OperatorError, RequestError, TransientError
from streaming.model import GexSnapshot, ScopeName, WeightName
from streaming.ports import SnapshotReader, Tell
from streaming.process.backoff import Backoff
from streaming.process.signals import is_cancelled
from streaming.status import Loading
from streaming.symbols import Ticker, parse_ticker

_LOG: Final = logging.getLogger(__name__)
Shown = tuple[str, ScopeName | None, WeightName | None]
"""A ticker, a scope and a weight that boards show together."""
_LONGEST_WARM_UP_MIN: Final = 10.0
_METRICS_LIMIT_S: Final = 5.0
_LEASE_ANSWER_S: Final = 0.5
_RETRY_CAP_S: Final = 2.0
_DISTURBED_EVERY_S: Final = 5.0
_ORDERS_EVERY_S: Final = 2.0
_UNAWARE_S: Final = 10.0
"""A process that has lost the lease writes at most so long without knowing: what must last is said again then."""
_GONE_AGAIN: Final = 5
"""An "unknown message" may be false: only one that stays unknown is believed."""


@dataclass(slots=True)
class _Live:
    """A board that runs."""

    order: BoardOrder
    board: Board
    task: asyncio.Task[None]


class FeedRunner:
    """Runs a board for each of `orders`, which may come, change and go meanwhile, until cancelled."""

    def __init__(  # noqa: PLR0917  # the six parts a feed is made of, in reading order
        self,
        orders: FeedOrders,
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
        draw: Callable[[BoardOrder], Awaitable[Illustration]] | None = None,
        part: FeedPart = WHOLE,
        handover: Handover | None = None,
    ) -> None:
        """`draw` makes the picture that an order wants. Of all orders, those of `part` are this runner's; its ledger
        and its lease are of the same, and `handover` gives that lease to another process at the end.
        """
        self._handover = handover
        self._ends = False
        self._part = part
        self._orders = orders
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
        self._draw = draw
        self._chores = Chores(open_channel, ledger, clock)
        self._slots: dict[Shown, Slot] = {}
        self._add_slots(self._ordered)
        self._live: dict[int, _Live] = {}
        self._resting: dict[int, asyncio.Task[None]] = {}
        """Who sees to it that the message of a paused channel says so."""
        self._unsure: set[int] = set()
        """Paused channels in which another process wrote late, or may have."""
        self._sure_s = -math.inf
        """From when on no process can have lost the lease to us unawares."""
        self._settled: dict[int, BoardOrder] = {}
        """What each channel was last made, paused ones too."""
        self._ending: set[int] = set()
        """Channels in which something ends, before anything else may begin."""
        self._strays = True
        """Whether the ledger may name messages in channels that are no boards any more."""
        self._leading = False
        self._listening = False
        self._received = 0
        self._last_snapshot_at: datetime | None = None
        self._restarts = 0
        self._unusable = Mishaps("The feed")

    @property
    def _ordered(self) -> dict[int, BoardOrder]:
        """What is to be shown now, by channel."""
        return {place: order for place, order in self._orders.current.items() if self._part.has(place)}

    @property
    def leading(self) -> bool:
        """Whether its boards are this process's to write now."""
        return self._leading

    @property
    def boards(self) -> int:
        """How many it keeps."""
        return sum(place in self._settled for place in self._ordered)

    def status(self) -> FeedStatus:
        """Every board and the listener, now."""
        return FeedStatus(
            boards=tuple(self._status_of(order) for place, order in self._ordered.items() if place in self._settled),
            leading=self._leading,
            listening=self._listening,
            snapshots=self._received,
            last_snapshot_at=self._last_snapshot_at,
            restarts=self._restarts,
        )

    def _status_of(self, order: BoardOrder) -> BoardStatus:
        live = self._live.get(order.channel_id)
        if live is not None:
            return live.board.status(ticker=",".join(order.tickers), origin=order.origin)
        return BoardStatus(
            channel_id=order.channel_id,
            ticker=",".join(order.tickers),
            state="stopped",
            reason="paused by /feed pause" if order.paused else "starting",
            until=None,
            message_id=None,
            origin=order.origin,
            counters=BoardCounters(),
        )

    def place_changed(self, channel_id: int | None) -> None:
        """A channel changed, or (None) anything may have: boards that wait for a person look again at once."""
        for place, live in self._live.items():
            if channel_id in {None, place}:
                live.board.wake()
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
                    if is_cancelled():
                        raise asyncio.CancelledError from error
                    _LOG.warning("The feed stands by: %s", error.sentence)
                    await self._clock.sleep(0.0 if isinstance(error, LeaseLostError) else retry.next_s())

    async def _hold(self, retry: Backoff) -> None:
        async with nullcontext() if self._lease is None else self._lease.held(wait=True):
            retry.reset()
            self._leading = True
            self._sure_s = -math.inf if self._lease is None else self._clock.monotonic() + _UNAWARE_S
            if self._handover is not None:
                self._handover.begin_anew()
            try:
                await self._lead()
            except BaseExceptionGroup as errors:
                lost, others = errors.split(LeaseLostError)
                if lost is None or others is not None:
                    raise
                raise LeaseLostError("The feed has gone to another process.") from None
            finally:
                self._leading = False
                self._live, self._resting, self._settled, self._ending = {}, {}, {}, set()
                self._chores.leave()

    async def _lead(self) -> None:
        self._strays = True
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(), name="feed: snapshots")
            group.create_task(self._read_ledger(), name="feed: ledger")
            group.create_task(self._follow_orders(group), name="feed: orders")
            if self._write_metrics is not None:
                group.create_task(self._report(self._write_metrics), name="feed: metrics")
            self._ends = False
            try:
                await asyncio.Event().wait()
            finally:
                self._ends = True

    async def _follow_orders(self, group: asyncio.TaskGroup) -> None:
        """Begin, change and end boards as they are ordered; what another process was told is known in seconds."""
        retry = backoff(self._rng, cap_s=_RETRY_CAP_S)
        while True:
            wait_s = _ORDERS_EVERY_S
            try:
                await self._orders.look()
                retry.reset()
            except TransientError as error:
                _LOG.debug("The orders of live messages were not read: %s", error.sentence)
                wait_s = retry.next_s()
            self._orders.changed.clear()
            if self._orders.known:
                self._settle(group)
            await self._orders_changed(wait_s)

    async def _orders_changed(self, within_s: float) -> None:
        if self._orders.store is None:
            await self._orders.changed.wait()
        else:
            await woken(self._orders.changed, self._clock, within_s)

    def _settle(self, group: asyncio.TaskGroup) -> None:
        """Make the boards those that are ordered.

        In one channel the old one ends before the new one begins: what is to begin is looked at again then, and no
        other channel waits for it.
        """
        orders = self._ordered
        if orders == self._settled:
            return
        if new := self._add_slots(orders):
            group.create_task(self._warm_new(new), name="feed: what is stored")
        for channel_id in self._settled | orders:
            order = orders.get(channel_id)
            if order != self._settled.get(channel_id) and channel_id not in self._ending:
                self._change(group, channel_id, order)

    def _change(self, group: asyncio.TaskGroup, channel_id: int, order: BoardOrder | None) -> None:
        live = self._live.get(channel_id)
        if live is not None and order is not None and is_only_reposted(live.order, order):
            live.order = self._settled[channel_id] = order
            live.board.repost()
        elif order is None or live is not None or channel_id in self._resting:
            self._ending.add(channel_id)
            group.create_task(self._end(group, channel_id), name=f"feed: end of channel {channel_id}")
        else:
            self._settled[channel_id] = order
            begin = self._rest if order.paused else self._begin
            begin(group, order)

    async def _end(self, group: asyncio.TaskGroup, channel_id: int) -> None:
        """End what there is in a channel, then begin what is ordered by now; a new message that was asked for comes."""
        before = self._live.get(channel_id)
        if before is not None:
            await self._end_board(before, self._ordered.get(channel_id))
        await self._rouse(channel_id)
        self._settled.pop(channel_id, None)
        if channel_id not in self._ordered:
            self._strays = True
            await self._remove(channel_id, at_once=True)
        self._ending.discard(channel_id)
        self._settle(group)
        after = self._live.get(channel_id)
        if before is not None and after is not None and after.order.reposted_ms > before.order.reposted_ms:
            after.board.repost()

    async def _end_board(self, live: _Live, order: BoardOrder | None) -> None:
        """Only one that is paused says so on its message."""
        if order is None or not order.paused:
            live.board.hand_over()
        elif self._clock.monotonic() < self._sure_s:
            self._unsure.add(live.order.channel_id)
        live.task.cancel()
        await asyncio.wait({live.task})
        self._live.pop(live.order.channel_id, None)

    def _begin(self, group: asyncio.TaskGroup, order: BoardOrder) -> None:
        board = self._board(order)
        task = group.create_task(self._keep(board), name=f"feed: channel {order.channel_id}")
        self._live[order.channel_id] = _Live(order, board, task)

    def _rest(self, group: asyncio.TaskGroup, order: BoardOrder) -> None:
        work = self._put_to_rest(self._board(order), order.channel_id)
        self._resting[order.channel_id] = group.create_task(work, name=f"feed: rest of channel {order.channel_id}")

    async def _put_to_rest(self, board: Board, channel_id: int) -> None:
        """Until the message says that nothing updates it, or stays gone."""
        retry, gone = backoff(self._rng), 0
        while True:
            sure_in_s = self._sure_s - self._clock.monotonic()
            try:
                with ranked(Rank.GOODBYE):
                    is_new = await board.rest(again=channel_id in self._unsure, noted=sure_in_s <= 0)
            except (LeaseLostError, asyncio.CancelledError):
                raise
            except GexcordError as error:
                gone += isinstance(error, GoneMessageError)
                if gone > _GONE_AGAIN:
                    return
                _LOG.debug("The message of a paused channel does not say so yet: %s", error.sentence)
                await self._clock.sleep(retry.next_s())
            else:
                if not is_new or sure_in_s <= 0:
                    self._unsure.discard(channel_id)
                    return
                self._unsure.add(channel_id)
                await self._clock.sleep(sure_in_s)

    async def _rouse(self, channel_id: int) -> None:
        if (task := self._resting.pop(channel_id, None)) is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _warm_new(self, slots: Mapping[Shown, Slot]) -> None:
        """A new slot shows at once what is stored."""
        for (name, *_), slot in slots.items():
            try:
                await self._warm(name, slot)
            except GexcordError as error:
                _LOG.debug("What is stored of %s was not read: %s", name, error)

    def _add_slots(self, orders: Mapping[int, BoardOrder]) -> dict[Shown, Slot]:
        """Those that were not there; what nobody shows any more is let go."""
        shown = {_shown(name, order): None for order in orders.values() for name in order.tickers}
        self._slots = {key: slot for key, slot in self._slots.items() if key in shown}
        new = {key: Slot(self._settings.gex_feed_window_seconds, *key[1:]) for key in shown if key not in self._slots}
        self._slots |= new
        return new

    async def _remove(self, channel_id: int, *, at_once: bool = False) -> None:
        """Delete the live message of a channel that is no board any more.

        Later, with the strays, while the ledger is away; or where Discord is to be asked for it, if `at_once`.
        """
        try:
            entry = await self._ledger.load(channel_id)
            if entry is not None and not entry.closed and not (at_once and entry.nonce):
                await self._discard(channel_id, entry)
        except TransientError as error:
            self._strays = True
            _LOG.debug("The message in channel %s is removed later: %s", channel_id, error.sentence)

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
            await self._chores.load()
        for channel_id in await self._ledger.disturbed():
            self._doubt(channel_id)
        if self._strays and self._orders.known:
            await self._remove_strays()

    async def _remove_strays(self) -> None:
        """A message in a channel that is no board any more is nobody's: whoever wrote it was killed, or ended before it
        knew that the message was to be removed.
        """
        entries, self._strays = await self._ledger.known(), False
        for channel_id, entry in entries.items():
            ours = channel_id in self._orders.current or channel_id in self._live
            if not ours and not entry.closed:
                await self._remove(channel_id)

    async def _discard(self, channel_id: int, entry: LedgerEntry) -> None:
        since_ms = epoch_ms(self._clock.now())
        chores = [
            Chore(channel_id=channel_id, message_id=message_id, since_ms=since_ms)
            for message_id in {entry.message_id, await self._begun(channel_id, entry.nonce)}
            if message_id is not None
        ]
        ended = msgspec.structs.replace(entry, closed=True, nonce=None, revision=entry.revision + 1)
        await self._ledger.save(channel_id, ended, chores)
        self._chores.take(chores)

    async def _begun(self, channel_id: int, nonce: str | None) -> int | None:
        """What a post became of which nobody heard: its nonce gives that message, or makes one now."""
        if nonce is None:
            return None
        try:
            return await self._assured(channel_id).send("This live message is being removed.", nonce=nonce)
        except (OperatorError, RequestError) as error:
            _LOG.debug("Nothing can stand in channel %s: %s", channel_id, error.sentence)
            return None

    def _doubt(self, channel_id: int) -> None:
        if (live := self._live.get(channel_id)) is not None:
            _LOG.info("Another process wrote late in channel %s; its message is written anew.", channel_id)
            live.board.doubt()
        if (order := self._ordered.get(channel_id)) is not None and order.paused:
            self._unsure.add(channel_id)
            self._settled.pop(channel_id, None)
            self._orders.changed.set()

    def _board(self, order: BoardOrder) -> Board:
        channel_id, (ticker, *beside) = order.channel_id, order.instruments
        settings, refresh = self._settings, order.refresh_minutes
        return Board(
            channel_id,
            ticker,
            slot=self._slots[_shown(ticker.name, order)],
            message=LiveMessage(channel_id, self._assured(channel_id), self._ledger, self._chores, self._clock),
            plan=BoardPlan(
                update_s=settings.gex_feed_update_seconds,
                refresh_minutes=settings.gex_feed_refresh_minutes if refresh is None else refresh,
                window_s=settings.gex_feed_window_seconds,
                force=settings.gex_feed_force_window,
                style=order.style or settings.gex_feed_style,
                digits=settings.gex_feed_digits,
                shows_age=settings.gex_feed_age,
                source=settings.source_of(ticker.name),
                loading=partial(self._loading, ticker),
                beside=[self._beside(one, order) for one in beside],
                draw=self._drawn(order),
            ),
            clock=self._clock,
            rng=self._rng,
            tell=self._tell,
            still_ours=self._still_ours,
            turns=self._turns,
        )

    def _drawn(self, order: BoardOrder) -> Draw | None:
        wanted = order.picture not in {None, "none"}
        return partial(self._draw, order) if wanted and self._draw is not None else None

    def _beside(self, ticker: Ticker, order: BoardOrder) -> Beside:
        return Beside(
            ticker=ticker,
            slot=self._slots[_shown(ticker.name, order)],
            source=self._settings.source_of(ticker.name),
            loading=partial(self._loading, ticker),
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
        """Whether nobody took the lease; without an answer of Redis nobody can have.

        At the end of the whole feed a process that stands by is given it.
        """
        if self._lease is None:
            return True
        if self._ends and self._handover is not None and await self._handover.given(self._are_leaving):
            return False
        try:
            async with asyncio.timeout(_LEASE_ANSWER_S):
                return await self._lease.renew()
        except (GexcordError, TimeoutError):
            return True

    def _are_leaving(self) -> bool:
        """Whether no board is in the middle of a call any more."""
        return all(live.task.done() or live.board.status().state == "stopped" for live in self._live.values())

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
        for (name, *_), slot in list(self._slots.items()):
            if slot.latest is None:
                await self._warm(name, slot)

    async def _warm(self, name: str, slot: Slot) -> None:
        minutes = min(self._settings.gex_feed_window_seconds * 1.5 / 60, _LONGEST_WARM_UP_MIN)
        for snapshot in await self._snapshots.history(name, minutes=minutes):
            slot.put(snapshot)
        latest = await self._snapshots.latest(name)
        if latest is not None and (slot.latest is None or latest.asof_ms >= slot.latest.asof_ms):
            slot.put(latest)
        slot.warmed()

    def _take(self, snapshot: GexSnapshot) -> None:
        names = {snapshot.ticker, _canonical(snapshot.ticker)}
        slots = [slot for (name, *_), slot in self._slots.items() if name in names]
        if slots:
            with self._unusable.skipping(snapshot):
                for slot in slots:
                    slot.put(snapshot)
            self._received += 1
            self._last_snapshot_at = self._clock.now()

    async def _report(self, write: MetricsWriter) -> None:
        """Keep the telemetry hash current, once a second at most; telemetry never disturbs the feed.

        The totals each time, and of so many boards as are written in a moment each in its turn.
        """
        for turn in count():
            status = self.status()
            try:
                async with asyncio.timeout(_METRICS_LIMIT_S):
                    await write(metrics_mapping(status, self._clock.now(), boards=in_turn(status.boards, turn)))
            except (GexcordError, TimeoutError) as error:
                _LOG.debug("Feed metrics were not written: %s", error)
            await self._clock.sleep(1.0)


def _shown(ticker: str, order: BoardOrder) -> Shown:
    return ticker, order.scope, order.one_weight


def _canonical(ticker: str) -> str:
    try:
        return parse_ticker(ticker).name
    except RequestError:
        return ticker


def _tell_nobody(sentence: str) -> None:
    _LOG.debug("No operator to tell: %s", sentence)
