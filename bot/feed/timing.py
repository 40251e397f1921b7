"""When a board acts next: its beat, and its waits after errors, by the jitter and the clock it is given."""

import asyncio
import math
import random
from typing import Final

from streaming.clock import Clock
from streaming.process.backoff import Backoff

_FIRST_S: Final = 1.0
_PERSON_S: Final = (15.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_DELETED_S: Final = (1.0, 5.0, 30.0, 300.0)
_DELETED_WITHIN_S: Final = 900.0
_AGAIN_AND_AGAIN: Final = 3


class Cadence:
    """Beats at `start_s`, `start_s + period_s`, ...

    A beat that is late is still made while its own period lasts, which is what keeps the pace when Discord's
    rate-limit windows, or other boards, hold one back; older beats are missed.
    """

    def __init__(self, start_s: float, period_s: float) -> None:
        self._start_s = start_s
        self._period_s = period_s
        self._next = 0

    @property
    def due_s(self) -> float:
        """The beat to wait for, on the monotonic clock."""
        return self._start_s + self._next * self._period_s

    def advance(self, now_s: float) -> int:
        """Go on to the newest beat that is due at `now_s`, else to the next one; how many were missed."""
        current = math.floor((now_s - self._start_s) / self._period_s)
        following = max(current, self._next + 1)
        missed = following - self._next - 1
        self._next = following
        return missed

    def begin_at(self, now_s: float) -> None:
        """Count from a beat at `now_s`: one that nothing called for earlier was not late."""
        self._start_s, self._next = now_s, 0


async def woken(event: asyncio.Event, clock: Clock, within_s: float) -> None:
    """Wait until the event is set, at most so long."""
    waits: set[asyncio.Task[object]] = {
        asyncio.create_task(event.wait(), name="woken"),
        asyncio.create_task(clock.sleep(within_s), name="woken: late"),
    }
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.wait(waits)


def backoff(rng: random.Random, *, cap_s: float = 60.0) -> Backoff:
    """Doubling delays from a second up to `cap_s`, for what passes by itself."""
    return Backoff(rng, first_s=_FIRST_S, cap_s=cap_s)


class PersonWaits:
    """The waits for a person to mend something: soon at first, in the end every ten minutes."""

    def __init__(self) -> None:
        self._looks = 0

    def delay_s(self) -> float:
        """The wait before the next look."""
        step, self._looks = min(self._looks, len(_PERSON_S) - 1), self._looks + 1
        return _PERSON_S[step]

    def over(self) -> None:
        """It is mended."""
        self._looks = 0


class Deletions:
    """How soon a message that somebody deleted is posted anew: ever later when it happens again and again."""

    def __init__(self) -> None:
        self._at_s: list[float] = []

    def delay_s(self, now_s: float) -> float:
        """The wait after a deletion noticed at `now_s`; those of the last quarter of an hour count."""
        self._at_s = [*(at for at in self._at_s if now_s - at <= _DELETED_WITHIN_S), now_s][-len(_DELETED_S) :]
        return _DELETED_S[len(self._at_s) - 1]

    @property
    def again_and_again(self) -> bool:
        """Whether it is no accident any more."""
        return len(self._at_s) >= _AGAIN_AND_AGAIN
