"""What arrives on a channel: `python -m streaming tail CHANNEL [--count N]`."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from redis.asyncio import Redis

from streaming.bus.subscription import messages


async def tail(redis: Redis, channel: str, *, count: int | None = None) -> AsyncGenerator[bytes]:
    """Messages of `channel` as they are; endless, or `count` of them."""
    left = count
    if left is not None and left <= 0:
        return
    async with aclosing(messages(redis, channel)) as payloads:
        async for payload in payloads:
            yield payload
            if left is not None:
                left -= 1
                if left == 0:
                    return
