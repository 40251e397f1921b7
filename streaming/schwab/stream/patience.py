"""Waiting that somebody may cut short."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Patience:
    """Waits for something, or until `nudge` says that it has been long enough."""

    def __init__(self) -> None:
        self._nudged = asyncio.Event()

    def nudge(self) -> None:
        """End the wait of this moment; without one nothing happens."""
        self._nudged.set()

    async def wait(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run `work` to its end or to the nudge; raises what `work` raises."""
        self._nudged.clear()
        tasks = {
            asyncio.create_task(work, name=f"waits: {name}"),
            asyncio.create_task(self._nudged.wait(), name="nudged"),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        for task in done:
            task.result()
