"""What a gateway does to those who come: nothing, as long as nobody orders it."""

import math
from collections import deque
from dataclasses import dataclass, field

from bot.sandbox.rest.rest_faults import Trouble
from streaming.clock import Clock

IDENTIFIES_PER_DAY = 1_000


@dataclass(slots=True)
class GatewayTrouble:
    """`refusals` are close codes that the next IDENTIFYs meet, in turn; `identifies_left` is what the day allows."""

    clock: Clock
    refusals: deque[int] = field(default_factory=deque)
    identifies_left: int = IDENTIFIES_PER_DAY
    _answer: Trouble | None = None
    _down_until_s: float = -math.inf

    def go_down(self, seconds: float, answer: Trouble | None) -> None:
        """Turn away whoever connects for some seconds: with an answer, or with an aborted connection."""
        self._answer = answer
        self._down_until_s = self.clock.monotonic() + seconds

    def come_up(self) -> None:
        """End an outage before its time."""
        self._down_until_s = -math.inf

    @property
    def is_down(self) -> bool:
        """Whether connections are refused now."""
        return self.clock.monotonic() < self._down_until_s

    @property
    def answer(self) -> Trouble | None:
        """What a gateway that is down says; None for no word at all."""
        return self._answer
