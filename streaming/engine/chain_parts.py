"""The expiries of a chain that are asked for one by one, and the whole they make. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date

from streaming.chains.schwab import merge_chains, renew_merged
from streaming.option_chain import OptionChain


class ChainParts:
    """Keeps the newest part of each expiry; there is no whole before every required expiry is there.

    A sum over half of the expiries would look like the whole. As long as every part lists what it listed, a newer one
    takes its old rows in the whole, which costs a hundredth of merging all of them.
    """

    def __init__(self) -> None:
        self._parts: dict[date, OptionChain] = {}
        self._merged: OptionChain | None = None
        """Of the parts as they were listed last."""
        self._rows: dict[date, slice] = {}
        self._newer: dict[date, None] = {}
        """Which parts the merged chain does not hold yet."""

    def get(self, expiry: date) -> OptionChain | None:
        """The part that is kept of an expiry."""
        return self._parts.get(expiry)

    def add(self, expiry: date, part: OptionChain) -> None:
        """Take a newer part."""
        before = self._parts.get(expiry)
        if before is None or not part.lists_like(before):
            self._merged = None
        self._parts[expiry] = part
        self._newer[expiry] = None

    def keep_only(self, planned: Iterable[date]) -> None:
        """Forget the expiries that are no longer planned."""
        wanted = frozenset(planned)
        kept = {expiry: part for expiry, part in self._parts.items() if expiry in wanted}
        if len(kept) < len(self._parts):
            self._parts, self._merged = kept, None

    def whole(self, required: Iterable[date]) -> OptionChain | None:
        """All parts as one chain; None while a required one is missing, or there is no contract at all."""
        if not any(map(len, self._parts.values())) or not self._parts.keys() >= frozenset(required):
            return None
        parts = [self._parts[expiry] for expiry in sorted(self._parts)]
        self._merged = self._renewed(parts) or merge_chains(parts)
        self._newer.clear()
        return self._merged

    def _renewed(self, parts: Sequence[OptionChain]) -> OptionChain | None:
        """The whole of before with what came since; None where it has to be merged anew."""
        merged = self._merged
        if merged is None or sum(map(len, parts)) > len(merged):  # no whole, or contracts that several parts list
            self._rows.clear()
            return None
        return renew_merged(
            merged, parts, [(self._place(merged, expiry), self._parts[expiry]) for expiry in self._newer]
        )

    def _place(self, merged: OptionChain, expiry: date) -> slice:
        """The rows of a part in the whole, where parts stand one after another."""
        if expiry not in self._rows:
            part = self._parts[expiry]
            start = int((merged.symbol == part.symbol[0]).argmax()) if len(part) else 0
            self._rows[expiry] = slice(start, start + len(part))
        return self._rows[expiry]
