"""One batch of events to Redis: once into the streams, even when a connection breaks in the middle.

After a break nobody knows which of the unanswered commands were executed. Events are written to their
streams in order, so the tail of each stream tells: what is there is done, the rest is sent again.

Where servers have copies that take over, each batch ends with a `WAIT`, and what no copy confirmed is held: when
another server has taken over, its streams tell in the same way what got lost with the old one.
"""

import asyncio
import logging
import socket
from asyncio import StreamReader, StreamWriter
from asyncio.trsock import TransportSocket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import hiredis
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from streaming.bus import keys
from streaming.bus.cluster import doubt, is_cluster, is_replicated, pool_of
from streaming.bus.events import KINDS, EventKind
from streaming.bus.lease import COPY_FENCE, FENCE, LOST, Fence, LeaseLostError
from streaming.bus.publish.batch import BatchPacker, Settlement, pack
from streaming.bus.publish.batch_script import ScriptPacker
from streaming.bus.publish.buffer import Entry
from streaming.bus.publish.held import HeldEvents, arrived
from streaming.bus.replicas import CONNECT_S, COPIES, AcknowledgedConnection, CopyWatch, followers_in
from streaming.errors import TransientError
from streaming.process.trouble import LastingTrouble

log = logging.getLogger(__name__)
_READ_BYTES: Final = 1 << 16
_SEND_BYTES: Final = 1 << 20
_MORE: Final = object()
HELD_EVENTS: Final = 20_000
HELD_BYTES: Final = 16 << 20
_LEAST_WAIT_MS: Final = 5
_MOST_WAIT_MS: Final = 100
"""How long a batch waits for a copy: events stand in line meanwhile, and a later question is about it, too."""
_RAISE_COPY: Final = f"{COPY_FENCE} return 1".encode()
_MARK_MS: Final = b"60000"


def widen(own: socket.socket | TransportSocket) -> None:
    """Let a socket of the file system take a batch at once, as far as the kernel allows; TCP does so by itself.

    In pieces it costs the process a third more.
    """
    if own.family == socket.AF_UNIX:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BYTES)


class BatchConnection:
    """A connection of its own beside the pool of `redis`, opened by `open`."""

    def __init__(self, connection: AbstractConnection, stream: StreamReader, writer: StreamWriter) -> None:
        self._connection = connection
        self._stream = stream
        self._writer = writer
        self._parser = hiredis.Reader(notEnoughData=_MORE)

    @classmethod
    async def open(cls, redis: Redis, *, within_s: float, key: str = "") -> "BatchConnection":
        """Connect to where a key is written and log in within `within_s`; TransientError when that does not succeed."""
        connection: AbstractConnection | None = None
        try:
            async with asyncio.timeout(within_s):
                connection = (await pool_of(redis, key)).make_connection()  # type: ignore[no-untyped-call]  # redis-py
                await connection.connect()
        except (RedisError, OSError, TimeoutError) as error:
            if connection is not None:
                await connection.disconnect(nowait=True)
            raise TransientError(f"Redis cannot be reached ({type(error).__name__}).") from error
        stream, writer = connection._reader, connection._writer  # noqa: SLF001  # redis-py has no public batch read
        if stream is None or writer is None:
            raise TransientError("Redis closed the connection at once.")
        if (own := writer.get_extra_info("socket")) is not None:
            widen(own)
        return cls(connection, stream, writer)

    async def exchange(self, packed: bytes, count: int, replies: list[object]) -> None:
        """Send commands and append their `count` replies, refusals as exceptions, to `replies`.

        Sets no limit of its own. After TransientError or cancellation `replies` holds what had arrived, and the
        connection is of no more use.
        """
        try:
            await self._connection.send_packed_command(packed, check_health=False)
            await self._read(count, replies)
        except (RedisError, hiredis.HiredisError, OSError) as error:
            raise TransientError(f"The connection to Redis was lost ({type(error).__name__}).") from error

    async def _read(self, count: int, replies: list[object]) -> None:
        stream, parser = self._stream, self._parser
        while len(replies) < count:
            replies.extend(iter(parser.gets, _MORE))
            if len(replies) >= count:
                break
            data = await stream.read(_READ_BYTES)
            if not data:
                raise ConnectionResetError("closed by the server")
            parser.feed(data)

    async def assure_master(self, *, within_s: float) -> None:
        """TransientError when another server has taken over, or when nobody says that none has."""
        if isinstance(self._connection, AcknowledgedConnection):
            try:
                async with asyncio.timeout(within_s):
                    await self._connection.assure_master()
            except (RedisError, OSError, TimeoutError) as error:
                raise TransientError("Another Redis server takes over.") from error

    async def close(self) -> None:
        """Drop the connection at once; never waits for a peer that does not read."""
        self._writer.transport.abort()  # a plain close would wait for unsent bytes to be taken
        with suppress(RedisError, OSError):
            await self._connection.disconnect(nowait=True)


