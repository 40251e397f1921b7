"""An evenly spread choice from a long history, without reading the rest of it.

The entries' ids are times of arrival. In market time they may lie unevenly (a replay that was paused or changed its
speed), so while there is room left, the widest distances of a first choice are looked into, a few times at most.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, cast

from redis.asyncio import Redis

from streaming.bus.snapshots.history_entry import HistoryEntry, entry_of

_PAGE: Final = 12
"""Entries in one answer: about 250 kB, so that reading it never holds the loop for long."""
_ROUNDS: Final = 4
_BISECTIONS: Final = 32
FEW: Final = 4
"""Entries looked at where one is wanted: another program may have put some of its own there."""
Pair = tuple[HistoryEntry, HistoryEntry]


class HistorySamples:
    """Reads one stream by probing it at chosen ids."""

    def __init__(self, redis: Redis, key: str) -> None:
        self._redis = redis
        self._key = key

    async def spread(self, *, minutes: float, most: int) -> list[bytes]:
        """At most `most` payloads of the newest day, oldest first, from `minutes` before its newest entry on."""
        newest = _one(await self._redis.xrevrange(self._key, count=FEW))
        oldest = _one(await self._redis.xrange(self._key, count=FEW))
        if newest is None or oldest is None:
            return []
        since_ms = newest.asof_ms - int(minutes * 60_000)
        begin_ms = await self._first_id(oldest, newest, since_ms)
        found = {newest.id_ms: newest}
        await self._probe(found, _even(begin_ms, newest.id_ms, most - 1))
        kept = _rising(found, newest, since_ms)
        looked_into: set[Pair] = set()
        for _ in range(_ROUNDS):
            wide = _widest(kept, looked_into, (most - len(kept)) // 2)
            if not wide:
                break
            looked_into |= set(wide)
            await self._look_between(found, wide)
            kept = _rising(found, newest, since_ms)
        return [sample.payload for sample in kept]

    async def _first_id(self, oldest: HistoryEntry, newest: HistoryEntry, since_ms: int) -> int:
        """About where the wanted time begins, by bisection."""
        low, high = oldest.id_ms, newest.id_ms
        if oldest.asof_ms >= since_ms:
            return low
        for _ in range(_BISECTIONS):
            if high - low <= 1:
                break
            middle = (low + high) // 2
            sample = _one(await self._redis.xrange(self._key, min=str(middle), count=1))
            if sample is None or sample.asof_ms >= since_ms:
                high = middle
            else:
                low = max(middle, sample.id_ms)
        return high

    async def _probe(self, found: dict[int, HistoryEntry], ids: Iterable[int]) -> None:
        wanted = list(ids)
        for start in range(0, len(wanted), _PAGE):
            async with self._redis.pipeline(transaction=False) as pipeline:
                for at in wanted[start : start + _PAGE]:
                    pipeline.xrange(self._key, min=str(at), count=1)
                _take(found, await pipeline.execute())

    async def _look_between(self, found: dict[int, HistoryEntry], pairs: Sequence[Pair]) -> None:
        """The two entries around the middle of each pair, which are those of the pair where nothing lies between."""
        for start in range(0, len(pairs), _PAGE // 2):
            async with self._redis.pipeline(transaction=False) as pipeline:
                for before, after in pairs[start : start + _PAGE // 2]:
                    middle = (before.id_ms + after.id_ms) // 2
                    pipeline.xrange(self._key, min=str(middle), count=1)
                    pipeline.xrevrange(self._key, max=str(middle), count=1)
                _take(found, await pipeline.execute())


def _even(first: int, last: int, count: int) -> list[int]:
    return [first + (last - first) * step // count for step in range(count)]


def _take(found: dict[int, HistoryEntry], answers: Iterable[Any]) -> None:
    for answer in answers:
        if (sample := _one(answer)) is not None:
            found[sample.id_ms] = sample


def _one(entries: Any) -> HistoryEntry | None:
    """The first that is one of ours."""
    return next((entry for reply in cast("list[Any]", entries) if (entry := entry_of(reply)) is not None), None)


def _rising(found: Mapping[int, HistoryEntry], newest: HistoryEntry, since_ms: int) -> list[HistoryEntry]:
    """Back from the newest as long as market time falls: what came before it was set back is another run."""
    kept = [newest]
    for at in sorted(found, reverse=True):
        sample = found[at]
        if sample.day == newest.day and since_ms <= sample.asof_ms < kept[-1].asof_ms:
            kept.append(sample)
        elif sample.asof_ms > kept[-1].asof_ms:
            break
    return kept[::-1]


def _widest(kept: list[HistoryEntry], looked_into: set[Pair], room: int) -> list[Pair]:
    """The `room` widest distances in market time that nobody has looked into."""
    pairs = [pair for pair in pairwise(kept) if pair not in looked_into and pair[1].id_ms - pair[0].id_ms > 1]
    pairs.sort(key=lambda pair: pair[0].asof_ms - pair[1].asof_ms)
    return pairs[: max(room, 0)]
