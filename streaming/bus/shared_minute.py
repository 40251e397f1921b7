"""The requests of the last minute, counted together by all processes on one Redis."""

from typing import Final

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.cluster import placed
from streaming.bus.redis_connection import answering

_WITHIN_S: Final = 1.0
_WINDOW_MS: Final = 60_500
"""Half a second more than a minute: a request reaches the other side a little later than it was granted."""

_CLAIM: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local oldest = redis.call('LINDEX', KEYS[1], 0)
while oldest and tonumber(oldest) <= now - ARGV[2] do
  redis.call('LPOP', KEYS[1])
  oldest = redis.call('LINDEX', KEYS[1], 0)
end
local used = redis.call('LLEN', KEYS[1])
local pause = redis.call('PTTL', KEYS[2])
if pause > 0 then return {pause, used} end
if used >= tonumber(ARGV[1]) then return {oldest + ARGV[2] - now, used} end
redis.call('RPUSH', KEYS[1], now)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {0, used + 1}
"""
_PAUSE: Final = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], '1', 'PX', ARGV[1]) end
return 1
"""


class SharedMinute:
    """At most so many requests in any 60 seconds of Redis's own clock, whichever process makes them.

    The methods raise TransientError when Redis does not answer.
    """

    def __init__(self, redis: Redis, *, key: str = keys.REQUESTS) -> None:
        self._keys = [key, placed(redis, f"{key}:pause")]
        self._claim = redis.register_script(_CLAIM)
        self._pause = redis.register_script(_PAUSE)

    async def claim(self, per_minute: int) -> tuple[float, int]:
        """(0, requests of the last minute, ours included) when one was granted, else (seconds to wait, requests)."""
        async with answering("asking for a place in the request budget", within_s=_WITHIN_S):
            wait_ms, used = await self._claim(keys=self._keys, args=[per_minute, _WINDOW_MS])
        return int(wait_ms) / 1000.0, int(used)

    async def pause(self, seconds: float) -> None:
        """No process gets a place before this is over."""
        async with answering("pausing the request budget", within_s=_WITHIN_S):
            await self._pause(keys=self._keys[1:], args=[max(int(seconds * 1000), 1)])
