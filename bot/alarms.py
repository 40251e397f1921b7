"""Alarms from where nothing may wait, on their way to the operators."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from bot.supervisor import Progress

_MOST_WAITING: Final = 50


class Alarms:
    """Takes a sentence at once and tells it in its own job; beyond fifty waiting ones the rest is only logged."""

    def __init__(self, notify: Callable[[str], Awaitable[None]]) -> None:
        self._notify = notify
        self._waiting: asyncio.Queue[str] = asyncio.Queue()

    def ring(self, sentence: str) -> None:
        """Have the operators told."""
        if self._waiting.qsize() < _MOST_WAITING:
            self._waiting.put_nowait(sentence)

    async def deliver(self, progress: Progress) -> None:
        """Tell what waits, until cancelled."""
        while True:
            await self._notify(await self._waiting.get())
            progress()
