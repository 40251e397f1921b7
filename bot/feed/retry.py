"""How long a board waits after an error. Pure but for the jitter it is given."""

import random
from typing import Final

from streaming.backoff import delay_s

_TRANSIENT_S: Final = (1.0, 60.0)
_OPERATOR_S: Final = (30.0, 600.0)


class Retry:
    """Doubling delays with jitter, quick for the machine's errors and slow for those a person must mend."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._failures = 0

    @property
    def failures(self) -> int:
        """Failures since the last success."""
        return self._failures

    def delay_s(self, *, operator: bool = False, least_s: float | None = None) -> float:
        """The wait before the next attempt, at least `least_s`; each call counts a failure."""
        first_s, cap_s = _OPERATOR_S if operator else _TRANSIENT_S
        earlier, self._failures = self._failures, self._failures + 1
        return delay_s(earlier, self._rng, first_s=first_s, cap_s=cap_s, least_s=least_s)

    def succeeded(self) -> None:
        """Start over with the shortest delay."""
        self._failures = 0
