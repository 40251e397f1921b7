"""Events that wait for Redis: in order, within a bound, the oldest ticks given up first. Pure."""

from collections import deque
from collections.abc import Sequence

from streaming.bus.events import KINDS

Entry = tuple[int, int, bytes]
"""(place in the order of all events, number of its kind, encoded event)."""


class EventBuffer:
    """A queue bounded in events and bytes that never refuses; what it gives up is counted by kind.

    Events wait in the list that they are taken in; only what is more than a batch is told apart by what goes first.
    """

    def __init__(self, *, max_events: int, max_bytes: int) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._fresh: list[Entry] = []
        self._ticks: deque[Entry] = deque()
        self._books: deque[Entry] = deque()
        self._queues = tuple(self._ticks if kind.given_up_first else self._books for kind in KINDS)
        self.next_place = 0
        """The lowest that the next event may have."""
        self._length = 0
        self.size_bytes = 0
        self.dropped_ticks = 0
        self.dropped_books = 0

    def __len__(self) -> int:
        return self._length

    @property
    def dropped(self) -> int:
        """Events given up so far."""
        return self.dropped_ticks + self.dropped_books

    def add(self, entries: Sequence[Entry]) -> None:
        """Append events whose places rise from `next_place`; at the bound the oldest tick goes, or book without one."""
        self._fresh += entries
        self.next_place = entries[-1][0] + 1
        self._length += len(entries)
        self.size_bytes += sum([len(payload) for _, _, payload in entries])
        if self.size_bytes > self._max_bytes or self._length > self._max_events:
            self._sort_out()
            while self.size_bytes > self._max_bytes or self._length > self._max_events:
                self._give_up_one()

    def _sort_out(self) -> None:
        for entry in self._fresh:
            self._queues[entry[1]].append(entry)
        self._fresh.clear()

    def _give_up_one(self) -> None:
        ticks, books = self._ticks, self._books
        self._length -= 1
        if ticks:
            self.size_bytes -= len(ticks.popleft()[2])
            self.dropped_ticks += 1
        else:
            self.size_bytes -= len(books.popleft()[2])
            self.dropped_books += 1

    def take(self, *, max_events: int, max_bytes: int) -> list[Entry]:
        """Remove the oldest events, ticks and books in their common order; at least one when there is any."""
        ticks, books = self._ticks, self._books
        if not ticks and not books and self._length <= max_events and self.size_bytes <= max_bytes:
            batch, self._fresh = self._fresh, []
            self._length = self.size_bytes = 0
            return batch
        self._sort_out()
        batch = []
        size = 0
        while len(batch) < max_events and size < max_bytes and (ticks or books):
            entry = ticks.popleft() if ticks and (not books or ticks[0][0] < books[0][0]) else books.popleft()
            batch.append(entry)
            size += len(entry[2])
        self._length -= len(batch)
        self.size_bytes -= size
        return batch
