"""Trouble that repeats, told as people can bear it: once for each cause, or as a count once a minute."""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Final

from streaming.ports import Tell
from streaming.status import some_of

_EVERY_S: Final = 60.0


class Matters:
    """Tells a person of each matter once; again only after it was over."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._told: set[str] = set()

    def tell(self, about: str, sentence: str) -> None:
        """Tell, unless this matter was told."""
        if about not in self._told:
            self._told.add(about)
            self._tell(sentence)

    def tell_of(self, names: Iterable[str], about: str, say: Callable[[str], str]) -> None:
        """Tell in one sentence of all that are not told about yet, each a matter `about` its name; thousands at times.

        `say` makes the sentence of their names.
        """
        untold = {f"{about} {name}": name for name in names}
        for known in self._told.intersection(untold):
            del untold[known]
        if untold:
            self._told.update(untold)
            self._tell(say(some_of(tuple(untold.values()))))

    def over(self, about: str) -> None:
        """The matter is settled; the next time counts as new."""
        self._told.discard(about)


class LastingTrouble:
    """One kind of trouble; what stays away for a minute and comes back counts as new."""

    def __init__(self, log: logging.Logger, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._monotonic = monotonic
        self._told_s = float("-inf")
        self._untold = 0

    def add(self, sentence: str, *, times: int = 1) -> None:
        """Log it when a minute has passed since the last time, with how often it happened meanwhile; else count it."""
        self._untold += times
        now_s = self._monotonic()
        since_s = now_s - self._told_s
        if since_s < _EVERY_S:
            return
        meanwhile = self._untold - times
        more = f" ({meanwhile} more like it in the last {since_s:.0f} s)" if meanwhile else ""
        self._log.warning("%s%s", sentence, more)
        self._told_s, self._untold = now_s, 0
