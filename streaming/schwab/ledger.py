"""What is subscribed against what is wanted, and the one request that brings them closer (schwab-api.md §2.2). Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from streaming.schwab.fields import Service
from streaming.schwab.routing import Wanted


@dataclass(frozen=True, slots=True)
class Change:
    """One request that changes subscriptions."""

    service: Service
    command: str
    """SUBS, ADD, UNSUBS or VIEW."""
    keys: tuple[str, ...]
    fields: str

    def parameters(self) -> dict[str, str]:
        """The request's parameters: comma-separated, without spaces."""
        if self.command == "VIEW":
            return {"fields": self.fields}
        if self.command == "UNSUBS":
            return {"keys": ",".join(self.keys)}
        return {"keys": ",".join(self.keys), "fields": self.fields}


class SubscriptionLedger:
    """The subscriptions of one connection.

    SUBS replaces a whole service, so only the first part of a list goes out as SUBS and every later key as
    ADD. Keys are added before others are removed: a moment without any starts the server's "no
    subscriptions" timer.
    """

    def __init__(self, wanted: Wanted, fields: Mapping[Service, str], *, chunk: int) -> None:
        self._wanted = wanted
        self._fields = dict(fields)
        self._chunk = chunk
        self._active: dict[Service, dict[str, None]] = {}
        self._viewed: dict[Service, str] = {}
        self._refused: set[tuple[Service, str]] = set()
        self._again: set[tuple[Service, str]] = set()
        self._closed: set[Service] = set()
        self._quiet = False

    def want(self, wanted: Wanted) -> None:
        """Replace what is wanted; keys refused before are tried again once they were unwanted for a while."""
        self._wanted, self._quiet = wanted, False
        self._refused = {(service, key) for service, key in self._refused if key in wanted.get(service, ())}

    def view(self, service: Service, fields: str) -> None:
        """Ask for other fields of a service."""
        self._fields[service], self._quiet = fields, False

    def repeat(self, service: Service, keys: Iterable[str]) -> None:
        """Ask for the full images of some subscribed keys again: Schwab sends one for an ADD of a known key."""
        self._again |= {(service, key) for key in keys if key in self._active.get(service, {})}
        self._quiet = False

    def next_change(self) -> Change | None:
        """The next request, or None when the subscriptions are as they should be."""
        if self._quiet:
            return None
        change = self._first(self._wanted, self._missing) or self._first(self._active, self._superfluous)
        self._quiet = change is None
        return change

    def accept(self, change: Change) -> None:
        """The server has made the change."""
        active = self._active.setdefault(change.service, {})
        self._again -= {(change.service, key) for key in change.keys}
        if change.command == "UNSUBS":
            for key in change.keys:
                active.pop(key, None)
            return
        if change.command == "SUBS":
            active.clear()
        active.update(dict.fromkeys(change.keys))
        self._viewed[change.service] = change.fields

    def refuse(self, change: Change) -> None:
        """The server will not make the change: leave its keys alone."""
        if change.command == "VIEW":
            self._viewed[change.service] = change.fields
        elif change.command == "UNSUBS":
            self.accept(change)
        else:
            self._refused |= {(change.service, key) for key in change.keys}
            self._again -= self._refused

    def limit(self, change: Change) -> tuple[str, ...]:
        """The server takes no more keys: try half as many, and at the last one leave out all that are missing.

        Returns the keys left out, none while there is still something to try.
        """
        if len(change.keys) > 1:
            self._chunk = len(change.keys) // 2
            return ()
        active = self._active.get(change.service, {})
        left_out = tuple(key for key in self._wanted.get(change.service, ()) if key not in active)
        self._refused |= {(change.service, key) for key in left_out}
        return left_out

    def close(self, service: Service) -> None:
        """The service is not served: ask nothing more of it on this connection."""
        self._closed.add(service)

    def _first(self, services: Iterable[Service], look: Callable[[Service], Change | None]) -> Change | None:
        open_services = (service for service in services if service not in self._closed)
        return next((change for service in open_services if (change := look(service)) is not None), None)

    def _missing(self, service: Service) -> Change | None:
        active = self._active.get(service, {})
        keys = [key for key in self._wanted[service] if self._is_due(service, key)]
        if keys:
            command = "ADD" if active else "SUBS"
            return Change(service, command, tuple(keys[: self._chunk]), self._fields[service])
        if active and self._viewed.get(service) != self._fields[service]:
            return Change(service, "VIEW", (), self._fields[service])
        return None

    def _is_due(self, service: Service, key: str) -> bool:
        where = (service, key)
        return where not in self._refused and (key not in self._active.get(service, ()) or where in self._again)

    def _superfluous(self, service: Service) -> Change | None:
        wanted = set(self._wanted.get(service, ()))
        keys = [key for key in self._active[service] if key not in wanted]
        return Change(service, "UNSUBS", tuple(keys[: self._chunk]), self._fields[service]) if keys else None
