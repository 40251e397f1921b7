"""The newest snapshot of each ticker on its way to a reader that may be slow."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Final

from streaming.model import GexSnapshot

MAX_TICKERS: Final = 256


class SnapshotSlots(AsyncIterator[GexSnapshot]):
    """One slot per ticker, read in the order in which slots were filled; a newer snapshot replaces an unread one.

    Holds at most `MAX_TICKERS` tickers, so that no producer can make it grow; beyond them whoever was silent longest
    gives way, so that none of them can be kept out either.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, GexSnapshot] = {}
        self._wake = asyncio.Event()
        self._ended: asyncio.Task[None] | None = None
        self.seen: OrderedDict[str, tuple[int, int]] = OrderedDict()
        """(asof_ms, seq) of the last snapshot offered, by ticker; who was heard last stands last."""
        self.replaced = 0
        self.refused = 0
        """Tickers that had to give way."""

    def offer(self, snapshot: GexSnapshot) -> None:
        """Fill the ticker's slot."""
        ticker = snapshot.ticker
        self.seen[ticker] = (snapshot.asof_ms, snapshot.seq)
        self.seen.move_to_end(ticker)
        self.replaced += ticker in self._waiting
        self._waiting[ticker] = snapshot
        if len(self.seen) > MAX_TICKERS:
            silent, _ = self.seen.popitem(last=False)
            self._waiting.pop(silent, None)
            self.refused += 1
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
