"""What is to be played, in order: from the files of a recording, or from a stream in Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import time
from itertools import islice
from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.mishaps import breaching
from streaming.bus.publish.batch import FIELD
from streaming.bus.redis_connection import answering
from streaming.bus.snapshots.classic import parse_snapshot
from streaming.calendar import new_york
from streaming.clock import instant_of, is_instant
from streaming.errors import UNREADABLE, ContractError, RequestError
from streaming.model import GexSnapshot, TickEvent
from streaming.recording.reader import ReadCounts, read_parts
from streaming.recording.record_lines import RecordedLine
from streaming.recording.recording_files import Part

_TICK: Final = msgspec.json.Decoder(TickEvent)
_AT_ONCE: Final = 32
_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class TapeItem:
    """One thing that was recorded, and when it came."""

    at_ms: int
    content: GexSnapshot | TickEvent

    @property
    def market_ms(self) -> int:
        """The quote time."""
        return self.content.asof_ms if isinstance(self.content, GexSnapshot) else self.content.event_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeChoice:
    """Which part of a recording is wanted."""

    start: time | None = None
    """Only from this hour of the New York day on."""
    tickers: Collection[str] | None = None
    """Only snapshots of these; ticks are not chosen by ticker."""

    def begins(self, item: TapeItem) -> bool:
        """Whether an item lies at or behind the beginning."""
        moment = new_york(instant_of(item.market_ms))
        return self.start is None or moment.time() >= self.start

    def wants(self, item: TapeItem) -> bool:
        """Whether an item is of a wanted ticker."""
        content = item.content
        return self.tickers is None or isinstance(content, TickEvent) or content.ticker in self.tickers


EVERYTHING: Final = TapeChoice()


@dataclass(slots=True)
class TapeCounts(ReadCounts):
    """What was met in a tape besides what could be played; of the last run when it is played again."""

    gaps: int = 0
    unusable: int = 0


@dataclass(frozen=True, slots=True)
class RecordedTape:
    """Something that can be played any number of times."""

    name: str
    items: Callable[[], AsyncIterator[TapeItem]]
    counts: TapeCounts = field(default_factory=TapeCounts)


def recorded_tape(parts: Sequence[Part], choice: TapeChoice) -> RecordedTape:
    """The parts of a recording, read in a thread."""
    counts = TapeCounts()

    def items() -> AsyncIterator[TapeItem]:
        counts.lines = counts.foreign = counts.torn = counts.gaps = counts.unusable = 0
        found = (item for line in read_parts(parts, counts) if (item := _item_of(line, counts)) is not None)
        return _in_thread(_chosen(found, choice))

    return RecordedTape(parts[0].day or parts[0].path.name, items, counts)


def stream_tape(redis: Redis, key: str, choice: TapeChoice) -> RecordedTape:
    """A stream of ticks or snapshots as it is now, up to its newest entry."""
    counts = TapeCounts()

    async def items() -> AsyncIterator[TapeItem]:
        begun = False
        async for at_ms, payload in _entries(redis, key):
            item = _item(at_ms, payload, tick=key == keys.TICKS_STREAM, counts=counts)
            begun = begun or (item is not None and choice.begins(item))
            if begun and item is not None and choice.wants(item):
                yield item

    return RecordedTape(key, items, counts)


def _item_of(line: RecordedLine, counts: TapeCounts) -> TapeItem | None:
    if line.gap is not None:
        counts.gaps += 1
        return None
    payload = bytes(line.tick)
    return _item(line.at, payload or bytes(line.snapshot), tick=bool(payload), counts=counts)


def _item(at_ms: int, payload: bytes, *, tick: bool, counts: TapeCounts) -> TapeItem | None:
    try:
        with breaching(payload):
            item = TapeItem(at_ms, _tick(payload) if tick else parse_snapshot(payload, received_ms=at_ms))
        if is_instant(item.at_ms) and is_instant(item.market_ms):
            return item
    except ContractError:
        pass
    counts.unusable += 1
    return None


def _tick(payload: bytes) -> TickEvent:
    try:
        return _TICK.decode(payload)
    except UNREADABLE:
        raise ContractError("What was recorded is not a tick.") from None


def _chosen(items: Iterator[TapeItem], choice: TapeChoice) -> Iterator[TapeItem]:
    begun = False
    for item in items:
        begun = begun or choice.begins(item)
        if begun and choice.wants(item):
            yield item


async def _in_thread(items: Iterator[TapeItem]) -> AsyncIterator[TapeItem]:
    while batch := await asyncio.to_thread(lambda: list(islice(items, _AT_ONCE))):
        for item in batch:
            yield item


async def _entries(redis: Redis, key: str) -> AsyncIterator[tuple[int, bytes]]:
    """(time of arrival, payload) of every entry up to the one that is the newest now."""
    async with answering(f"reading {key}"):
        there = await redis.type(key) == b"stream"
        newest: Any = await redis.xrevrange(key, count=1) if there else []
    if not newest:
        raise RequestError(f"There is nothing in the stream {key}.", remedy="Give one such as gex:history:SPX.")
    begin, end = "-", newest[0][0].decode()
    while True:
        async with answering(f"reading {key}"):
            page: Any = await redis.xrange(key, min=begin, max=end, count=_PAGE)
        for entry, fields in page:
            milliseconds, _, number = entry.decode().partition("-")
            begin = f"{milliseconds}-{int(number) + 1}"
            yield int(milliseconds), fields.get(FIELD, b"")
        if len(page) < _PAGE:
            return
