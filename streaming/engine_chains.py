"""Chains as their sources sent them, kept for an engine process that has to begin anew. Pure."""

from datetime import date, datetime
from typing import Final

import msgspec

from streaming.engine_protocol import ChainKind, Load

MOST_BYTES: Final = 96 << 20
"""Half a megabyte an expiry: some two hundred of them."""
_MOST_SHORT_LIVES: Final = 3
"""Of processes in a row; then it may be the chains that end them."""


class ChainBody(msgspec.Struct, frozen=True, kw_only=True):
    """A chain, or one expiry of it, as its source sent it."""

    underlying: str
    kind: ChainKind
    payload: bytes
    source: str = "schwab"
    """Whose figures these are, where the bytes do not say."""
    asof: datetime | None = None
    """Quote time; None: what the bytes say."""
    expiry: date | None = None
    """None when this is the whole chain."""
    planned: tuple[date, ...] = ()
    """With `expiry`: all that make up the whole; others are forgotten."""
    required: tuple[date, ...] = ()
    """With `expiry`: those without which there is no whole yet."""

    @property
    def order(self) -> Load:
        """What the engine process is told about these bytes."""
        return Load(self.underlying, self.kind, self.asof, self.expiry, self.planned, self.required, self.source)


class KeptChains:
    """The newest accepted part of each expiry, within `most_bytes`; beyond that nothing is kept until `clear`.

    Whole chains are not kept: whoever sends those sends everything each time.
    """

    def __init__(self, *, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._parts: dict[str, dict[date, ChainBody]] = {}
        self._overflown = False
        self._given = False
        self._short_lives = 0

    def __len__(self) -> int:
        return sum(len(parts) for parts in self._parts.values())

    def keep(self, body: ChainBody) -> None:
        """Take what the engines have just accepted; expiries that are no longer planned go."""
        if body.expiry is None or self._overflown:
            return
        parts = self._parts.setdefault(body.underlying, {})
        parts.pop(body.expiry, None)  # the newest is the last, and its plan is the one that counts
        parts[body.expiry] = body
        for expiry in parts.keys() - {*body.planned, body.expiry}:
            del parts[expiry]
        self._overflown = sum(len(part.payload) for part in self._all()) > self._most_bytes
        if self._overflown:
            self._parts.clear()

    def clear(self) -> None:
        """Keep nothing of what was, and begin anew."""
        self._parts.clear()
        self._overflown = False

    def outlive(self, *, settled: bool) -> bool:
        """A process has ended, `settled` or soon: whether the next one can be given its chains.

        Not when there are none, when it ended over them, or when several have ended soon: then all are forgotten.
        """
        self._short_lives = 0 if settled else self._short_lives + 1
        if len(self) and not self._given and self._short_lives <= _MOST_SHORT_LIVES:
            return True
        self.clear()
        self._given, self._short_lives = False, 0
        return False

    def back(self) -> None:
        """What was taken out has been accepted again."""
        self._given = False

    def take(self) -> list[ChainBody]:
        """Everything kept, each part with its underlying's newest plan; nothing is kept then."""
        self._given = len(self) > 0
        taken: list[ChainBody] = []
        for parts in self._parts.values():
            newest = next(reversed(parts.values()))
            plan = {"planned": newest.planned, "required": newest.required}
            taken += [msgspec.structs.replace(part, **plan) for part in parts.values()]
        self.clear()
        return taken

    def _all(self) -> list[ChainBody]:
        return [part for parts in self._parts.values() for part in parts.values()]
