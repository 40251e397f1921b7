"""Today's snapshots of each ticker as a capped Redis stream, thinned to a stated spacing."""

from typing import Any, Final, cast

from msgspec.structs import replace
from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.codec import encode_snapshot
from streaming.bus.snapshots.history_entry import HistoryEntry, entry_of, market_day, outranks
from streaming.bus.snapshots.history_samples import FEW, HistorySamples
from streaming.model import GexSnapshot

CAP: Final = 5_000
SPACING_S: Final = 5.0
"""One snapshot in five seconds of market time: a whole session of them fits the cap."""
_TTL_S: Final = 2 * 86_400
_PAGE: Final = 200
_PLAYED_AGAIN_MS: Final = 60_000
"""A replay that is set back by more begins a new run."""


class SnapshotHistory:
    """Appends to and reads `gex:history:<TICKER>`; holds only one day, the newest that has come.

    What is played from a recording goes to `gex:replay:<TICKER>` instead, so that no replay touches a live day.
    """

    def __init__(self, redis: Redis, *, cap: int = CAP, spacing_s: float = SPACING_S) -> None:
        self._redis = redis
        self._cap = cap
        self._spacing_ms = spacing_s * 1000
        self._last: dict[str, tuple[str, int]] = {}

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

    def queue(self, pipeline: Any, snapshot: GexSnapshot) -> tuple[str, int]:
        """Add the commands that keep this snapshot, if it is due; pass the result to `kept` once they ran."""
        day, asof_ms = market_day(snapshot.asof_ms), snapshot.asof_ms
        key = history_key(snapshot)
        last_day, last_ms = self._last[key]
        played_again = snapshot.replay is not None and asof_ms < last_ms - _PLAYED_AGAIN_MS
        if day != last_day or played_again:
            pipeline.unlink(key)  # a day of entries is freed in Redis's background, not before the announcement
        elif last_ms <= asof_ms < last_ms + self._spacing_ms:
            return last_day, last_ms
        fields = {"data": encode_snapshot(without_curves(snapshot)), "day": day, "asof_ms": asof_ms}
        pipeline.xadd(key, fields, maxlen=self._cap, approximate=True)
        pipeline.expire(key, _TTL_S)
        return day, asof_ms

    def kept(self, snapshot: GexSnapshot, last: tuple[str, int]) -> None:
        """Remember what `queue` returned."""
        self._last[history_key(snapshot)] = last

    async def newest(self, key: str) -> HistoryEntry | None:
        """The entry a stream ends with; None when there is none, or none of ours."""
        page = await self._page(key, "+", FEW)
        return next((entry for reply in page if (entry := entry_of(reply)) is not None), None)

    async def _page(self, key: str, end: str, count: int) -> list[Any]:
        """Entries from `end` backwards, newest first."""
        entries = await self._redis.xrevrange(key, max=end, count=count)
        return cast("list[Any]", entries)

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
            page = await self._page(key, end, _PAGE)
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
    """The same without the ladders and profiles of its scopes, which are nine tenths of its bytes."""
    lean = {name: replace(figures, ladder=(), profile=()) for name, figures in snapshot.scopes.items()}
    return replace(snapshot, scopes=lean)
