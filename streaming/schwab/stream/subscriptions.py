"""What is subscribed against what is wanted, and the one request that brings them closer. Pure.

See specs/schwab-wire.md §2.2.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, filterfalse, islice
from typing import Final

from streaming.schwab.stream.bad_keys import BadKeys
from streaming.schwab.stream.routing import Wanted
from streaming.schwab.wire.fields import Service
from streaming.schwab.wire.service_table import LEVEL_ONE

Where = tuple[Service, str]
"""A key in a service."""
ASK_AGAIN_S: Final = 300.0
"""Until something is asked for again that was refused for no fault of its own."""


@dataclass(frozen=True, slots=True)
class Change:
    """One request that changes subscriptions."""

    service: Service
    command: str
    """SUBS, ADD or UNSUBS."""
    keys: tuple[str, ...]
    fields: str

    def parameters(self) -> dict[str, str]:
        """The request's parameters: comma-separated, without spaces."""
        if self.command == "UNSUBS":
            return {"keys": ",".join(self.keys)}
        return {"keys": ",".join(self.keys), "fields": self.fields}


class SubscriptionLedger:
    """The subscriptions of one connection.

    The keys of each service are wanted in their order, the first most, and level one before all else, a part of each
    service in turn. Where not all fits, what is held gives way to what is wanted more.
    SUBS replaces a whole service, so only the first part of a list goes out as SUBS and every later key as
    ADD. Keys are added before others are removed: a moment without any starts the server's "no
    subscriptions" timer. Keys that may be malformed come after all of this, for their refusal may end the
    connection. What else is refused is asked for again after five minutes: no answer is for ever.
    """

    def __init__(
        self, wanted: Wanted, fields: Mapping[Service, str], *, chunk: int, bad_keys: BadKeys | None = None
    ) -> None:
        self._wanted = wanted
        self._members = _members_of(wanted)
        self._fields = fields
        self._largest = self._chunk = chunk
        self._active: dict[Service, dict[str, None]] = {}
        self._bad = bad_keys or BadKeys()
        self._resting: dict[Where, float] = {}
        """Refused keys, and when they may be asked for again; monotonic seconds."""
        self._over_limit: set[Where] = set()
        """Those of the resting that were too many."""
        self._to_go: dict[Service, frozenset[str]] = {}
        """Subscribed keys that are to make room for more wanted ones."""
        self._made_room_for: set[Where] = set()
        self._again: dict[Where, None] = {}
        self._closed: dict[Service, float] = {}
        """Services that are not served, and when they may be asked again."""
        self._now_s = 0.0
        self._quiet = False
        self._bad.keep(wanted)

    @property
    def left_out(self) -> dict[Service, tuple[str, ...]]:
        """The wanted keys that the server would not take, by service."""
        refused = {service: set(keys) for service, keys in self._bad.left_out().items()}
        for service, key in self._resting:
            refused.setdefault(service, set()).add(key)
        found = {
            service: tuple(filter(refused[service].__contains__, keys))
            for service, keys in self._wanted.items()
            if service in refused
        }
        return {service: keys for service, keys in found.items() if keys}

    def want(self, wanted: Wanted) -> None:
        """Replace what is wanted; keys refused before are tried again once they were unwanted for a while."""
        for service, keys in self._to_go.items():
            self._wake((service, key) for key in keys if (service, key) in self._resting)
        self._to_go.clear()
        self._made_room_for.clear()
        self._wanted, self._members, self._quiet = wanted, _members_of(wanted), False
        self._bad.keep(wanted)
        self._wake(where for where in self._resting if where[1] not in self._members.get(where[0], _NOBODY))

    def forgive(self, keys: Iterable[str]) -> None:
        """Ask for these keys again as if they had never been refused."""
        forgiven, self._quiet = frozenset(keys), False
        self._bad.forgive(forgiven)
        self._wake(where for where in self._resting if where[1] in forgiven)

    def awaken(self, now_s: float) -> None:
        """Ask again for what has rested long enough."""
        self._now_s = now_s
        rested = [where for where, due_s in self._resting.items() if due_s <= now_s]
        reopened = [service for service, due_s in self._closed.items() if due_s <= now_s]
        if not (rested or reopened or self._bad.is_due(now_s)):
            return
        self._quiet = False
        self._wake(rested)
        for service in reopened:
            del self._closed[service]

    def repeat(self, service: Service, keys: Iterable[str]) -> None:
        """Ask for the full images of some subscribed keys again: Schwab sends one for an ADD of a known key."""
        self._again |= {(service, key): None for key in keys if key in self._active.get(service, {})}
        self._quiet = False

    def next_change(self) -> Change | None:
        """The next request, or None when the subscriptions are as they should be."""
        if self._quiet:
            return None
        change = (
            self._next_missing()
            or self._first(self._active, self._superfluous)
            or self._first(self._wanted, self._suspected)
            or self._first(self._wanted, self._on_trial)
        )
        self._quiet = change is None
        return change

    def accept(self, change: Change) -> None:
        """The server has made the change."""
        active = self._active.setdefault(change.service, {})
        self._ask_no_more(change)
        if change.command == "UNSUBS":
            for key in change.keys:
                active.pop(key, None)
            self._to_go.pop(change.service, None)
            self._wake(set(self._over_limit))
            return
        if change.command == "SUBS":
            active.clear()
        active.update(dict.fromkeys(change.keys))
        if self._chunk == 1:  # where one key more was too much for another service, this one has room
            self._chunk = self._largest
        self._bad.absolve(change.service, change.keys)

    def refuse(self, change: Change, now_s: float) -> None:
        """The server will not make the change now: leave its keys alone for a while."""
        if change.command == "UNSUBS":
            self.accept(change)
        else:
            self._rest({(change.service, key) for key in change.keys}, now_s)

    def malformed(self, change: Change, now_s: float) -> tuple[str, ...]:
        """One of the keys of this SUBS or ADD is malformed, perhaps: try halves.

        Returns the key that is to blame, none while there is still something to try.
        """
        active = self._active.get(change.service, {})
        self._ask_no_more(change)
        keys = tuple(key for key in change.keys if key not in active)
        if not keys or not self._bad.refused(change.service, keys, now_s):
            return ()
        if self._bad.refuses_all(change.service):
            self.close(change.service, now_s)
        return keys

    def limit(self, change: Change, now_s: float) -> tuple[str, ...]:
        """The server takes no more keys: try half as many, and at the last one leave out all that are missing.

        Returns the keys left out, none while there is still something to try: less wanted ones may give way.
        """
        if len(change.keys) > 1:
            self._chunk = len(change.keys) // 2
            return ()
        to_go = self._less_wanted((change.service, change.keys[0]))
        self._to_go |= to_go
        self._over_limit |= {(service, key) for service, keys in to_go.items() for key in keys}
        have = self._bad.of(change.service).difference(change.keys).union(self._active.get(change.service, ()))
        left_out = tuple(key for key in self._wanted.get(change.service, ()) if key not in have)
        self._over_limit |= {(change.service, key) for key in left_out}
        self._rest(self._over_limit, now_s)
        return () if to_go else left_out

    def _less_wanted(self, where: Where) -> dict[Service, frozenset[str]]:
        """The held keys that are not among as many of the most wanted; only once for the same key without room.

        None while others are held that nobody wants: those go first, and may be enough.
        """
        if where in self._made_room_for or self._first(self._active, self._superfluous) is not None:
            return {}
        self._made_room_for.add(where)
        held = {
            service: members.intersection(self._active.get(service, ()))
            for service, members in self._members.items()
            if service not in self._closed
        }
        best = self._most_wanted(held, sum(map(len, held.values())))
        less = {service: keys.difference(best[service]) for service, keys in held.items()}
        return {service: keys for service, keys in less.items() if keys}

    def _most_wanted(self, services: Iterable[Service], number: int) -> dict[Service, set[str]]:
        """So many keys of these services in the order in which they are asked for, without what is refused itself."""
        barred = {service: self._bad.of(service) for service in services}
        for service, key in self._resting.keys() - self._over_limit:
            barred.setdefault(service, set()).add(key)
        found: dict[Service, set[str]] = {service: set() for service in services}
        parts = [
            (service not in LEVEL_ONE, at, place, service)
            for place, service in enumerate(found)
            for at in range(0, len(self._wanted[service]), self._largest)
        ]
        for _, at, _, service in sorted(parts):
            part = self._wanted[service][at : at + self._largest]
            taken = tuple(islice(filterfalse(barred[service].__contains__, part), number))
            found[service].update(taken)
            number -= len(taken)
        return found

    def close(self, service: Service, now_s: float) -> None:
        """The service is not served: ask nothing more of it for a while."""
        self._closed[service] = now_s + ASK_AGAIN_S

    def _rest(self, refused: Collection[Where], now_s: float) -> None:
        self._resting |= dict.fromkeys(refused, now_s + ASK_AGAIN_S)
        for where in refused:
            self._again.pop(where, None)

    def _ask_no_more(self, change: Change) -> None:
        """Whether taken or not, these keys need no further image."""
        for key in change.keys:
            self._again.pop((change.service, key), None)

    def _wake(self, rested: Iterable[Where]) -> None:
        """Forget that these were refused; what was too much may fit now."""
        for where in tuple(rested):
            del self._resting[where]
            if where in self._over_limit:
                self._over_limit.discard(where)
                self._chunk = self._largest

    def _first(self, services: Iterable[Service], look: Callable[[Service], Change | None]) -> Change | None:
        open_services = (service for service in services if service not in self._closed)
        return next((change for service in open_services if (change := look(service)) is not None), None)

    def _next_missing(self) -> Change | None:
        """What is wanted most of all that is missing."""
        open_services = (service for service in self._wanted if service not in self._closed)
        found = (change for service in open_services if (change := self._missing(service)) is not None)
        return min(found, key=self._turn, default=None)

    def _turn(self, change: Change) -> tuple[bool, int]:
        place = self._wanted[change.service].index(change.keys[0])
        return change.service not in LEVEL_ONE, place // self._largest

    def _missing(self, service: Service) -> Change | None:
        bad, wanted, active = self._bad.of(service), self._members[service], self._active.get(service, {})
        absent = filterfalse(active.__contains__, self._wanted[service])  # in C: this is asked with every answer
        again = (key for one, key in self._again if one is service and key in wanted and key in active)
        due = (key for key in chain(absent, again) if key not in bad and (service, key) not in self._resting)
        return self._adding(service, tuple(islice(due, self._chunk)))

    def _suspected(self, service: Service) -> Change | None:
        groups = (self._rested(service, group) for group in self._bad.suspects(service))
        return self._adding(service, next((keys[: self._chunk] for keys in groups if keys), ()))

    def _on_trial(self, service: Service) -> Change | None:
        return self._adding(service, self._rested(service, self._bad.on_trial(service, self._now_s))[:1])

    def _rested(self, service: Service, keys: Iterable[str]) -> tuple[str, ...]:
        return tuple(key for key in keys if (service, key) not in self._resting)

    def _adding(self, service: Service, keys: tuple[str, ...]) -> Change | None:
        command = "ADD" if self._active.get(service) else "SUBS"
        return Change(service, command, keys, self._fields[service]) if keys else None

    def _superfluous(self, service: Service) -> Change | None:
        wanted = self._members.get(service, _NOBODY)
        if service in self._to_go:
            wanted -= self._to_go[service]
        unwanted = filterfalse(wanted.__contains__, self._active[service])
        keys = tuple(islice(unwanted, self._largest))
        return Change(service, "UNSUBS", keys, self._fields[service]) if keys else None


_NOBODY: Final[frozenset[str]] = frozenset()


def _members_of(wanted: Wanted) -> dict[Service, frozenset[str]]:
    """For asking whether a key is wanted; each service has thousands."""
    return {service: frozenset(keys) for service, keys in wanted.items()}
