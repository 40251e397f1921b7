"""Today's snapshots of each ticker as a capped Redis stream, thinned to a stated spacing."""

from datetime import UTC, datetime
from typing import Any, Final, cast

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.calendar import new_york
from streaming.model import GexSnapshot

CAP: Final = 5_000
SPACING_S: Final = 5.0
"""One snapshot in five seconds of market time: a whole session of them fits the cap."""
_TTL_S: Final = 2 * 86_400
_PAGE: Final = 200
Entry = tuple[bytes, dict[bytes, bytes]]
"""(entry id, its fields)."""


class SnapshotHistory:
    """Appends to and reads `gex:history:<TICKER>`; holds only the day of the last snapshot kept there."""

    def __init__(self, redis: Redis, *, cap: int = CAP, spacing_s: float = SPACING_S) -> None:
        self._redis = redis
        self._cap = cap
        self._spacing_ms = spacing_s * 1000
        self._last: dict[str, tuple[str, int]] = {}

    async def recall(self, ticker: str) -> None:
        """Learn which day the stream holds, once per ticker; call before `queue`."""
        if ticker not in self._last:
            newest = await self._page(ticker, "+", 1)
            fields = newest[0][1] if newest else {}
            self._last[ticker] = (fields.get(b"day", b"").decode(), int(fields.get(b"asof_ms", 0)))

    def queue(self, pipeline: Any, snapshot: GexSnapshot, payload: bytes) -> tuple[str, int]:
        """Add the commands that keep this snapshot, if it is due; pass the result to `kept` once they ran."""
        day, asof_ms = market_day(snapshot.asof_ms), snapshot.asof_ms
        last_day, last_ms = self._last[snapshot.ticker]
        key = keys.history(snapshot.ticker)
        if day != last_day:
            pipeline.delete(key)
        elif last_ms <= asof_ms < last_ms + self._spacing_ms:
            return last_day, last_ms
        fields = {"data": payload, "day": day, "asof_ms": asof_ms}
        pipeline.xadd(key, fields, maxlen=self._cap, approximate=True)
        pipeline.expire(key, _TTL_S)
        return day, asof_ms

    def kept(self, ticker: str, last: tuple[str, int]) -> None:
        """Remember what `queue` returned."""
        self._last[ticker] = last

    async def _page(self, ticker: str, end: str, count: int) -> list[Entry]:
        """Entries from `end` backwards, newest first."""
        entries = await self._redis.xrevrange(keys.history(ticker), max=end, count=count)
        return cast("list[Entry]", entries)

    async def since(self, ticker: str, *, minutes: float) -> list[bytes]:
        """Payloads of the newest day, oldest first, from `minutes` before its newest snapshot on."""
        found: list[bytes] = []
        end, newest = "+", (b"", 0)
        while True:
            page = await self._page(ticker, end, _PAGE)
            for entry, fields in page:
                mark = (fields[b"day"], int(fields[b"asof_ms"]))
                newest = mark if not found else newest
                if mark[0] != newest[0] or mark[1] < newest[1] - minutes * 60_000:
                    return found[::-1]
                found.append(fields[b"data"])
                end = f"({entry.decode()}"
            if len(page) < _PAGE:
                return found[::-1]


def market_day(asof_ms: int) -> str:
    """The date in New York of an instant, as ISO text."""
    return new_york(datetime.fromtimestamp(asof_ms / 1000, UTC)).date().isoformat()
