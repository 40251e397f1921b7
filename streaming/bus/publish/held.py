"""Events that a master has executed and of which no copy is known yet: kept until there is one. Pure."""

from collections import deque
from collections.abc import Collection, Sequence

from streaming.bus.publish.buffer import Entry


class HeldEvents:
    """Oldest first, within a bound; what goes beyond it is given up, and counted by whoever adds it."""

    def __init__(self, *, max_events: int, max_bytes: int) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._entries: deque[Entry] = deque()
        self._size_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entries: Sequence[Entry]) -> int:
        """Keep these too; how many of the oldest were given up for them."""
        self._entries.extend(entries)
        self._size_bytes += sum(len(payload) for _, _, payload in entries)
        given_up = 0
        while len(self._entries) > self._max_events or self._size_bytes > self._max_bytes:
            self._size_bytes -= len(self._entries.popleft()[2])
            given_up += 1
        return given_up

    def take(self) -> list[Entry]:
        """All of them, which are kept here no longer."""
        entries = list(self._entries)
        self._entries.clear()
        self._size_bytes = 0
        return entries


def arrived(entries: Sequence[Entry], executed: Collection[int], found: Collection[bytes]) -> set[int]:
    """Places of what a server has, of events in order: those found in its streams, and older ones of their kind.

    These only where an earlier server had `executed` them: of that another one can lack nothing but the newest. They
    may have been trimmed meanwhile, so that they are found no more.
    """
    newest = {kind: place for place, kind, payload in entries if payload in found}
    return {
        place
        for place, kind, payload in entries
        if payload in found or (place in executed and place < newest.get(kind, -1))
    }
