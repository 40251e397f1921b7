"""The expiries of one underlying as they were polled last, and the whole they make. Pure."""

from collections.abc import Iterable
from datetime import date

from streaming.chains.schwab import merge_chains
from streaming.model import OptionChain


class ChainParts:
    """Keeps the newest part of each expiry; there is no whole before every required expiry is there.

    A sum over half of the expiries would look like the whole.
    """

    def __init__(self) -> None:
        self._parts: dict[date, OptionChain] = {}

    def get(self, expiry: date) -> OptionChain | None:
        """The part that is kept of an expiry."""
        return self._parts.get(expiry)

    def add(self, expiry: date, part: OptionChain) -> None:
        """Take a newer part."""
        self._parts[expiry] = part

    def keep_only(self, planned: Iterable[date]) -> None:
        """Forget the expiries that are no longer planned."""
        wanted = frozenset(planned)
        self._parts = {expiry: part for expiry, part in self._parts.items() if expiry in wanted}

    def whole(self, required: Iterable[date]) -> OptionChain | None:
        """All parts as one chain; None while a required one is missing, or there is no contract at all."""
        if not any(map(len, self._parts.values())) or not self._parts.keys() >= frozenset(required):
            return None
        return merge_chains([self._parts[expiry] for expiry in sorted(self._parts)])
