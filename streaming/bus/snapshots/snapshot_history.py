"""Today's snapshots of each ticker as a Redis stream bounded by bytes; read whole or in samples.

A sample is an evenly spread choice without reading the rest. The entries' ids are times of arrival; in market time they
may lie unevenly (a replay that was paused or changed its speed), so while there is room left, the widest distances of a
first choice are looked into, a few times at most.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple, cast

from msgspec.structs import replace
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from streaming.bus import keys
from streaming.bus.codec import encode_snapshot
from streaming.bus.snapshots.history_entry import HistoryEntry, entry_of, market_day, outranks
from streaming.bus.snapshots.thinning import DEFAULT_MB, Thinning
from streaming.model import GexSnapshot, ScopeFigures

_LOG: Final = logging.getLogger(__name__)
CAP: Final = 5_000
SPACING_S: Final = 5.0
"""One snapshot in five seconds of market time: a whole session of them fits the cap."""
_TTL_S: Final = 2 * 86_400
_PAGE: Final = 200
_PLAYED_AGAIN_MS: Final = 60_000
"""A replay that is set back by more begins a new run."""
_PROBE: Final = 12
"""Entries in one answer: about 250 kB, so that reading it never holds the loop for long."""
_ROUNDS: Final = 4
_BISECTIONS: Final = 32
FEW: Final = 4
"""Entries looked at where one is wanted: another program may have put some of its own there."""
Pair = tuple[HistoryEntry, HistoryEntry]


class Queued(NamedTuple):
    """A snapshot on its way into its stream, or one that is not due."""

    day: str
    asof_ms: int
    place: int = -1
    """Of its command's answer among the pipeline's; -1 for one that is not due."""
    size: int = 0
    anew: bool = False
    """Whether the stream was emptied before."""


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
        for start in range(0, len(wanted), _PROBE):
            async with self._redis.pipeline(transaction=False) as pipeline:
                for at in wanted[start : start + _PROBE]:
                    pipeline.xrange(self._key, min=str(at), count=1)
                _take(found, await pipeline.execute())

    async def _look_between(self, found: dict[int, HistoryEntry], pairs: Sequence[Pair]) -> None:
        """The two entries around the middle of each pair, which are those of the pair where nothing lies between."""
        for start in range(0, len(pairs), _PROBE // 2):
            async with self._redis.pipeline(transaction=False) as pipeline:
                for before, after in pairs[start : start + _PROBE // 2]:
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


class SnapshotHistory:
    """Appends to and reads `gex:history:<TICKER>`; holds only one day, the newest that has come.

    What is played from a recording goes to `gex:replay:<TICKER>` instead, so that no replay touches a live day.
    """

    def __init__(
        self, redis: Redis, *, megabytes: float = DEFAULT_MB, cap: int = CAP, spacing_s: float = SPACING_S
    ) -> None:
        """`megabytes` for each ticker; never more than `cap` entries."""
        self._redis = redis
        self._megabytes = megabytes
        self._cap = cap
        self._spacing_ms = spacing_s * 1000
        self._last: dict[str, tuple[str, int]] = {}
        self._thinnings: dict[str, Thinning] = {}
        self._cannot_thin = False

    async def recall(self, snapshot: GexSnapshot) -> None:
        """Learn what the snapshot's stream holds, as often as it would be kept there; call before `admits`.

        Another process may have begun a day meanwhile, so what this one wrote last proves nothing.
        """
        key = history_key(snapshot)
        last = self._last.get(key)
        if last is not None and last[1] <= snapshot.asof_ms < last[1] + self._spacing_ms:
            return
        held = await self.newest(key)
        self._last[key] = ("", 0) if held is None else (held.day, held.asof_ms)

    def admits(self, snapshot: GexSnapshot, *, now_ms: int) -> bool:
        """Whether the snapshot is of the day that its stream holds, or of one that may take its place."""
        day, (held, _) = market_day(snapshot.asof_ms), self._last[history_key(snapshot)]
        if snapshot.replay is not None or day == held:
            return True
        return outranks(day, held, now_ms=now_ms, computed_ms=snapshot.computed_ms)

    def queue(self, pipeline: Any, snapshot: GexSnapshot) -> Queued:
        """Add the commands that keep this snapshot, if it is due; pass the result to `kept` once they ran."""
        day, asof_ms = market_day(snapshot.asof_ms), snapshot.asof_ms
        key = history_key(snapshot)
        last_day, last_ms = self._last[key]
        played_again = snapshot.replay is not None and asof_ms < last_ms - _PLAYED_AGAIN_MS
        anew = day != last_day or played_again
        if anew:
            pipeline.unlink(key)  # a day of entries is freed in Redis's background, not before the announcement
        elif last_ms <= asof_ms < last_ms + self._spacing_ms:
            return Queued(last_day, last_ms)
        payload = encode_snapshot(without_curves(snapshot))
        cap = min(self._cap, self._thinning(key).cap(len(payload)))
        place = len(pipeline)
        fields = {"data": payload, "day": day, "asof_ms": asof_ms}
        pipeline.xadd(key, fields, maxlen=cap, approximate=True)
        pipeline.expire(key, _TTL_S)
        return Queued(day, asof_ms, place, len(payload), anew)

    def kept(self, snapshot: GexSnapshot, queued: Queued, answers: Sequence[Any]) -> None:
        """Remember what `queue` returned, with the pipeline's answers."""
        key = history_key(snapshot)
        self._last[key] = (queued.day, queued.asof_ms)
        if queued.anew:
            self._thinning(key).begin()
        if queued.place >= 0:
            self._thinning(key).added(answers[queued.place], queued.asof_ms, queued.size)

    async def thin(self, snapshot: GexSnapshot) -> None:
        """Take out what the stream of this snapshot need not keep; where that cannot be, its bound is all there is."""
        spare = self._thinning(key := history_key(snapshot)).spare()
        if not spare or self._cannot_thin:
            return
        try:
            await self._redis.xdel(key, *spare)
        except ResponseError as error:
            self._cannot_thin = True
            _LOG.warning("Histories in Redis are not thinned, so mornings are forgotten: XDEL is refused (%s).", error)
        except (RedisError, OSError) as error:
            _LOG.debug("a history was not thinned: %s", error)

    def _thinning(self, key: str) -> Thinning:
        if key not in self._thinnings:
            self._thinnings[key] = Thinning(self._megabytes, self._spacing_ms)
        return self._thinnings[key]

    async def newest(self, key: str) -> HistoryEntry | None:
        """The entry a stream ends with; None when there is none, or none of ours."""
        return _one(await self._redis.xrevrange(key, count=FEW))

    async def samples(self, key: str, *, minutes: float, most: int) -> list[bytes]:
        """As `since`, but of more than `most` entries only that many, evenly spread; `most` is at least 2."""
        if await self._redis.xlen(key) > most:
            return await HistorySamples(self._redis, key).spread(minutes=minutes, most=most)
        return await self.since(key, minutes=minutes)

    async def since(self, key: str, *, minutes: float) -> list[bytes]:
        """Payloads of the newest day of a stream, oldest first, from `minutes` before its newest snapshot on."""
        found: list[HistoryEntry] = []
        end = "+"
        while True:
            page = cast("list[Any]", await self._redis.xrevrange(key, max=end, count=_PAGE))
            for reply in page:
                end = f"({reply[0].decode()}"
                entry = entry_of(reply)
                if entry is None:
                    continue
                newest = found[0] if found else entry
                if entry.day != newest.day or entry.asof_ms < newest.asof_ms - minutes * 60_000:
                    return [kept.payload for kept in reversed(found)]
                found.append(entry)
            if len(page) < _PAGE:
                return [kept.payload for kept in reversed(found)]


def history_key(snapshot: GexSnapshot) -> str:
    """The stream that keeps a snapshot."""
    name = keys.history if snapshot.replay is None else keys.replay_history
    return name(snapshot.ticker)


def without_curves(snapshot: GexSnapshot) -> GexSnapshot:
    """The same without its tables by strike and its profiles, which are nine tenths of its bytes."""
    lean = {name: _lean(figures) for name, figures in snapshot.scopes.items()}
    return replace(snapshot, scopes=lean, flow_strikes=())


def _lean(figures: ScopeFigures) -> ScopeFigures:
    oi, vol = (replace(own, top_strikes=(), top_strikes_gross=()) for own in (figures.oi, figures.vol))
    return replace(figures, ladder=(), sides=(), profile=(), oi=oi, vol=vol)
