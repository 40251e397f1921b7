"""Events that wait for Redis: in order, within a bound, the oldest ticks given up first. Pure."""

from collections import deque

from streaming.bus.events import KINDS

Entry = tuple[int, int, bytes]
"""(place in the order of all events, number of its kind, encoded event)."""


class EventBuffer:
    """A queue bounded in events and bytes that never refuses; what it gives up is counted by kind."""

    def __init__(self, *, max_events: int, max_bytes: int) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._ticks: deque[Entry] = deque()
        self._books: deque[Entry] = deque()
        self._queues = tuple(self._ticks if kind.given_up_first else self._books for kind in KINDS)
        self._place = 0
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

    def add(self, kind: int, payload: bytes) -> None:
        """Append one event; at the bound the oldest tick goes, or the oldest book when no tick is left."""
        self._queues[kind].append((self._place, kind, payload))
        self._place += 1
        self._length += 1
        self.size_bytes += len(payload)
        while self.size_bytes > self._max_bytes or self._length > self._max_events:
            self._give_up_one()

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
        if self._length <= max_events and self.size_bytes <= max_bytes:
            return self._take_all()
        ticks, books = self._ticks, self._books
        batch: list[Entry] = []
        size = 0
        while len(batch) < max_events and size < max_bytes and (ticks or books):
            entry = ticks.popleft() if ticks and (not books or ticks[0][0] < books[0][0]) else books.popleft()
            batch.append(entry)
            size += len(entry[2])
        self._length -= len(batch)
        self.size_bytes -= size
        return batch

    def _take_all(self) -> list[Entry]:
        ticks, books = self._ticks, self._books
        batch = [*ticks, *books]
        batch.sort()  # by place: two runs in order, merged
        ticks.clear()
        books.clear()
        self._length = self.size_bytes = 0
        return batch
