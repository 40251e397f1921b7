"""How long a refresh that failed by itself is left alone: growing and jittered, so that nobody hammers Schwab."""

import random
from typing import Final

from streaming.backoff import delay_s
from streaming.clock import Clock
from streaming.errors import TransientError

_FIRST_S: Final = 2.0
_LONGEST_S: Final = 60.0


class RefreshPause:
    """Begins with a transient failure, lasts at least as long as the other side wished, ends with a success."""

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self._clock = clock
        self._rng = rng
        self._failures = 0
        self._until_s = 0.0
        self._error: TransientError | None = None

    def begin(self, error: TransientError) -> None:
        """Note one more failure in a row."""
        earlier, self._failures = self._failures, self._failures + 1
        wait_s = delay_s(earlier, self._rng, first_s=_FIRST_S, cap_s=_LONGEST_S, least_s=error.retry_after_s)
        self._until_s = self._clock.monotonic() + wait_s
        self._error = error

    def end(self) -> None:
        """Asking is fine again."""
        self._failures, self._until_s, self._error = 0, 0.0, None

    @property
    def left_s(self) -> float:
        """Seconds until the next attempt is due; 0 when it is."""
        return max(self._until_s - self._clock.monotonic(), 0.0)

    def check(self) -> None:
        """Raise the failure again, with the time that is left, while the pause lasts."""
        if self._error is not None and self.left_s > 0:
            raise TransientError(str(self._error), remedy=self._error.remedy, retry_after_s=self.left_s)
