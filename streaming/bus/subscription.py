"""The messages of one channel for as long as somebody reads them, through restarts of Redis."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from streaming.bus.replicas import CONNECT_S
from streaming.process.backoff import Backoff

log = logging.getLogger(__name__)

PROBE_S: Final = 5.0
"""After this much silence the server is asked for a sign of life, and given as long again to show it."""


async def _nothing() -> None:
    return


async def messages(
    redis: Redis,
    channel: str,
    *,
    on_subscribed: Callable[[], Awaitable[None]] = _nothing,
    rng: random.Random | None = None,
    probe_s: float = PROBE_S,
) -> AsyncGenerator[bytes]:
    """Payloads published on `channel` from now on; subscribes again, with backoff, when the connection ends.

    `on_subscribed` runs after every subscription, so that the caller can make up for a gap. Messages published
    during a gap are not repeated: pub/sub keeps nothing.
    """
    backoff = Backoff(rng or random.Random())
    away = False
    while True:
        try:
            async with redis.pubsub() as pubsub, aclosing(_once(pubsub, channel, on_subscribed, probe_s)) as payloads:
                async for payload in payloads:
                    backoff.reset()
                    away = False
                    yield payload
        except (RedisError, OSError, TimeoutError) as error:
            if not away:
                log.warning("Redis lost us as a reader of %s (%s): subscribing again.", channel, type(error).__name__)
            away = True
            await asyncio.sleep(backoff.next_s())


async def _once(
    pubsub: PubSub, channel: str, on_subscribed: Callable[[], Awaitable[None]], probe_s: float
) -> AsyncGenerator[bytes]:
    async with asyncio.timeout(CONNECT_S + probe_s):
        await pubsub.subscribe(channel)
    probed = False
    while True:
        message = await pubsub.get_message(timeout=probe_s)
        if message is None:
            if probed:
                raise TimeoutError
            async with asyncio.timeout(probe_s):
                await pubsub.ping()
            probed = True
            continue
        probed = False
        if message["type"] == "subscribe":
            await on_subscribed()
        elif message["type"] == "message":
            yield message["data"]
