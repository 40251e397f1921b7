"""Keys that Schwab calls malformed (code 21), found by halving what it refused; known over all connections. Pure.

The code says that a request is bad, not which of its keys. What was refused together is asked for in halves, until
each bad key stands alone and is left out. No refusal is for ever: a bad key is asked for again with the next
connection, and every hour, then ever less often. One whose refusal ended the connection, as users of Schwab see it at
times, has only the hours, or it would end every connection to come.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from streaming.schwab.wire.fields import Service

_FIRST_PAUSE_S: Final = 3600.0
_LONGEST_PAUSE_S: Final = 86_400.0
_AT_ONCE_S: Final = 5.0
"""A connection that ends so soon after a refusal was ended by it."""
_MOST_IN_A_ROW: Final = 16
"""So many keys refused one by one, and none taken: it is not the keys."""


@dataclass(slots=True)
class _Culprit:
    """A key that was refused alone, the last time at `refused_s`; monotonic seconds."""

    refusals: int
    refused_s: float
    due_s: float
    ended_connection: bool = False


class BadKeys:
    """Suspects in groups, culprits alone, by service."""

    def __init__(self) -> None:
        self._groups: dict[Service, list[tuple[str, ...]]] = {}
        self._culprits: dict[Service, dict[str, _Culprit]] = {}
        self._in_a_row: Counter[Service] = Counter()

    def of(self, service: Service) -> set[str]:
        """Every key of a service that is suspected or left out."""
        suspected = {key for group in self._groups.get(service, ()) for key in group}
        return suspected.union(self._culprits.get(service, ()))

    def left_out(self) -> dict[Service, tuple[str, ...]]:
        """The keys that were refused alone."""
        return {service: tuple(culprits) for service, culprits in self._culprits.items() if culprits}

    def refuses_all(self, service: Service) -> bool:
        """Whether a service has refused so many keys in a row that it is not the keys."""
        return self._in_a_row[service] >= _MOST_IN_A_ROW

    def refused(self, service: Service, keys: tuple[str, ...], now_s: float) -> bool:
        """Code 21 for these keys. Whether one alone is to blame; several are suspected in halves."""
        before = self._culprits.get(service, {}).get(keys[0])
        self._forget(service, keys)
        if len(keys) > 1:
            half = len(keys) // 2
            self._groups[service] = [keys[:half], keys[half:], *self._groups.get(service, ())]
            return False
        refusals = 1 if before is None else before.refusals + 1
        due_s = now_s + min(_FIRST_PAUSE_S * 2.0 ** (refusals - 1), _LONGEST_PAUSE_S)
        self._culprits.setdefault(service, {})[keys[0]] = _Culprit(refusals, now_s, due_s)
        self._in_a_row[service] += 1
        return True

    def absolve(self, service: Service, keys: Collection[str]) -> None:
        """The server has taken these keys."""
        self._in_a_row[service] = 0
        self._forget(service, keys)

    def suspects(self, service: Service) -> tuple[tuple[str, ...], ...]:
        """Groups of keys to ask for together, one after another."""
        return tuple(self._groups.get(service, ()))

    def on_trial(self, service: Service, now_s: float) -> tuple[str, ...]:
        """The bad keys that may be asked for again, each alone."""
        return tuple(key for key, culprit in self._culprits.get(service, {}).items() if culprit.due_s <= now_s)

    def is_due(self, now_s: float) -> bool:
        """Whether any bad key may be asked for again."""
        return any(self.on_trial(service, now_s) for service in self._culprits)

    def connection_began(self) -> None:
        """A new connection is a new chance, but not for what ended one."""
        self._in_a_row.clear()
        for culprit in self._all():
            if not culprit.ended_connection:
                culprit.due_s = 0.0

    def connection_ended(self, now_s: float) -> None:
        """Whoever was refused a moment ago is to blame."""
        for culprit in self._all():
            if now_s - culprit.refused_s <= _AT_ONCE_S:
                culprit.ended_connection = True

    def keep(self, wanted: Mapping[Service, Collection[str]]) -> None:
        """Forget what is not wanted any more."""
        for service in {*self._groups, *self._culprits}:
            self._forget(service, self.of(service).difference(wanted.get(service, ())))

    def forgive(self, keys: Iterable[str]) -> None:
        """Forget these keys of every service: a person asks for them anew."""
        forgiven = frozenset(keys)
        for service in {*self._groups, *self._culprits}:
            self._forget(service, forgiven)

    def _forget(self, service: Service, keys: Collection[str]) -> None:
        gone = frozenset(keys)
        if gone.isdisjoint(self.of(service)):
            return
        groups = (tuple(key for key in group if key not in gone) for group in self._groups.get(service, ()))
        self._groups[service] = [group for group in groups if group]
        for key in gone:
            self._culprits.get(service, {}).pop(key, None)

    def _all(self) -> Iterable[_Culprit]:
        return (culprit for culprits in self._culprits.values() for culprit in culprits.values())
