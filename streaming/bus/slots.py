"""The newest snapshot of each ticker on its way to a reader that may be slow."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from streaming.model import GexSnapshot

MAX_TICKERS: Final = 256


class SnapshotSlots(AsyncIterator[GexSnapshot]):
    """One slot per ticker, read in the order in which slots were filled; a newer snapshot replaces an unread one.

    Holds at most `MAX_TICKERS` tickers, so that no producer can make it grow; further ones are counted.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, GexSnapshot] = {}
        self._wake = asyncio.Event()
        self._ended: asyncio.Task[None] | None = None
        self.seen: dict[str, tuple[int, int]] = {}
        """(asof_ms, seq) of the last snapshot offered, by ticker."""
        self.replaced = 0
        self.refused = 0

    def offer(self, snapshot: GexSnapshot) -> None:
        """Fill the ticker's slot."""
        ticker = snapshot.ticker
        if ticker not in self.seen and len(self.seen) >= MAX_TICKERS:
            self.refused += 1
            return
        self.seen[ticker] = (snapshot.asof_ms, snapshot.seq)
        self.replaced += ticker in self._waiting
        self._waiting[ticker] = snapshot
        self._wake.set()

    def end(self, task: asyncio.Task[None]) -> None:
        """The task that fills the slots has ended: readers learn why."""
        self._ended = task
        self._wake.set()

    async def __anext__(self) -> GexSnapshot:
        while not self._waiting:
            if self._ended is not None:
                if not self._ended.cancelled():
                    self._ended.result()
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.pop(next(iter(self._waiting)))
