"""WebSocket bytes apart: whole plain text messages on one side, all the rest on the other (RFC 6455 §5.2). Pure.

Market data is text frame after text frame, so finding their borders is nearly all of the protocol's work. The rest
(pings, closes, fragments, mistakes) is left to the library, which gets those frames as they came.
"""

from collections.abc import Callable
from typing import Final

_TEXT: Final = 0x81
"""The first byte of a whole text message: FIN, no extension, opcode 1."""
_FIN: Final = 0x80
_OPCODE: Final = 0x0F
_FIRST_CONTROL: Final = 0x8
_SHORT: Final = 126
"""From here on the second byte is no size: two bytes with it follow; eight after _LONG; beyond that it is masked."""
_LONG: Final = 127


class FrameSplitter:
    """Takes bytes as they arrive; hands each text's payload to `text`, any other frame whole to `other`, in order.

    After a frame that breaks the protocol, or is longer than `max_size`, everything goes to `other` as it is: the
    library ends the connection with the right close code.
    """

    def __init__(self, text: Callable[[bytes], None], other: Callable[[bytes], None], *, max_size: int) -> None:
        self._text = text
        self._other = other
        self._max_size = max_size
        self._rest = b""
        self._in_fragments = False
        self._given_up = False

    def give_up(self) -> None:
        """Hand over everything as it is from now on."""
        self._given_up = True

    def feed(self, data: bytes) -> None:
        """Work off what arrived; an unfinished frame waits for the rest of it."""
        if self._rest:
            data, self._rest = self._rest + data, b""
        text, at, end = self._text, 0, len(data)
        while end - at > 1 and not self._given_up:
            size = data[at + 1]
            start = at + 2
            if size >= _SHORT:
                start += 2 if size == _SHORT else 8
                if end < start:
                    break
                if size > _LONG or (size := int.from_bytes(data[at + 2 : start], "big")) > self._max_size:
                    self._given_up = True
                    break
            stop = start + size
            if stop > end:
                break
            if data[at] == _TEXT and not self._in_fragments:
                text(data[start:stop])
            else:
                self._pass_on(data[at:stop])
            at = stop
        if not self._given_up:
            self._rest = data[at:]
        elif at < end:
            self._other(data[at:])

    def _pass_on(self, frame: bytes) -> None:
        if frame[0] & _OPCODE < _FIRST_CONTROL:
            self._in_fragments = not frame[0] & _FIN
        self._other(frame)
