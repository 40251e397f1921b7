"""Today's snapshots of each ticker as a capped Redis stream, thinned to a stated spacing."""

from typing import Any, Final, cast

from msgspec.structs import replace
from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.codec import encode_snapshot
from streaming.bus.history_samples import HistorySamples
from streaming.calendar import new_york
from streaming.clock import instant_of
from streaming.model import GexSnapshot

CAP: Final = 5_000
SPACING_S: Final = 5.0
"""One snapshot in five seconds of market time: a whole session of them fits the cap."""
_TTL_S: Final = 2 * 86_400
_PAGE: Final = 200
_PLAYED_AGAIN_MS: Final = 60_000
"""A replay that is set back by more begins a new run."""
Entry = tuple[bytes, dict[bytes, bytes]]
"""(entry id, its fields)."""


class SnapshotHistory:
    """Appends to and reads `gex:history:<TICKER>`; holds only the day of the last snapshot kept there.

    What is played from a recording goes to `gex:replay:<TICKER>` instead, so that no replay touches a live day.
    """

    def __init__(self, redis: Redis, *, cap: int = CAP, spacing_s: float = SPACING_S) -> None:
        self._redis = redis
        self._cap = cap
        self._spacing_ms = spacing_s * 1000
        self._last: dict[str, tuple[str, int]] = {}

    async def recall(self, snapshot: GexSnapshot) -> None:
        """Learn which day the snapshot's stream holds, once per stream; call before `queue`."""
        key = history_key(snapshot)
        if key not in self._last:
            newest = await self._page(key, "+", 1)
            fields = newest[0][1] if newest else {}
            self._last[key] = (fields.get(b"day", b"").decode(), int(fields.get(b"asof_ms", 0)))

    def queue(self, pipeline: Any, snapshot: GexSnapshot) -> tuple[str, int]:
        """Add the commands that keep this snapshot, if it is due; pass the result to `kept` once they ran."""
        day, asof_ms = market_day(snapshot.asof_ms), snapshot.asof_ms
        key = history_key(snapshot)
        last_day, last_ms = self._last[key]
        if snapshot.replay is None and day < last_day <= market_day(snapshot.computed_ms):
            return last_day, last_ms  # another producer's older day, such as delayed quotes, must not delete today's
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

    async def _page(self, key: str, end: str, count: int) -> list[Entry]:
        """Entries from `end` backwards, newest first."""
        entries = await self._redis.xrevrange(key, max=end, count=count)
        return cast("list[Entry]", entries)

    async def samples(self, key: str, *, minutes: float, most: int) -> list[bytes]:
        """As `since`, but of more than `most` entries only that many, evenly spread; `most` is at least 2."""
        if await self._redis.xlen(key) > most:
            return await HistorySamples(self._redis, key).spread(minutes=minutes, most=most)
        return await self.since(key, minutes=minutes)

    async def since(self, key: str, *, minutes: float) -> list[bytes]:
        """Payloads of the newest day of a stream, oldest first, from `minutes` before its newest snapshot on."""
        found: list[bytes] = []
        end, newest = "+", (b"", 0)
        while True:
            page = await self._page(key, end, _PAGE)
            for entry, fields in page:
                mark = (fields[b"day"], int(fields[b"asof_ms"]))
                newest = mark if not found else newest
                if mark[0] != newest[0] or mark[1] < newest[1] - minutes * 60_000:
                    return found[::-1]
                found.append(fields[b"data"])
                end = f"({entry.decode()}"
            if len(page) < _PAGE:
                return found[::-1]


def history_key(snapshot: GexSnapshot) -> str:
    """The stream that keeps a snapshot."""
    name = keys.history if snapshot.replay is None else keys.replay_history
    return name(snapshot.ticker)


def without_curves(snapshot: GexSnapshot) -> GexSnapshot:
    """The same without the ladders and profiles of its scopes, which are nine tenths of its bytes."""
    lean = {name: replace(figures, ladder=(), profile=()) for name, figures in snapshot.scopes.items()}
    return replace(snapshot, scopes=lean)


def market_day(asof_ms: int) -> str:
    """The date in New York of an instant, as ISO text."""
    return new_york(instant_of(asof_ms)).date().isoformat()
