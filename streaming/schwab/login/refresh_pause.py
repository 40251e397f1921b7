"""How long the token endpoint is left alone after it failed or refused, so that nobody hammers Schwab."""

import random
from typing import Final

from streaming.clock import Clock
from streaming.errors import ContractError, OperatorError, TransientError
from streaming.process.backoff import delay_s

_FIRST_S: Final = 2.0
_LONGEST_S: Final = 60.0
_REFUSED_S: Final = (300.0, 840.0)
"""With the minute after which a waiting part looks again, 5 to 15 minutes."""


class RefreshPause:
    """Begins with a failure that passes by itself, lasts as long as the other side wished, ends with a success."""

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self._clock = clock
        self._rng = rng
        self._failures = 0
        self._until_s = 0.0
        self._error: TransientError | ContractError | None = None

    def begin(self, error: TransientError | ContractError) -> None:
        """Note one more failure in a row."""
        earlier, self._failures = self._failures, self._failures + 1
        wish_s = error.retry_after_s if isinstance(error, TransientError) else None
        wait_s = delay_s(earlier, self._rng, first_s=_FIRST_S, cap_s=_LONGEST_S, least_s=wish_s)
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


class GrantRefusal:
    """A refusal of Schwab's: stands for what was refused, and only for some minutes; a repeat is counted, not told.

    What was refused, the `subject`, is the login and the app key together: when either is another one, Schwab is
    asked at once.
    """

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self._clock = clock
        self._rng = rng
        self._subject: object = None
        self._error: OperatorError | None = None
        self._until_s = 0.0
        self.times = 0
        """How often in a row Schwab has refused the same."""

    def begin(self, subject: object, error: OperatorError) -> None:
        """Note a refusal, or the next one of the same."""
        self.times = self.times + 1 if subject == self._subject and self._error is not None else 1
        self._subject, self._error = subject, error
        self._until_s = self._clock.monotonic() + self._rng.uniform(*_REFUSED_S)

    def end(self) -> None:
        """Asking is fine again."""
        self._subject, self._error, self.times = None, None, 0

    def check(self, subject: object) -> None:
        """Raise the refusal again while it stands for this very subject."""
        if self._error is not None and subject == self._subject and self._clock.monotonic() < self._until_s:
            raise self._error
