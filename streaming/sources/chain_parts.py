"""The expiries of one underlying as they were polled last, and the whole they make. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from streaming.model import OptionChain
from streaming.schwab.chains import merge_chains


class ChainParts:
    """Keeps the newest part of each expiry; there is no whole before every required expiry is there.

    A sum over half of the expiries would look like the whole.
    """

    def __init__(self) -> None:
        self._parts: dict[date, OptionChain] = {}

    def add(self, expiry: date, part: OptionChain) -> OptionChain:
        """Take a newer part; where it has no open interest at all, what was known stays (schwab-api.md §3.1)."""
        kept = _with_known_open_interest(part, self._parts.get(expiry))
        self._parts[expiry] = kept
        return kept

    def keep_only(self, planned: Iterable[date]) -> None:
        """Forget the expiries that are no longer planned."""
        wanted = frozenset(planned)
        self._parts = {expiry: part for expiry, part in self._parts.items() if expiry in wanted}

    def whole(self, required: Iterable[date]) -> OptionChain | None:
        """All parts as one chain; None while a required one is missing, or there is none at all."""
        if not self._parts or not self._parts.keys() >= frozenset(required):
            return None
        return merge_chains([self._parts[expiry] for expiry in sorted(self._parts)])


def _with_known_open_interest(part: OptionChain, known: OptionChain | None) -> OptionChain:
    if known is None or part.open_interest.any() or not known.open_interest.any():
        return part
    by_symbol = dict(zip(known.symbol.tolist(), known.open_interest.tolist(), strict=True))
    interest = part.open_interest.copy()
    for row, symbol in enumerate(part.symbol.tolist()):
        interest[row] = by_symbol.get(symbol, 0.0)
    return replace(part, open_interest=interest)
