"""ACCT_ACTIVITY: every item once, in order, and the nightly row that means nothing (specs/schwab-wire.md §2.15)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from streaming.sim.market import Market
from streaming.sim.stream.rows import Row

ACCOUNT: Final = "11221122"
_SUBSCRIBED: Final = "SUBSCRIBED"
_NIGHTLY: Final = "Feature not supported"


@dataclass(slots=True)
class ActivityRows:
    """What happened to the account; each subscription gets `SUBSCRIBED` first and then what comes after it."""

    market: Market
    items: list[Row] = field(default_factory=list)
    _nights: int = 0

    def __post_init__(self) -> None:
        self._nights = self.market.nights

    def tell(self, kind: str, data: str | None = None) -> None:
        """Add an item; `data` is a JSON document as text, plain text, or nothing."""
        self.items.append({"seq": len(self.items) + 1, "1": ACCOUNT, "2": kind, "3": data})

    def first(self) -> Row:
        return {"seq": 0, "1": ACCOUNT, "2": _SUBSCRIBED, "3": ""}

    def told(self) -> int:
        while self._nights < self.market.nights:
            self._nights += 1
            self.tell(_NIGHTLY)
        return len(self.items)

    def since(self, seen: int) -> Sequence[Row]:
        return self.items[seen : self.told()]
