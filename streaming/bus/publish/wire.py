"""One Redis connection used for whole batches: packed bytes out, all replies in.

The connection is redis-py's (its URL parsing, TLS and login), the replies are read straight from its stream
into hiredis, because its own read of one reply costs ten times the reply.
"""

import asyncio
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from typing import Final

import hiredis
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from streaming.errors import TransientError

_READ_BYTES: Final = 1 << 16
_MORE: Final = object()


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
