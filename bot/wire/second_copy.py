"""Notices when another copy of the bot answers the same questions: Discord then refuses the slower answer."""

from collections import deque
from typing import Any, Final

import discord

from bot.wire.verdicts import ALREADY_ANSWERED, UNKNOWN_INTERACTION
from streaming.clock import Clock
from streaming.ports import Tell

QUICK_S: Final = 2.0
"""Discord waits three seconds: an answer within two was refused for another reason than being late."""
ENOUGH: Final = 3
WITHIN_S: Final = 600.0
_QUIET_S: Final = 3600.0
_RECEIVED: Final = "received_s"
_SENTENCE: Final = (
    "Another copy of this bot seems to be running: Discord says that several commands were answered by somebody else "
    "first. Stop one of the two, or give it its own application."
)


class SecondCopyWatch:
    """Counts refused answers that were quick; `tell` is called once for three within ten minutes."""

    def __init__(self, clock: Clock, tell: Tell) -> None:
        self._clock = clock
        self._tell = tell
        self._least_lag_s: float | None = None
        self._refused: deque[float] = deque(maxlen=ENOUGH)
        self._told_s: float | None = None

    def received(self, interaction: discord.Interaction[Any]) -> None:
        """Note when a question came, and how long it was on its way beyond the quickest of all.

        The quickest stands for the difference between Discord's clock and ours; events that a resumed connection
        brings late are late by that measure.
        """
        lag_s = (self._clock.now() - interaction.created_at).total_seconds()
        self._least_lag_s = lag_s if self._least_lag_s is None else min(self._least_lag_s, lag_s)
        interaction.extras[_RECEIVED] = self._clock.monotonic() - (lag_s - self._least_lag_s)

    def refused(self, interaction: discord.Interaction[Any], code: int | None) -> None:
        """Note what Discord said to the first answer of a question."""
        asked_s, now_s = interaction.extras.pop(_RECEIVED, None), self._clock.monotonic()
        if asked_s is None or code not in {ALREADY_ANSWERED, UNKNOWN_INTERACTION} or now_s - asked_s > QUICK_S:
            return
        if self._told_s is not None and self._refused and now_s - self._refused[-1] > _QUIET_S:
            self._told_s = None
        self._refused.append(now_s)
        if self._told_s is None and len(self._refused) == ENOUGH and now_s - self._refused[0] <= WITHIN_S:
            self._told_s = now_s
            self._tell(_SENTENCE)
