"""Server-sent events of the page: one bounded queue per viewer."""

import asyncio
import json
from typing import Any, Final

EVENTS_WAITING: Final = 256


class Viewer:
    """One open page; `key` is who its visitor is."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(EVENTS_WAITING)

    def put(self, event: bytes) -> None:
        """Queue an event; a viewer that does not keep up is ended and reloads the state when it comes back."""
        if self._queue.full():
            self.end()
        else:
            self._queue.put_nowait(event)

    def end(self) -> None:
        """Drop what waits and end the stream."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def next(self, timeout_s: float) -> bytes | None:
        """The next event, a comment after a quiet while, or None at the end."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._queue.get()
        except TimeoutError:
            return b": still here\n\n"


class PageHub:
    """Everybody who looks at the page."""

    def __init__(self) -> None:
        self._viewers: set[Viewer] = set()

    @property
    def viewers(self) -> int:
        """How many pages listen."""
        return len(self._viewers)

    def join(self, key: str) -> Viewer:
        """A new listener for the persona `key`."""
        viewer = Viewer(key)
        self._viewers.add(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """Forget a listener; one that is gone already is no error."""
        self._viewers.discard(viewer)

    def publish(self, event: str, data: Any, *, only_for: str | None = None) -> None:
        """Tell every viewer, or those of one persona."""
        if not self._viewers:
            return
        encoded = encode_event(event, data)
        for viewer in list(self._viewers):
            if only_for in {None, viewer.key}:
                viewer.put(encoded)

    def end_all(self) -> None:
        """End every stream, so that the server can stop."""
        for viewer in self._viewers:
            viewer.end()


def encode_event(event: str, data: Any) -> bytes:
    """One server-sent event as bytes; JSON without line breaks, which would end it."""
    return f"event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
