"""A terminal whose keys are read one by one, on systems that have such."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def keys_of(source: TextIO) -> Iterator[int | None]:
    """The descriptor of a terminal that gives each key at once, until the block ends.

    None for a pipe, a closed input, a terminal whose foreground is another program's, or on Windows.
    """
    keyboard = _terminal(source)
    if keyboard is None:
        yield None
        return
    import termios
    import tty

    before = termios.tcgetattr(keyboard)
    try:
        tty.setcbreak(keyboard)
        yield keyboard
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


def _terminal(source: TextIO) -> int | None:
    try:
        descriptor = source.fileno()
        if not os.isatty(descriptor) or os.tcgetpgrp(descriptor) != os.getpgrp():
            return None
    except (OSError, ValueError, AttributeError, io.UnsupportedOperation):
        return None
    return descriptor
