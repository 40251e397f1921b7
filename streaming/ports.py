"""The few seams: what the parts need of each other, one or two methods each."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from streaming.model import GexSnapshot, MarketEvent, OptionQuote
from streaming.past import PastLevels
from streaming.status import SourceStatus

StreamEvent = MarketEvent | OptionQuote
Tell = Callable[[str], None]
"""Takes a sentence for a person at once, and never waits."""
Progress = Callable[[], None]
"""What a background job calls whenever data has flowed."""
Assure = Callable[[], Awaitable[None]]
"""Asked before a write: raises TransientError when another process of ours has taken over, or when nobody can tell."""


class EventSink(Protocol):
    """Takes market events in order and never blocks the reader."""

    def publish(self, events: Sequence[StreamEvent]) -> None:
        """Accept a batch, option quotes left out; what cannot be kept is counted by the sink, not raised."""
        ...


class SnapshotSink(Protocol):
    """Takes finished snapshots."""

    async def put(self, snapshot: GexSnapshot) -> None:
        """Store as latest, append to history, announce. TransientError when the store is away."""
        ...


class SnapshotReader(Protocol):
    """Where boards and commands read snapshots."""

    async def latest(self, ticker: str) -> GexSnapshot | None:
        """The newest snapshot, or None when nobody has published one lately."""
        ...

    async def history(self, ticker: str, *, minutes: float) -> Sequence[GexSnapshot]:
        """Today's snapshots of the last `minutes`, oldest first."""
        ...

    async def past(self, latest: GexSnapshot, *, minutes: float, most: int, strikes: bool) -> Sequence[PastLevels]:
        """Of the history `latest` belongs to at most `most`, evenly spread; `PastSnapshot`s with `strikes`."""
        ...

    def listen(self) -> AbstractAsyncContextManager[AsyncIterator[GexSnapshot]]:
        """Every new snapshot of every ticker from now on; survives a Redis restart by itself."""
        ...


class SnapshotSource(Protocol):
    """Puts snapshots of its tickers into the sink it was built with."""

    @property
    def name(self) -> str:
        """Its word in GEX_SOURCE."""
        ...

    async def run(self, progress: Callable[[], None]) -> None:
        """Work until cancelled, calling `progress` whenever data flowed; errors are those the supervisor knows."""
        ...

    def status(self) -> SourceStatus:
        """One look at it, without waiting for anything."""
        ...
