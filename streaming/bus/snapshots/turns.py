"""A share of the event loop: what takes half a millisecond is done once in each of its turns, however many ask."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Ten answers that arrive together are taken apart in ten turns, so that timers come in between."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Wait for a turn that nobody else has, and keep it until the loop has gone round."""
        async with self._lock:
            try:
                yield
            finally:
                await asyncio.sleep(0)
