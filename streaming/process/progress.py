"""How far something is, for whoever waits at a terminal."""

import sys
import time
from collections.abc import Callable
from typing import Any, Final, Self, TextIO

_QUIET_S: Final = 1.0
_EVERY_S: Final = 0.2
_FORM: Final = "{desc} |{bar:30}| {percentage:3.0f}%, {remaining} left"


class ProgressBar:
    """A line on a terminal's standard error once something has taken a second, gone when it is over."""

    def __init__(
        self, name: str, *, out: TextIO | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = name
        self._out = out or sys.stderr
        self._monotonic = monotonic
        self._bar: Any = None
        self._due_s = float("inf")

    def __enter__(self) -> Self:
        self._due_s = self._monotonic() + _QUIET_S
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def show(self, share: float) -> None:
        """Draw it anew, five times a second at most; `share` is from 0 to 1."""
        now_s = self._monotonic()
        if now_s < self._due_s or not self._out.isatty():
            return
        self._due_s = now_s + _EVERY_S
        if self._bar is None:
            self._bar = _drawn(self._name, share, self._out)
        self._bar.n = share
        self._bar.refresh()

    def clear(self) -> None:
        """Remove it before something else is said."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _drawn(name: str, share: float, out: TextIO) -> Any:
    from tqdm import tqdm  # type: ignore[import-untyped]

    tqdm.monitor_interval = 0  # no thread of its own
    return tqdm(total=1.0, initial=share, desc=name, file=out, leave=False, bar_format=_FORM, ascii=".#")
