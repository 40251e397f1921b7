"""Maps of the rest of a session in Redis, beside the snapshots they are of."""

from typing import Any, Final

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.redis_connection import answering
from streaming.day_map import DayMap, decode_map, encode_map

_TTL_S: Final = 86_400


class DayMapStore:
    """The newest map of each ticker, for a day."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def put(self, made: DayMap) -> None:
        """Store in the place of the one before; TransientError when Redis is away."""
        async with answering(f"storing the map of {made.ticker}"):
            await self._redis.set(keys.day_map(made.ticker), encode_map(made), ex=_TTL_S)

    async def get(self, ticker: str) -> DayMap | None:
        """The newest map, or None; TransientError when Redis is away, ContractError for what is no map."""
        async with answering(f"reading the map of {ticker}"):
            payload: Any = await self._redis.get(keys.day_map(ticker))
        return None if payload is None else decode_map(payload)
