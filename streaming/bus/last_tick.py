"""When the newest tick in Redis was received: until then the process before this one had data."""

import logging
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.redis_connection import answering
from streaming.clock import Clock, instant_of
from streaming.errors import UNREADABLE, TransientError

_LOG: Final = logging.getLogger(__name__)
_LONGEST: Final = timedelta(hours=24)
"""What was longer ago is no gap but a pause that somebody wanted."""


class _Received(msgspec.Struct):
    recv_ms: int


async def last_tick_at(redis: Redis, clock: Clock) -> datetime | None:
    """Its time, when that is less than a day ago; None too while Redis does not say."""
    try:
        async with answering("reading the newest tick"):
            entries: Any = await redis.xrevrange(keys.TICKS_STREAM, count=1)
        received_at = instant_of(msgspec.json.decode(entries[0][1][b"data"], type=_Received).recv_ms)
    except TransientError as error:
        _LOG.debug("the newest tick was not read: %s", error)
        return None
    except (IndexError, KeyError, *UNREADABLE):
        return None
    return received_at if clock.now() - received_at < _LONGEST else None
