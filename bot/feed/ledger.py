"""Which message is whose: the ids that let a restarted feed adopt its messages instead of doubling them."""

import asyncio
from typing import Final, Protocol

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from streaming.bus import keys
from streaming.errors import TransientError

_LIMIT_S: Final = 1.0


class LedgerAwayError(TransientError):
    """The ledger cannot be read or written just now."""


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one channel's messages. Written before and after every post, never for an edit."""

    session: str
    """ISO date in New York that the message belongs to."""
    message_id: int | None = None
    """The live message, or the day's last one."""
    nonce: str | None = None
    """A post that was begun; sent again under the same nonce it cannot make a second message."""
    superseded: tuple[int, ...] = ()
    """Older messages of the session that still have to be deleted."""
    stopped: bool = False
    """The message says that the feed stopped, under figures of that moment."""
    closed: bool = False
    """The session is over and the message says so."""


class Ledger(Protocol):
    """Remembers one entry per channel. Both methods raise LedgerAwayError while the store is away."""

    async def load(self, channel_id: int) -> LedgerEntry | None:
        """The channel's entry, or None when nothing usable is known."""
        ...

    async def save(self, channel_id: int, entry: LedgerEntry) -> None:
        """Replace the channel's entry."""
        ...


class RedisLedger:
    """`Ledger` in one Redis hash, a field per channel."""

    def __init__(self, redis: Redis, key: str = keys.FEED_LEDGER) -> None:
        self._redis = redis
        self._key = key
        self._decoder = msgspec.json.Decoder(LedgerEntry)

    async def load(self, channel_id: int) -> LedgerEntry | None:
        try:
            async with asyncio.timeout(_LIMIT_S):
                payload = await self._redis.hget(self._key, str(channel_id))
        except (RedisError, OSError, TimeoutError) as error:
            raise _away(error) from error
        if payload is None:
            return None
        try:
            return self._decoder.decode(payload)
        except msgspec.MsgspecError:
            return None

    async def save(self, channel_id: int, entry: LedgerEntry) -> None:
        try:
            async with asyncio.timeout(_LIMIT_S):
                await self._redis.hset(self._key, str(channel_id), msgspec.json.encode(entry))
        except (RedisError, OSError, TimeoutError) as error:
            raise _away(error) from error


def _away(error: Exception) -> LedgerAwayError:
    return LedgerAwayError(f"The feed's ledger in Redis does not answer ({type(error).__name__}).")
