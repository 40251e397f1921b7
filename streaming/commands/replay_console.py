"""The terminal of a replay: keys and a signal that pause it, and a line that says how far it is."""

import asyncio
import io
import os
import signal
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TextIO

from streaming.calendar import new_york
from streaming.clock import instant_of
from streaming.replay.player import SnapshotReplay

_EVERY_S: Final = 0.5
_EVERY_S_IN_A_LOG: Final = 10.0
_KEYS: Final = frozenset(b" \r\n")


@contextmanager
def pause_keys(toggle: Callable[[], None], source: TextIO) -> Iterator[str]:
    """Let SIGUSR1 and, on a terminal, space and enter call `toggle`; gives the sentence that says so."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, toggle)
    keyboard = _terminal(source)
    before = None if keyboard is None else termios.tcgetattr(keyboard)
    try:
        if keyboard is None:
            yield f"`kill -USR1 {os.getpid()}` pauses it, and lets it go on."
        else:
            tty.setcbreak(keyboard)
            loop.add_reader(keyboard, _read, keyboard, toggle)
            yield "Space or Enter pauses it, and lets it go on; Ctrl+C ends it."
    finally:
        loop.remove_signal_handler(signal.SIGUSR1)
        if keyboard is not None and before is not None:
            loop.remove_reader(keyboard)
            termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


def _terminal(source: TextIO) -> int | None:
    """The descriptor of a terminal that this process may read; None for a pipe, a closed input or in the background."""
    try:
        descriptor = source.fileno()
        if not os.isatty(descriptor) or os.tcgetpgrp(descriptor) != os.getpgrp():
            return None
    except (OSError, ValueError, AttributeError, io.UnsupportedOperation):
        return None
    return descriptor


def _read(descriptor: int, toggle: Callable[[], None]) -> None:
    try:
        pressed = os.read(descriptor, 64)
    except OSError:
        pressed = b""
    if not pressed:  # the terminal is gone
        asyncio.get_running_loop().remove_reader(descriptor)
    for key in pressed:
        if key in _KEYS:
            toggle()


async def show_progress(player: SnapshotReplay, out: TextIO) -> None:
    """Keep one line current on a terminal; elsewhere write one now and then. Until cancelled."""
    terminal = out.isatty()
    try:
        while True:
            await asyncio.sleep(_EVERY_S if terminal else _EVERY_S_IN_A_LOG)
            out.write(f"\r\x1b[K{progress_line(player)}" if terminal else f"{progress_line(player)}\n")
            out.flush()
    finally:
        if terminal:
            out.write("\r\x1b[K")
            out.flush()


def progress_line(player: SnapshotReplay) -> str:
    """Such as `2026-11-20 10:31:05 New York · 1234 snapshots · 0 ticks · paused`."""
    if player.market_ms is None:
        return "nothing played yet"
    at = new_york(instant_of(player.market_ms))
    counts = f"{player.played} snapshots · {player.ticks} ticks"
    return f"{at:%Y-%m-%d %H:%M:%S} New York · {counts}{' · paused' if player.paused else ''}"
