"""A channel in memory, a ledger in a dict, and snapshots to order: what the feed's tests stand on."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from bot.feed.channel import GoneMessageError
from bot.feed.ledger import LedgerAwayError, LedgerEntry
from streaming.clock import epoch_ms
from streaming.model import GexSnapshot, ScopeFigures, WeightFigures
from streaming.past import PastLevels, past_of

OPEN_AT = datetime(2026, 8, 20, 13, 40, tzinfo=UTC)
"""A Thursday, 09:40 in New York."""


def snapshot(at: datetime = OPEN_AT, *, ticker: str = "NQ_NDX", **changes: object) -> GexSnapshot:
    """The issue's example as a snapshot, with whatever a test changes."""
    fields: dict[str, object] = {
        "ticker": ticker,
        "timestamp": int(at.timestamp()),
        "spot": 25061.25,
        "zero_gamma": 24951.5,
        "major_pos_oi": 25100.0,
        "major_neg_oi": 24800.0,
        "sum_gex_vol": 1834.6,
        "sum_gex_oi": -912.3,
        "max_priors": ((25050.0, 12.5),) + ((None, None),) * 5,
        "asof_ms": epoch_ms(at),
        "computed_ms": epoch_ms(at),
        "seq": 1,
        "source": "schwab",
        "scope": "full",
        "scopes": {"full": ScopeFigures(oi=WeightFigures(zero_gamma=24950.0))},
    }
    return GexSnapshot(**(fields | changes))  # type: ignore[arg-type]


class FakeChannel:
    """A `ChannelPort` that keeps messages, honours nonces and fails when told to."""

    def __init__(self) -> None:
        self.messages: dict[int, str] = {}
        self.log: list[tuple[str, int]] = []
        self.faults: list[Exception] = []
        self.delay_s = 0.0
        self._nonces: dict[str, int] = {}
        self._next_id = 100

    async def send(self, content: str, *, nonce: str) -> int:
        await self._work()
        if nonce not in self._nonces:
            self._next_id += 1
            self._nonces[nonce] = self._next_id
            self.messages[self._next_id] = content
        self.log.append(("send", self._nonces[nonce]))
        return self._nonces[nonce]

    async def edit(self, message_id: int, content: str) -> None:
        await self._work()
        self._require(message_id)
        self.messages[message_id] = content
        self.log.append(("edit", message_id))

    async def delete(self, message_id: int) -> None:
        await self._work()
        self._require(message_id)
        del self.messages[message_id]
        self.log.append(("delete", message_id))

    @property
    def only(self) -> str:
        """The text of the one message there is."""
        (text,) = self.messages.values()
        return text

    @property
    def deeds(self) -> list[str]:
        """What was done, in order."""
        return [deed for deed, _ in self.log]

    async def _work(self) -> None:
        await asyncio.sleep(self.delay_s)
        if self.faults:
            raise self.faults.pop(0)

    def _require(self, message_id: int) -> None:
        if message_id not in self.messages:
            raise GoneMessageError("The message is not there any more.")


class DictLedger:
    """A `Ledger` that outlives a board, and can be away."""

    def __init__(self) -> None:
        self.entries: dict[int, LedgerEntry] = {}
        self.away = False

    async def load(self, channel_id: int) -> LedgerEntry | None:
        self._require()
        return self.entries.get(channel_id)

    async def save(self, channel_id: int, entry: LedgerEntry) -> None:
        self._require()
        self.entries[channel_id] = entry

    def _require(self) -> None:
        if self.away:
            raise LedgerAwayError("The ledger is away.")


class QueueSnapshots:
    """A `SnapshotReader` fed by the test; an exception in the queue breaks the listener."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[GexSnapshot | Exception] = asyncio.Queue()
        self.stored: dict[str, list[GexSnapshot]] = {}
        self.listeners = 0

    async def latest(self, ticker: str) -> GexSnapshot | None:
        stored = self.stored.get(ticker)
        return stored[-1] if stored else None

    async def history(self, ticker: str, *, minutes: float) -> Sequence[GexSnapshot]:
        return tuple(self.stored.get(ticker, ()))

    async def past(self, latest: GexSnapshot, *, minutes: float, most: int, strikes: bool) -> Sequence[PastLevels]:
        return [past_of(seen) for seen in self.stored.get(latest.ticker, ())]

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[AsyncIterator[GexSnapshot]]:
        self.listeners += 1
        yield self._each()

    async def _each(self) -> AsyncIterator[GexSnapshot]:
        while True:
            item = await self.queue.get()
            if isinstance(item, Exception):
                raise item
            yield item
