"""How long to wait before the next attempt at anything, and waits that somebody may cut short."""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any, Final

FIRST_S: Final = 0.05
CAP_S: Final = 2.0
_MOST_DOUBLINGS: Final = 30


def delay_s(failures: int, rng: random.Random, *, first_s: float, cap_s: float, least_s: float | None = None) -> float:
    """The pause after `failures` earlier ones in a row: doubling, capped, the upper half of it random.

    `least_s`, the other side's own wish (`Retry-After`), is a lower bound, even above the cap.
    """
    ceiling_s = min(first_s * 2.0 ** min(failures, _MOST_DOUBLINGS), cap_s)
    return max(ceiling_s * rng.uniform(0.5, 1.0), least_s or 0.0)


class Backoff:
    """Doubling delays with jitter; the owner resets it after success that counts, not after a handshake.

    Without other figures it suits a server next door, such as Redis.
    """

    def __init__(self, rng: random.Random, *, first_s: float = FIRST_S, cap_s: float = CAP_S) -> None:
        self._rng = rng
        self._first_s = first_s
        self._cap_s = cap_s
        self.failures = 0
        """Since the last success."""

    def next_s(self, *, least_s: float | None = None) -> float:
        """The next delay: between half of a doubling step and the whole of it, at least `least_s`."""
        earlier, self.failures = self.failures, self.failures + 1
        return delay_s(earlier, self._rng, first_s=self._first_s, cap_s=self._cap_s, least_s=least_s)

    def reset(self) -> None:
        """Begin with the shortest delay again."""
        self.failures = 0


class InterruptibleWait:
    """Waits for something, or until `nudge` says that it has been long enough."""

    def __init__(self) -> None:
        self._nudged = asyncio.Event()

    def nudge(self) -> None:
        """End the wait of this moment; without one nothing happens."""
        self._nudged.set()

    async def wait(self, work: Coroutine[Any, Any, object], name: str) -> None:
        """Run `work` to its end or to the nudge; raises what `work` raises."""
        self._nudged.clear()
        tasks = {
            asyncio.create_task(work, name=f"waits: {name}"),
            asyncio.create_task(self._nudged.wait(), name="nudged"),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        for task in done:
            task.result()
