"""The picture of a live message: drawn for each new one beside the beat, and handed over with an edit that is due."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from streaming.clock import Clock
from streaming.errors import GexcordError

_LOG: Final = logging.getLogger(__name__)
_DRAWN_AGAIN_S: Final = 15.0
_MOST_DRAWN: Final = 4
"""So often it is tried for one message: figures over time need a second snapshot at least."""
_MOST_SENT: Final = 3


@dataclass(frozen=True, slots=True)
class Illustration:
    """A finished picture."""

    png: bytes
    alt: str


Draw = Callable[[], Awaitable[Illustration]]
"""Of the newest figures; any GexcordError where there is no picture."""


class Illustrator:
    """Has one picture drawn for each message of a board; its failures cost the message nothing."""

    def __init__(self, draw: Draw | None, clock: Clock, ready: Callable[[], object]) -> None:
        """`ready` is called when a picture is done; without `draw` there are none."""
        self._draw = draw
        self._clock = clock
        self._ready = ready
        self._message_id: int | None = None
        self._drawing: asyncio.Task[None] | None = None
        self._picture: Illustration | None = None
        self._sent = 0
        self.trouble: str | None = None
        """Why the message has no picture."""

    def begin(self, message_id: int | None) -> None:
        """Have a picture drawn for a message that none was drawn for; returns at once."""
        if self._draw is None or message_id in {None, self._message_id}:
            return
        self._end()
        self._message_id, self._sent = message_id, 0
        self._drawing = asyncio.create_task(self._make(self._draw), name=f"picture of message {message_id}")

    def ready_for(self, message_id: int | None) -> Illustration | None:
        """The picture that a message still lacks."""
        return self._picture if message_id == self._message_id else None

    def attached(self) -> None:
        """The message has it."""
        self._picture = self.trouble = None

    def failed(self, error: GexcordError, *, passes: bool) -> None:
        """Discord did not take it: what `passes` is tried again a few times, with this message."""
        self._sent += 1
        if passes and self._sent < _MOST_SENT:
            return
        self._picture = None
        self._missing(error)

    async def close(self) -> None:
        """Draw no more."""
        drawing = self._drawing
        self._end()
        if drawing is not None:
            await asyncio.wait({drawing})

    async def _make(self, draw: Draw) -> None:
        for attempt in range(_MOST_DRAWN):
            if attempt:
                await self._clock.sleep(_DRAWN_AGAIN_S)
            try:
                self._picture = await draw()
            except GexcordError as error:
                self._missing(error)
            except Exception:  # noqa: BLE001  # a bug of one kind of picture is logged and must not end its board
                _LOG.exception("the picture of message %s could not be drawn", self._message_id)
                self.trouble = "it could not be drawn; the log has the details"
                return
            else:
                self._ready()
                return

    def _missing(self, error: GexcordError) -> None:
        if self.trouble != error.sentence:
            _LOG.info("message %s has no picture: %s", self._message_id, error.sentence)
        self.trouble = error.sentence

    def _end(self) -> None:
        if self._drawing is not None:
            self._drawing.cancel()
        self._drawing = self._picture = None
