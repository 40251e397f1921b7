"""Which entries of a day's history may go again, so that the day fits into its bytes. Pure.

The newest stay as dense as they came; older ones are thinned to one in so many seconds of market time. A chart of a day
has a few hundred points, and nothing looks at five seconds of this morning.
"""

from collections import deque
from typing import Final

DEFAULT_MB: Final = 40
LEAST_MB: Final = 30
DENSE_MS: Final = 35 * 60_000
"""As long as the longest span of changes, and a little more."""
_SESSION_MS: Final = 6 * 3_600_000 + 45 * 60_000
_WIDEST_MS: Final = 300_000
_MB: Final = 1_000_000
_PER_ENTRY: Final = 200
_WORTH_ASKING: Final = 12


class Thinning:
    """The entries of one stream that this process added, oldest first, as long as they are dense."""

    def __init__(self, megabytes: float, spacing_ms: float) -> None:
        self._bytes = megabytes * _MB
        self._spacing_ms = max(spacing_ms, 1.0)
        self._dense: deque[tuple[bytes, int]] = deque()
        self._kept_ms: int | None = None
        self._spare: list[bytes] = []

    def cap(self, size: int) -> int:
        """How many entries of such a size fit."""
        return max(1, int(self._bytes / (size + _PER_ENTRY)))

    def step_ms(self, size: int) -> float:
        """What lies between two old entries: as much as came, if a session of those fits."""
        dense = DENSE_MS / self._spacing_ms
        old = self.cap(size) - 2 * dense  # twice: what another process left dense is not known here
        wanted = (_SESSION_MS - DENSE_MS) / max(old, 1.0)
        return max(self._spacing_ms, min(wanted, _WIDEST_MS))

    def begin(self) -> None:
        """The stream is empty again."""
        self._dense.clear()
        self._spare.clear()
        self._kept_ms = None

    def added(self, entry_id: bytes, asof_ms: int, size: int) -> None:
        """Another entry is in the stream, of this market time."""
        self._dense.append((entry_id, asof_ms))
        step_ms = self.step_ms(size)
        while self._dense[0][1] < asof_ms - DENSE_MS:
            oldest, at_ms = self._dense.popleft()
            if self._kept_ms is not None and 0 <= at_ms - self._kept_ms < step_ms - self._spacing_ms / 2:
                self._spare.append(oldest)
            else:
                self._kept_ms = at_ms

    def spare(self) -> list[bytes]:
        """The ids of the entries that may go now, some at a time; they are not named again."""
        if len(self._spare) < _WORTH_ASKING:
            return []
        spare, self._spare = self._spare, []
        return spare
