"""One secret that several machines read and one at a time replaces: a sealed text in Redis, with a turn and an epoch.

All of it is one hash, so that it lies in one slot of a cluster. Time is the server's, whatever the clocks of the
machines say. Who has the turn is told by an epoch: a holder whose turn ran out, because it was paused or cut off,
replaces nothing any more.
"""

from dataclasses import dataclass
from typing import Any, Final

from redis.asyncio import Redis

from streaming.bus.redis_connection import answering

_TIME: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
_TAKE: Final = f"""{_TIME}
local held = redis.call('HMGET', KEYS[1], 'holder', 'until', 'epoch')
if held[1] and held[1] ~= ARGV[1] and tonumber(held[2]) > now then return 0 end
local epoch = string.format('%.0f', math.max(now, (tonumber(held[3]) or 0) + 1))
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'until', string.format('%.0f', now + ARGV[2]), 'epoch', epoch)
return tonumber(epoch)
"""
"""ARGV holder, ms. The epoch of the turn, or 0 while another holder has it. The server's time is its lower bound, so
that a server whose data was lost does not give an old epoch again."""
_GIVE_BACK: Final = """
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
return redis.call('HDEL', KEYS[1], 'holder', 'until')
"""
_REPLACE: Final = f"""{_TIME}
local held = redis.call('HMGET', KEYS[1], 'epoch', 'version')
if held[1] ~= ARGV[1] then return 0 end
local version = string.format('%.0f', math.max(now, (tonumber(held[2]) or 0) + 1))
redis.call('HSET', KEYS[1], 'version', version)
if ARGV[2] == '' then redis.call('HDEL', KEYS[1], 'sealed', 'kept_ms')
else redis.call('HSET', KEYS[1], 'sealed', ARGV[2], 'kept_ms', string.format('%.0f', now)) end
return tonumber(version)
"""
"""ARGV the epoch of the turn, the sealed text or nothing. The new version, or 0 when the turn is another's."""
_LOOK: Final = f"""{_TIME}
local found = redis.call('HMGET', KEYS[1], 'version', 'sealed', 'kept_ms')
return {{found[1] or '0', found[2] or '', found[3] or '0', string.format('%.0f', now)}}
"""


_EXCHANGE: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local left = math.max(redis.call('PTTL', KEYS[1]), 1)
redis.call('SET', KEYS[1], ARGV[2], 'PX', string.format('%.0f', left))
return 1
"""
"""ARGV what was seen, what takes its place and expires as that would have."""


@dataclass(frozen=True, slots=True)
class SecretLook:
    """One look at what is kept."""

    version: int
    """Another one after every change; 0 before the first."""
    sealed: bytes
    """Empty when nothing is kept."""
    kept_ms: int
    """When it was kept, by the server's clock."""
    now_ms: int
    """What the server's clock says now."""


class SharedSecret:
    """The secret under one key; every method raises TransientError while Redis does not answer."""

    def __init__(self, redis: Redis, key: str, *, about: str) -> None:
        self._key = key
        self._about = about
        self._take, self._give_back = redis.register_script(_TAKE), redis.register_script(_GIVE_BACK)
        self._replace, self._look = redis.register_script(_REPLACE), redis.register_script(_LOOK)

    async def take(self, holder: str, ttl_ms: int) -> int:
        """The epoch of a turn that lasts `ttl_ms`, or 0 while another holder has it."""
        async with answering(f"waiting for the turn to change {self._about}"):
            return int(await self._take(keys=[self._key], args=[holder, ttl_ms]))

    async def give_back(self, epoch: int) -> None:
        """End the turn early, if it is that one still."""
        async with answering(f"giving the turn to change {self._about} back"):
            await self._give_back(keys=[self._key], args=[epoch])

    async def replace(self, epoch: int, sealed: bytes) -> int:
        """Keep this instead, or nothing for no bytes; the new version, or 0 when the turn has gone to another."""
        async with answering(f"storing {self._about}"):
            return int(await self._replace(keys=[self._key], args=[epoch, sealed]))

    async def look(self) -> SecretLook:
        """What is kept now."""
        async with answering(f"reading {self._about}"):
            found: list[Any] = await self._look(keys=[self._key], args=[])
        version, sealed, kept_ms, now_ms = found
        return SecretLook(int(version), bytes(sealed), int(kept_ms), int(now_ms))


class PassingSecret:
    """A sealed text that expires, and that one at a time exchanges; TransientError while Redis does not answer."""

    def __init__(self, redis: Redis, key: str, *, about: str) -> None:
        self._redis = redis
        self._key = key
        self._about = about
        self._exchange = redis.register_script(_EXCHANGE)

    async def put(self, sealed: bytes, ttl_ms: int) -> None:
        """Keep this for so long, whatever was there."""
        async with answering(f"storing {self._about}"):
            await self._redis.set(self._key, sealed, px=ttl_ms)

    async def look(self) -> bytes:
        """What is kept; empty when nothing is."""
        async with answering(f"reading {self._about}"):
            found = await self._redis.get(self._key)
        return found if isinstance(found, bytes) else b""

    async def exchange(self, seen: bytes, sealed: bytes) -> bool:
        """Keep this in place of what was seen, no longer than that; False when something else is there by now."""
        async with answering(f"storing {self._about}"):
            return bool(await self._exchange(keys=[self._key], args=[seen, sealed]))
