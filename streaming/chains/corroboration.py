"""An odd answer is believed once the same has come three times over at least a minute. Pure."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

TIMES: Final = 3
OVER: Final = timedelta(minutes=1)
S = TypeVar("S")


@dataclass(slots=True)
class _Claim(Generic[S]):
    what: S
    since: datetime
    times: int = 1


class Corroboration(Generic[S]):
    """Keeps what was doubted about each subject, since when and how often; `alike` says whether two are the same."""

    def __init__(self, alike: Callable[[S, S], bool]) -> None:
        self._alike = alike
        self._claims: dict[Hashable, _Claim[S]] = {}

    def confirms(self, subject: Hashable, what: S, at: datetime) -> bool:
        """Note an odd answer of `at`; True when it has now come often and long enough."""
        claim = self._claims.get(subject)
        if claim is None or not self._alike(claim.what, what):
            self._claims[subject] = _Claim(what, at)
            return False
        claim.times += 1
        return claim.times >= TIMES and at - claim.since >= OVER

    def settle(self, subject: Hashable) -> None:
        """A believed answer came: what was doubted before is forgotten."""
        self._claims.pop(subject, None)
