"""How long to wait before the next attempt at a connection. Pure, but for the given randomness."""

import random
from typing import Final

FIRST_S: Final = 0.05
CAP_S: Final = 2.0


class Backoff:
    """Doubling delays with jitter; the owner resets it after success that counts, not after a handshake."""

    def __init__(self, rng: random.Random, *, first_s: float = FIRST_S, cap_s: float = CAP_S) -> None:
        self._rng = rng
        self._first_s = first_s
        self._cap_s = cap_s
        self._ceiling_s = first_s

    def next_s(self) -> float:
        """The next delay: between half of the ceiling and the ceiling, which then doubles up to the cap."""
        ceiling_s = self._ceiling_s
        self._ceiling_s = min(ceiling_s * 2, self._cap_s)
        return self._rng.uniform(ceiling_s / 2, ceiling_s)

    def reset(self) -> None:
        """Begin with the shortest delay again."""
        self._ceiling_s = self._first_s
