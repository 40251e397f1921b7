"""How many contracts were traded over the last minutes, line by line, from the day's volumes.

A volume is heard with a poll or a quote, so that is when its trades count. One that falls is no trade; where it has
stood lower for a minute (a correction, a feed that begins its day late) it is counted from there. See
`specs/gex-method.md` §11.
"""

from bisect import bisect_right
from collections.abc import Hashable
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streaming.gex.pricing.formulas import Floats
from streaming.gex.pricing.lines import Ints
from streaming.gex.results.max_change import WINDOWS_S, stands_for

SPANS_S: Final = (0.0, *WINDOWS_S)
"""Since the volumes heard before, then the windows of max change."""
HOLD_S: Final = 60.0
_TIDY_AFTER: Final = 100
Symbols = NDArray[np.str_]


class TradeLog:
    """The rises of volume within the longest window, each with the instant at which it was heard.

    Contracts are numbered as they come, so that the log outlives a chain that lists others.
    """

    def __init__(self) -> None:
        self._epoch: Hashable = None
        self._noted: Floats | None = None
        """The volumes that were taken last."""
        self._busy: NDArray[np.intp] | None = None
        """What `busy` has found, until something is traded or forgotten."""
        self._forget()

    def start_epoch(self, epoch: Hashable) -> None:
        """Forget everything when the session is not that of last time."""
        if epoch != self._epoch:
            self._epoch = epoch
            self._forget()

    def note(self, at_s: float, symbols: Symbols, volume: Floats) -> None:
        """Take the day's volumes by contract; a contract seen for the first time has traded nothing yet.

        The same array again says that no volume has changed.
        """
        self._list(symbols, volume)
        self._move(at_s)
        if volume is self._noted and not self._any_lower:
            return
        self._noted = volume
        rise = volume - self._counted
        risen = np.flatnonzero(rise > 0.0)
        self._hear(self._numbers[risen], rise[risen])
        self._counted[risen] = volume[risen]
        self._start_anew(at_s, rise < 0.0, volume)

    def busy(self) -> NDArray[np.intp]:
        """The lines of the chain noted last that were traded over the longest span, so over any."""
        if self._busy is None:
            self._busy = np.flatnonzero(self._sums[-1, self._numbers])
        return self._busy

    def traded(self, rows: Ints) -> Floats:
        """Contracts traded on lines of the chain noted last, over each of `SPANS_S`; shape (6, rows)."""
        found: Floats = self._sums[:, self._numbers[rows]]
        return found

    def knows(self, span: int) -> bool:
        """Whether volumes were heard when a span began; until then its sums are of a shorter one."""
        prior = self._begins[span] - 1
        if prior < 0 or span == 0:
            return prior >= 0
        return stands_for(SPANS_S[span], self._heard_at[-1] - self._heard_at[prior])

    def _forget(self) -> None:
        self._by_symbol: dict[str, int] = {}
        """Filled when a chain lists other contracts than the one before, which is rare."""
        self._symbols: Symbols = np.zeros(0, "U1")
        self._numbers: Ints = np.zeros(0, np.int64)
        self._counted: Floats = np.zeros(0)
        """By line: the volume up to which trades are counted."""
        self._fell_s: Floats = np.zeros(0)
        """By line: since when its volume is below that; NaN where it is not."""
        self._any_lower = False
        self._noted = self._busy = None
        self._sums: Floats = np.zeros((len(SPANS_S), 0))
        """By span and number: contracts traded."""
        self._heard_at: list[float] = []
        self._heard: list[list[tuple[Ints, Floats]]] = []
        self._begins = [0] * len(SPANS_S)
        """By span: the place in the log from which on it is summed up."""

    def _list(self, symbols: Symbols, volume: Floats) -> None:
        """Take over what is known of the contracts that are still listed."""
        if symbols is self._symbols:
            return
        numbered = self._sums.shape[1]
        if not numbered:
            self._numbers = np.arange(symbols.size)
            self._counted, self._fell_s = volume.copy(), np.full(symbols.size, np.nan)
            self._sums = np.zeros((len(SPANS_S), symbols.size))
        elif not np.array_equal(symbols, self._symbols):
            by_symbol = self._by_symbol
            by_symbol.update(zip(self._symbols.tolist(), self._numbers.tolist(), strict=True))
            fresh = dict.fromkeys(name for name in symbols.tolist() if name not in by_symbol)
            by_symbol.update(zip(fresh, range(numbered, numbered + len(fresh)), strict=True))
            numbers = np.array([by_symbol[name] for name in symbols.tolist()], np.int64)
            self._sums = np.pad(self._sums, ((0, 0), (0, len(fresh))))
            known = np.full((2, self._sums.shape[1]), np.nan)
            known[:, self._numbers] = self._counted, self._fell_s
            counted, self._fell_s = known[:, numbers]
            self._counted = np.where(np.isnan(counted), volume, counted)
            self._numbers = numbers
        self._symbols, self._noted, self._busy = symbols, None, None

    def _move(self, at_s: float) -> None:
        """Begin an entry of the log at an instant, if it is newer, and take out of each span what is older than it."""
        if self._heard_at and at_s <= self._heard_at[-1]:
            return
        self._heard_at.append(at_s)
        self._heard.append([])
        for span, length_s in enumerate(SPANS_S):
            begin = bisect_right(self._heard_at, at_s - length_s, hi=len(self._heard_at) - 1)
            for numbers, contracts in chain.from_iterable(self._heard[self._begins[span] : begin]):
                self._sums[span, numbers] -= contracts
                self._busy = None
            self._begins[span] = begin
        self._tidy(min(self._begins) - 1)

    def _hear(self, numbers: Ints, contracts: Floats) -> None:
        if numbers.size:
            self._heard[-1].append((numbers, contracts))
            self._sums[:, numbers] += contracts
            self._busy = None

    def _start_anew(self, at_s: float, lower: NDArray[np.bool_], volume: Floats) -> None:
        """Count from a lower volume on, once it has stood for a minute."""
        was_lower, self._any_lower = self._any_lower, bool(lower.any())
        if was_lower or self._any_lower:
            self._fell_s = np.where(lower, np.fmin(self._fell_s, at_s), np.nan)
            anew = np.flatnonzero(at_s - self._fell_s >= HOLD_S)
            self._counted[anew], self._fell_s[anew] = volume[anew], np.nan

    def _tidy(self, past: int) -> None:
        if past >= _TIDY_AFTER:
            del self._heard[:past], self._heard_at[:past]
            self._begins = [place - past for place in self._begins]