@dataclass(frozen=True, slots=True)
class _FenceCopy:
    """A lease whose epoch is told in the slot of a stream."""

    lease: Fence
    epoch_key: str

    @property
    def epoch(self) -> int:
        return self.lease.epoch

    async def assure(self) -> None:
        await self.lease.assure()


class Budget(Protocol):
    """What bounds the streams (`StreamBudget`)."""

    @property
    def caps(self) -> Sequence[int]:
        """How many entries to keep, by kind."""
        ...

    def caps_for(self, entries: Sequence[Entry]) -> Sequence[int]:
        """The same once a batch is to be added."""
        ...


class BatchDelivery:
    """Holds the batch in flight and its connection; `pending` is empty when all of it has been settled.

    All streams of its `kinds` are on one server. In a Cluster that is one kind, and the lease may be elsewhere.
    """

    def __init__(
        self, redis: Redis, *, budget: Budget | None, answer_s: float, kinds: Sequence[EventKind] = KINDS
    ) -> None:
        """Without a `budget` events are only announced."""
        self._redis = redis
        self._kinds = kinds
        self._budget = budget
        self._caps: Sequence[int] | None = None if budget is None else budget.caps
        self._packer = BatchPacker(self._caps, kinds)
        self._check = COPY_FENCE if is_cluster(redis) else FENCE
        self._script = None if self._caps is None else ScriptPacker(self._caps, kinds=kinds)
        self._fence: Fence | None = None
        self._raised = 0
        """The epoch that was told in the slot of the streams."""
        self._held = HeldEvents(max_events=HELD_EVENTS, max_bytes=HELD_BYTES)
        self._replicated = budget is not None and is_replicated(redis)
        self._copies = CopyWatch(least_ms=_LEAST_WAIT_MS, most_ms=_MOST_WAIT_MS)
        self._answer_s = answer_s
        self._connection: BatchConnection | None = None
        self._announced: set[int] = set()
        self._executed: set[int] = set()
        """Places of what a server before this one had executed."""
        self._doubtful = False
        self._refusals = LastingTrouble(log)
        self.pending: list[Entry] = []
        self.delivered = 0
        self.rejected = 0
        self.fenced = 0
        """Withheld because another process now holds the lease."""
        self.resent = 0
        """Events published again because nobody knows whether subscribers had them already."""
        self.connects = 0
        self.unacknowledged = 0
        """Among those delivered, what no copy confirmed: beyond the bound of what is held, or of a lone server."""

    @property
    def held(self) -> int:
        """Events that are executed and that no copy has confirmed yet."""
        return len(self._held)

    @property
    def waiting(self) -> int:
        """Events that are not acknowledged."""
        return len(self.pending) + len(self._held)

    @property
    def connected(self) -> bool:
        """Whether a connection is open."""
        return self._connection is not None

    def put_up(self, fence: Fence | None) -> None:
        """From now on send only what the holder of this lease may; None for what needs none."""
        if fence is not None and is_cluster(self._redis):
            fence = _FenceCopy(fence, keys.epoch_copy(fence.epoch_key, self._kinds[0].stream))
        self._fence = fence
        if self._script is not None and self._caps is not None:
            self._script = ScriptPacker(self._caps, fence, kinds=self._kinds, check=self._check)

    def give_up(self) -> int:
        """Forget what is pending, which another process has sent by now; how many events that were."""
        given_up, self.pending, self._announced, self._doubtful = len(self.pending), [], set(), False
        self.fenced += given_up
        self._count_unacknowledged(len(self._held.take()))
        return given_up

    def _count_unacknowledged(self, events: int) -> None:
        self.delivered += events
        self.unacknowledged += events

    async def flush(self) -> None:
        """Send what is pending and take the replies.

        TransientError when some of it stays pending, LeaseLostError when nothing of it may be sent any more.
        """
        if self._fence is not None:
            await self._fence.assure()
        connection = self._connection or await self._connect()
        if self._fence is not None and self._check is COPY_FENCE and self._raised != self._fence.epoch:
            await self._shut_out_earlier_holders(connection, self._fence)
        if self._doubtful:
            await self._resolve_doubts(connection)
        if not self.pending:
            if self._held:
                await self._confirm(connection)
            return
        settlement = await self._send(connection)
        if settlement.forbidden:
            self._give_up_scripts(settlement.error)
            settlement = await self._send(connection)
        if settlement.fenced:
            raise LeaseLostError("Events were refused: another process is streaming now.")
        if settlement.again:
            raise TransientError(f"Redis refuses events for now ({settlement.error.partition(' ')[0]}).")

    async def _send(self, connection: BatchConnection) -> Settlement:
        """One exchange about what is pending: by script, or by commands where some is announced already."""
        entries, announced = self.pending, self._announced
        self._bound_streams(entries)
        replies: list[object] = []
        if self._script is not None:
            packed, count = self._script.pack(entries, announced), self._script.replies(entries)
            settle = partial(self._script.settle, entries, replies)
        else:
            packed, count = self._packer.pack(entries, announced), self._packer.replies(entries, announced)
            settle = partial(self._packer.settle, entries, announced, replies)
        if self._replicated:
            question, answers = self._question()
            packed, count = packed + question, count + answers
        try:
            await self._exchange(connection, packed, count, replies)
        finally:
            told: list[object] = []
            if self._replicated and len(replies) == count:
                told = replies[-answers:]
                del replies[-answers:]
            settlement = settle()
            self._take_over(settlement, entries)
        await self._enter_copies(connection, told)
        return settlement

    def _bound_streams(self, entries: Sequence[Entry]) -> None:
        if self._budget is None or (caps := self._budget.caps_for(entries)) == self._caps:
            return
        self._caps = caps
        self._packer.cap(caps)
        if self._script is not None:
            self._script.cap(caps)

    def _question(self) -> tuple[bytes, int]:
        """Who has a copy; once nobody had, also who follows at all. And how many replies that is."""
        question = pack(b"WAIT", b"%d" % COPIES, b"%d" % self._copies.patience_ms)
        return (question + pack(b"INFO", b"replication"), 2) if self._copies.missed else (question, 1)

    async def _enter_copies(self, connection: BatchConnection, told: Sequence[object]) -> None:
        """The replies to that, if any: a copy has confirmed all that is held, or none has."""
        if not told:
            return
        copies = told[0] if isinstance(told[0], int) else 0
        followers = followers_in(told[-1])
        if followers == 0:
            await connection.assure_master(within_s=self._answer_s)
        if self._copies.enter(copies, followers):
            held = len(self._held.take())
            if copies >= COPIES:
                self.delivered += held
            else:
                self._count_unacknowledged(held)

    async def _confirm(self, connection: BatchConnection) -> None:
        """Ask for copies of what is held, behind a write of this connection, since only such are asked about."""
        mark = keys.acknowledged(self._kinds[0].stream).encode()
        replies: list[object] = []
        question, answers = self._question()
        packed = pack(b"SET", mark, b"", b"PX", _MARK_MS) + question
        await self._exchange(connection, packed, 1 + answers, replies)
        await self._enter_copies(connection, replies[1:])

    async def _shut_out_earlier_holders(self, connection: BatchConnection, fence: Fence) -> None:
        """Also where nothing is to be sent just now."""
        replies: list[object] = []
        epoch = fence.epoch
        await self._exchange(
            connection, pack(b"EVAL", _RAISE_COPY, b"1", fence.epoch_key.encode(), b"%d" % epoch), 1, replies
        )
        if isinstance(replies[0], Exception):
            if str(replies[0]).startswith(LOST):
                raise LeaseLostError("Another process is streaming now.")
            raise TransientError(f"Redis refuses to be told who streams ({str(replies[0]).partition(' ')[0]}).")
        self._raised = epoch

    def _give_up_scripts(self, error: str) -> None:
        self._script = None
        log.warning(
            "Redis runs no scripts for us (%s): market events go by plain commands, which takes more processor time. To"
            " change that, allow the user in REDIS_URL the command EVAL and every market_data name, and start again.",
            error,
        )

    async def disconnect(self) -> None:
        """Drop the connection; what is pending stays."""
        doubt(self._redis)
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()

    async def _connect(self) -> BatchConnection:
        stream = self._kinds[0].stream
        self._connection = await BatchConnection.open(self._redis, within_s=CONNECT_S + self._answer_s, key=stream)
        self.connects += 1
        if self._held:
            self._doubt_held()
        return self._connection

    def _doubt_held(self) -> None:
        """Another server may have taken over, without the newest of what the one before it had executed."""
        held = self._held.take()
        self._executed = {place for place, _, _ in held}
        self._announced |= self._executed
        self.pending = held + self.pending
        self._doubtful = True

    async def _exchange(self, connection: BatchConnection, packed: bytes, count: int, replies: list[object]) -> None:
        """One exchange under the watchdog: a server that stays silent counts as lost."""
        try:
            async with asyncio.timeout(self._answer_s):
                await connection.exchange(packed, count, replies)
        except TimeoutError:
            raise TransientError(f"Redis did not answer within {self._answer_s:g} s.") from None

    def _take_over(self, settlement: Settlement, entries: Sequence[Entry]) -> None:
        if self._announced:
            settlement.announced |= self._announced & {place for place, _, _ in settlement.again}
        self.pending, self._announced = settlement.again, settlement.announced
        self._doubtful = settlement.doubtful
        if self._replicated:
            self._count_unacknowledged(self._held.add(settlement.executed(entries)))
        else:
            self.delivered += settlement.delivered
        self.rejected += settlement.rejected
        self.fenced += settlement.fenced
        if settlement.rejected:
            sentence = f"Redis refused {settlement.rejected} market events for good: {settlement.error}"
            self._refusals.add(sentence, times=settlement.rejected)

    async def _resolve_doubts(self, connection: BatchConnection) -> None:
        """Take out of `pending` what a lost batch did bring into the streams."""
        found = await self._found_in_streams(connection) if self._packer.streams else set()
        there = arrived(self.pending, self._executed, found)
        remaining = [entry for entry in self.pending if entry[0] not in there]
        if self._replicated:
            self._count_unacknowledged(self._held.add([entry for entry in self.pending if entry[0] in there]))
        else:
            self.delivered += len(self.pending) - len(remaining)
        self._announced &= {place for place, _, _ in remaining}
        self.resent += len(remaining) - len(self._announced)
        self.pending = remaining
        self._executed.clear()
        self._doubtful = False

    async def _found_in_streams(self, connection: BatchConnection) -> set[bytes]:
        found: set[bytes] = set()
        depth = b"%d" % (2 * len(self.pending))  # twice, in case a second publisher writes in between
        for kind in sorted({kind for _, kind, _ in self.pending}):
            replies: list[object] = []
            stream = self._kinds[kind].stream.encode()
            await self._exchange(connection, pack(b"XREVRANGE", stream, b"+", b"-", b"COUNT", depth), 1, replies)
            found |= _payloads(replies[0])
        return found


def _payloads(reply: object) -> set[bytes]:
    """The events in an XREVRANGE reply; TransientError when Redis refused to look."""
    if not isinstance(reply, list):
        raise TransientError(f"Redis cannot be asked what it has ({str(reply).partition(' ')[0]}).")
    return {fields[1] for _, fields in reply}
