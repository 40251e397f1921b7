"""A channel in memory, a ledger in a dict, and snapshots to order: what the feed's tests stand on."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from bot.feed.channel import ChannelPort, GoneMessageError, SeenMessage
from bot.feed.chores import Chores
from bot.feed.illustration import Illustration
from bot.feed.ledger import Chore, LedgerAwayError, LedgerEntry
from bot.feed.message import LiveMessage
from bot.servers.order_store import FeedOrders
from bot.servers.orders import BoardOrder
from streaming.bus.lease import LeaseLostError
from streaming.clock import epoch_ms
from streaming.model import GexSnapshot, ScopeFigures, WeightFigures
from streaming.past import PastLevels, past_of
from tests.support.clock import ManualClock

OPEN_AT = datetime(2026, 8, 20, 13, 40, tzinfo=UTC)
"""A Thursday, 09:40 in New York."""


def snapshot(at: datetime = OPEN_AT, *, ticker: str = "NQ_NDX", **changes: object) -> GexSnapshot:
    """The issue's example as a snapshot, with whatever a test changes."""
    fields: dict[str, object] = {
        "ticker": ticker,
        "timestamp": int(at.timestamp()),
        "spot": 25061.25,
        "ladder_split": 24951.5,
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


def showing(tickers: Mapping[int, str]) -> FeedOrders:
    """What settings order that name these tickers by channel."""
    return FeedOrders({place: BoardOrder(channel_id=place, tickers=(name,)) for place, name in tickers.items()})


class FakeChannel:
    """A `ChannelPort` that keeps messages, honours nonces and fails when told to."""

    def __init__(self) -> None:
        self.messages: dict[int, str] = {}
        self.log: list[tuple[str, int]] = []
        self.faults: list[Exception] = []
        self.troubles: dict[str, Exception] = {}
        """What every call of a name raises: `send`, `edit`, `picture` (an edit that brings one), `delete`, `recent`."""
        self.written_at = OPEN_AT
        self.delay_s = 0.0
        self.pictures: dict[int, bytes] = {}
        self._nonces: dict[str, int] = {}
        self._next_id = 100

    async def send(self, content: str, *, nonce: str) -> int:
        await self._work("send")
        if nonce not in self._nonces:
            self._next_id += 1
            self._nonces[nonce] = self._next_id
            self.messages[self._next_id] = content
        self.log.append(("send", self._nonces[nonce]))
        return self._nonces[nonce]

    async def edit(self, message_id: int, content: str, picture: Illustration | None = None) -> None:
        await self._work("edit" if picture is None else "picture")
        self._require(message_id)
        if picture is not None:
            self.pictures[message_id] = picture.png
        self.messages[message_id] = content
        self.log.append(("edit", message_id))

    async def delete(self, message_id: int) -> None:
        await self._work("delete")
        self._require(message_id)
        del self.messages[message_id]
        self.log.append(("delete", message_id))

    async def recent(self) -> Sequence[SeenMessage]:
        await self._work("recent")
        return [SeenMessage(key, text, self.written_at) for key, text in self.messages.items()]

    def forget_nonces(self) -> None:
        """As Discord does after some minutes."""
        self._nonces.clear()

    @property
    def only(self) -> str:
        """The text of the one message there is, without its colours."""
        (text,) = self.messages.values()
        return without_colours(text)

    @property
    def deeds(self) -> list[str]:
        """What was done, in order."""
        return [deed for deed, _ in self.log]

    async def _work(self, deed: str) -> None:
        await asyncio.sleep(self.delay_s)
        if deed in self.troubles:
            raise self.troubles[deed]
        if self.faults:
            raise self.faults.pop(0)

    def _require(self, message_id: int) -> None:
        if message_id not in self.messages:
            raise GoneMessageError("The message is no longer there.")


class DictLedger:
    """A `Ledger` that outlives a board, can be away, and refuses whoever is not the holder by now."""

    def __init__(self) -> None:
        self.entries: dict[int, LedgerEntry] = {}
        self.to_do: dict[tuple[int, int], Chore] = {}
        self.late: list[int] = []
        self.away = False
        self.lost = False

    async def load(self, channel_id: int) -> LedgerEntry | None:
        self._require()
        return self.entries.get(channel_id)

    async def known(self) -> Mapping[int, LedgerEntry]:
        self._require()
        return dict(self.entries)

    async def save(self, channel_id: int, entry: LedgerEntry, chores: Sequence[Chore] = ()) -> None:
        self._require()
        if self.lost:
            raise LeaseLostError("The feed is another's.")
        self.entries[channel_id] = entry
        self.to_do |= {(chore.channel_id, chore.message_id): chore for chore in chores}

    async def chores(self) -> Sequence[Chore]:
        self._require()
        return list(self.to_do.values())

    async def done(self, chore: Chore) -> None:
        self._require()
        key = (chore.channel_id, chore.message_id)
        if self.to_do.get(key) == chore:
            del self.to_do[key]

    async def disturb(self, channel_id: int) -> None:
        self._require()
        self.late.append(channel_id)

    async def disturbed(self) -> Sequence[int]:
        self._require()
        found, self.late = self.late, []
        return found

    def _require(self) -> None:
        if self.away:
            raise LedgerAwayError("The ledger is away.")


_MOST_CHORES = 3
"""In a channel at once, in these tests."""


class Keeper:
    """What one process knows of a channel's message: the message itself and the chores that tidies up after it."""

    def __init__(self, channel_id: int, channel: ChannelPort, ledger: DictLedger, clock: ManualClock) -> None:
        self.clock = clock
        self.chores = Chores(lambda _channel_id: channel, ledger, clock)
        self.message = LiveMessage(channel_id, channel, ledger, self.chores, clock)

    async def adopt(self) -> None:
        """Begin, as a process does that just got the lease."""
        await self.chores.load()
        await self.message.adopt()

    async def tidy(self) -> None:
        """What happens beside the beat."""
        await self.message.keep_books()
        for _ in range(_MOST_CHORES):
            await self.chores.work()


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


def without_colours(text: str) -> str:
    """The block as a reader sees it who sees no colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text).replace("```ansi", "```")
