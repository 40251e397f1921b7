"""One batch of events to Redis: once into the streams, even when a connection breaks in the middle.

After a break nobody knows which of the unanswered commands were executed. Events are written to their
streams in order, so the tail of each stream tells: what is there is done, the rest is sent again.
"""

import asyncio
import logging
import socket
from asyncio import StreamReader, StreamWriter
from asyncio.trsock import TransportSocket
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Final

import hiredis
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from streaming.bus.lease import Fence, LeaseLostError
from streaming.bus.publish.batch import STREAMS, BatchPacker, Settlement, pack
from streaming.bus.publish.batch_script import ScriptPacker
from streaming.bus.publish.buffer import Entry
from streaming.bus.publish.stream_budget import StreamBudget
from streaming.bus.redis_connection import CONNECT_S
from streaming.errors import TransientError
from streaming.process.trouble import LastingTrouble

log = logging.getLogger(__name__)
_READ_BYTES: Final = 1 << 16
_SEND_BYTES: Final = 1 << 20
_MORE: Final = object()


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
    async def open(cls, redis: Redis, *, within_s: float) -> "BatchConnection":
        """Connect and log in within `within_s`; TransientError when that does not succeed."""
        connection: AbstractConnection = redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]  # redis-py
        try:
            async with asyncio.timeout(within_s):
                await connection.connect()  # type: ignore[no-untyped-call]  # redis-py
        except (RedisError, OSError, TimeoutError) as error:
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

    async def close(self) -> None:
        """Drop the connection at once; never waits for a peer that does not read."""
        self._writer.transport.abort()  # a plain close would wait for unsent bytes to be taken
        with suppress(RedisError, OSError):
            await self._connection.disconnect(nowait=True)


class BatchDelivery:
    """Holds the batch in flight and its connection; `pending` is empty when all of it has been settled."""

    def __init__(self, redis: Redis, *, budget: StreamBudget | None, answer_s: float) -> None:
        """Without a `budget` events are only announced."""
        self._redis = redis
        self._budget = budget
        self._caps: Sequence[int] | None = None if budget is None else budget.caps
        self._packer = BatchPacker(self._caps)
        self._script = ScriptPacker(self._caps) if self._caps is not None else None
        self._fence: Fence | None = None
        self._answer_s = answer_s
        self._connection: BatchConnection | None = None
        self._announced: set[int] = set()
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

    @property
    def connected(self) -> bool:
        """Whether a connection is open."""
        return self._connection is not None

    def put_up(self, fence: Fence | None) -> None:
        """From now on send only what the holder of this lease may; None for what needs none."""
        self._fence = fence
        if self._script is not None and self._caps is not None:
            self._script = ScriptPacker(self._caps, fence)

    def give_up(self) -> int:
        """Forget what is pending, which another process has sent by now; how many events that were."""
        given_up, self.pending, self._announced, self._doubtful = len(self.pending), [], set(), False
        self.fenced += given_up
        return given_up

    async def flush(self) -> None:
        """Send what is pending and take the replies.

        TransientError when some of it stays pending, LeaseLostError when nothing of it may be sent any more.
        """
        if self._fence is not None:
            await self._fence.assure()
        connection = self._connection or await self._connect()
        if self._doubtful:
            await self._resolve_doubts(connection)
        if not self.pending:
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
        if self._script is not None and not announced:
            packed, count = self._script.pack(entries), self._script.replies(entries)
            settle = partial(self._script.settle, entries, replies)
        else:
            packed, count = self._packer.pack(entries, announced), self._packer.replies(entries, announced)
            settle = partial(self._packer.settle, entries, announced, replies)
        try:
            await self._exchange(connection, packed, count, replies)
        finally:
            settlement = settle()
            self._take_over(settlement)
        return settlement

    def _bound_streams(self, entries: Sequence[Entry]) -> None:
        if self._budget is None or (caps := self._budget.caps_for(entries)) == self._caps:
            return
        self._caps = caps
        self._packer.cap(caps)
        if self._script is not None:
            self._script.cap(caps)

    def _give_up_scripts(self, error: str) -> None:
        self._script = None
        log.warning(
            "Redis runs no scripts for us (%s): market events go by plain commands, which takes more processor time. To"
            " change that, allow the user in REDIS_URL the command EVAL and every market_data name, and start again.",
            error,
        )

    async def disconnect(self) -> None:
        """Drop the connection; what is pending stays."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()

    async def _connect(self) -> BatchConnection:
        self._connection = await BatchConnection.open(self._redis, within_s=CONNECT_S + self._answer_s)
        self.connects += 1
        return self._connection

    async def _exchange(self, connection: BatchConnection, packed: bytes, count: int, replies: list[object]) -> None:
        """One exchange under the watchdog: a server that stays silent counts as lost."""
        try:
            async with asyncio.timeout(self._answer_s):
                await connection.exchange(packed, count, replies)
        except TimeoutError:
            raise TransientError(f"Redis did not answer within {self._answer_s:g} s.") from None

    def _take_over(self, settlement: Settlement) -> None:
        self.pending, self._announced = settlement.again, settlement.announced
        self._doubtful = settlement.doubtful
        self.delivered += settlement.delivered
        self.rejected += settlement.rejected
        self.fenced += settlement.fenced
        if settlement.rejected:
            sentence = f"Redis refused {settlement.rejected} market events for good: {settlement.error}"
            self._refusals.add(sentence, times=settlement.rejected)

    async def _resolve_doubts(self, connection: BatchConnection) -> None:
        """Take out of `pending` what a lost batch did bring into the streams."""
        found = await self._found_in_streams(connection) if self._packer.streams else set()
        remaining = [entry for entry in self.pending if entry[2] not in found]
        self.delivered += len(self.pending) - len(remaining)
        self._announced &= {place for place, _, _ in remaining}
        self.resent += len(remaining) - len(self._announced)
        self.pending = remaining
        self._doubtful = False

    async def _found_in_streams(self, connection: BatchConnection) -> set[bytes]:
        found: set[bytes] = set()
        depth = b"%d" % (2 * len(self.pending))  # twice, in case a second publisher writes in between
        for kind in sorted({kind for _, kind, _ in self.pending}):
            replies: list[object] = []
            await self._exchange(connection, pack(b"XREVRANGE", STREAMS[kind], b"+", b"-", b"COUNT", depth), 1, replies)
            found |= _payloads(replies[0])
        return found


def _payloads(reply: object) -> set[bytes]:
    """The events in an XREVRANGE reply; TransientError when Redis refused to look."""
    if not isinstance(reply, list):
        raise TransientError(f"Redis cannot be asked what it has ({str(reply).partition(' ')[0]}).")
    return {fields[1] for _, fields in reply}
