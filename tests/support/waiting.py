"""Waiting for something to become true, with an end."""

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], object], *, timeout_s: float = 5.0) -> None:
    """Return once `condition()` is true; TimeoutError after `timeout_s`."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.002)
