"""Chains as their sources sent them, kept for an engine process that has to begin anew. Pure."""

import zlib
from datetime import date
from typing import Final

import msgspec

from streaming.chains.corroboration import Corroboration
from streaming.chains.expiry_sizes import ExpirySize, Known, are_alike, known_after
from streaming.engine.protocol import ChainAbout, ChainReceipt, Doubtful, Load
from streaming.errors import ContractError

MOST_BYTES: Final = 96 << 20
"""Half a megabyte an expiry: some two hundred of them."""
_MOST_SHORT_LIVES: Final = 3
"""Of processes in a row; then it may be the chains that end them."""


class ChainDelivery(ChainAbout, frozen=True, kw_only=True):
    """A chain, or one expiry of it, as its source sent it."""

    payload: bytes
    is_packed: bool = False

    def packed(self) -> "ChainDelivery":
        """The same in a tenth of the memory; half a megabyte takes some milliseconds."""
        return msgspec.structs.replace(self, payload=zlib.compress(self.payload, level=1), is_packed=True)

    @property
    def body(self) -> bytes:
        """What was sent."""
        return zlib.decompress(self.payload) if self.is_packed else self.payload

    @property
    def subject(self) -> tuple[str, date | None]:
        """What it is a chain of."""
        return self.underlying, self.expiry

    @property
    def order(self) -> Load:
        """What the engine process is told about these bytes, by themselves."""
        return Load(**{name: getattr(self, name) for name in ChainAbout.__struct_fields__})


class ChainRecord:
    """What is known of each chain and what is doubted; it outlives the process that computes.

    A process that begins anew knows nothing, so what an answer must measure up to is kept here.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, date | None], Known] = {}
        self._doubts: Corroboration[tuple[ExpirySize, ...]] = Corroboration(are_alike)

    def order(self, body: ChainDelivery) -> Load:
        """The order to take these bytes if they measure up to what is known."""
        return msgspec.structs.replace(body.order, known=self._known.get(body.subject))

    def hear(self, body: ChainDelivery, answer: Doubtful) -> None:
        """ContractError, unless the same has been doubted often and long enough to be believed."""
        at = body.came_at or body.asof
        if at is None or not self._doubts.confirms(body.subject, answer.sizes, at):
            raise ContractError(answer.reason)

    def believe(self, body: ChainDelivery, receipt: ChainReceipt) -> None:
        """These bytes were taken: the next ones are measured by them."""
        self._doubts.settle(body.subject)
        known = self._known.get(body.subject)
        self._known[body.subject] = known_after(known, receipt.sizes, strikes=body.strikes)
        if body.expiry is not None:
            self._forget_unplanned(body)

    def _forget_unplanned(self, body: ChainDelivery) -> None:
        planned = {*body.planned, body.expiry}
        self._known = {
            subject: known
            for subject, known in self._known.items()
            if subject[0] != body.underlying or subject[1] in planned
        }


class KeptChains:
    """The newest accepted part of each expiry, within `most_bytes`; beyond that nothing is kept until `clear`.

    With a part that had no open interest the one before it that had some is kept too. Whole chains are not kept:
    whoever sends those sends everything each time.
    """

    def __init__(self, *, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._parts: dict[str, dict[date, tuple[ChainDelivery, ...]]] = {}
        self._overflown = False
        self._given = False
        self._short_lives = 0

    def __len__(self) -> int:
        return sum(len(parts) for parts in self._parts.values())

    def keep(self, body: ChainDelivery, *, leans: bool = False) -> None:
        """Take what the engines have just accepted; expiries that are no longer planned go.

        With `leans` the open interest is that of a part before.
        """
        if body.expiry is None or self._overflown:
            return
        parts = self._parts.setdefault(body.underlying, {})
        before = parts.pop(body.expiry, ())  # the newest is the last, and its plan is the one that counts
        parts[body.expiry] = (*before[:1], body) if leans else (body,)
        for expiry in parts.keys() - {*body.planned, body.expiry}:
            del parts[expiry]
        self._overflown = sum(len(part.payload) for part in self._all()) > self._most_bytes
        if self._overflown:
            self._parts.clear()

    def swap(self, kept: ChainDelivery, packed: ChainDelivery) -> None:
        """Keep it packed, if it is still kept."""
        parts = self._parts.get(kept.underlying, {})
        if kept.expiry is not None and (bodies := parts.get(kept.expiry)) is not None:
            parts[kept.expiry] = tuple(packed if body is kept else body for body in bodies)

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

    def take(self) -> list[ChainDelivery]:
        """Everything kept, each part with its underlying's newest plan; nothing is kept then."""
        self._given = len(self) > 0
        taken: list[ChainDelivery] = []
        for parts in self._parts.values():
            newest = next(reversed(parts.values()))[-1]
            plan = {"planned": newest.planned, "required": newest.required}
            taken += [msgspec.structs.replace(part, **plan) for bodies in parts.values() for part in bodies]
        self.clear()
        return taken

    def _all(self) -> list[ChainDelivery]:
        return [part for parts in self._parts.values() for bodies in parts.values() for part in bodies]
