"""Which expiry to ask for next, within a request budget. Pure: seconds in, a task out.

Schwab serves one expiry per request and about 120 requests a minute (specs/schwab-wire.md §3.7). Near expiries
carry the gamma that moves, so they are asked for often and far ones seldom; expiries that were never
loaded come first, nearest first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

NEAREST_INTERVAL_S: Final = 5.0
_BUDGET_SHARE: Final = 0.9
_WEIGHTS: Final = (1.0, 3.0, 8.0, 8.0, 8.0)
_FAR_WEIGHT: Final = 24.0
_MAX_FAILURE_FACTOR: Final = 16.0
_GIVE_UP_AFTER: Final = 3


@dataclass(frozen=True, slots=True)
class ChainRequest:
    """One expiry of one underlying, by Schwab's symbol."""

    symbol: str
    expiry: date


@dataclass(slots=True)
class _Entry:
    weight: float
    due_s: float = 0.0
    loaded_s: float | None = None
    failures: int = 0


class ChainPlan:
    """Keeps when each expiry was last loaded and decides what is due."""

    def __init__(self, requests_per_minute: int) -> None:
        self._budget_per_s = requests_per_minute * _BUDGET_SHARE / 60.0
        self._entries: dict[ChainRequest, _Entry] = {}
        self._in_flight: set[ChainRequest] = set()

    def update(self, symbol: str, expiries: Sequence[date]) -> None:
        """Set the expiries of a symbol; known ones keep their age, vanished ones are forgotten."""
        wanted = [ChainRequest(symbol, expiry) for expiry in sorted(set(expiries))]
        for request in [known for known in self._entries if known.symbol == symbol]:
            if request not in wanted:
                del self._entries[request]
        for rank, request in enumerate(wanted):
            weight = _WEIGHTS[rank] if rank < len(_WEIGHTS) else _FAR_WEIGHT
            self._entries.setdefault(request, _Entry(weight)).weight = weight

    def take(self, now_s: float) -> ChainRequest | None:
        """The most urgent request that is due, now marked in flight; None when nothing is due."""
        due = [
            (entry.loaded_s is not None, entry.due_s, request.expiry, request.symbol, request)
            for request, entry in self._entries.items()
            if entry.due_s <= now_s and request not in self._in_flight
        ]
        if not due:
            return None
        request = min(due)[-1]
        self._in_flight.add(request)
        return request

    def loaded(self, request: ChainRequest, now_s: float) -> None:
        """The request succeeded."""
        self._in_flight.discard(request)
        if (entry := self._entries.get(request)) is not None:
            entry.loaded_s, entry.failures = now_s, 0
            entry.due_s = now_s + self._base_s() * entry.weight

    def failed(self, request: ChainRequest, now_s: float, *, retry_after_s: float | None = None) -> None:
        """The request failed: it comes again, later each time."""
        self._in_flight.discard(request)
        if (entry := self._entries.get(request)) is not None:
            entry.failures += 1
            factor = min(2.0 ** (entry.failures - 1), _MAX_FAILURE_FACTOR)
            entry.due_s = now_s + max(retry_after_s or 0.0, NEAREST_INTERVAL_S * factor)

    def postpone(self, now_s: float, wait_s: float) -> None:
        """Nothing is due before `wait_s` from now: the other side asked everybody to slow down."""
        for entry in self._entries.values():
            entry.due_s = max(entry.due_s, now_s + wait_s)

    def put_back(self, request: ChainRequest) -> None:
        """The answer could not be used for a reason of ours: the request is as due as it was."""
        self._in_flight.discard(request)

    def forget(self, request: ChainRequest) -> None:
        """The expiry is over: nobody asks for it any more."""
        self._in_flight.discard(request)
        self._entries.pop(request, None)

    def forget_loaded(self) -> None:
        """Nothing counts as loaded any more, and all is due now; what was refused and never loaded stays refused."""
        for entry in self._entries.values():
            if entry.loaded_s is not None:
                entry.loaded_s, entry.due_s, entry.failures = None, 0.0, 0

    def planned(self, symbol: str) -> tuple[date, ...]:
        """The expiries of a symbol, nearest first."""
        return tuple(sorted(request.expiry for request in self._entries if request.symbol == symbol))

    def required(self, symbol: str) -> tuple[date, ...]:
        """The expiries without which a picture is not whole: all but those refused three times and never loaded."""
        return tuple(
            expiry
            for expiry in self.planned(symbol)
            if (entry := self._entries[ChainRequest(symbol, expiry)]).failures < _GIVE_UP_AFTER
            or entry.loaded_s is not None
        )

    def ages_s(self, symbol: str, now_s: float) -> Mapping[date, float | None]:
        """Seconds since each expiry of a symbol was loaded, None where it never was."""
        return {
            request.expiry: None if entry.loaded_s is None else now_s - entry.loaded_s
            for request, entry in sorted(self._entries.items(), key=lambda item: item[0].expiry)
            if request.symbol == symbol
        }

    def _base_s(self) -> float:
        demand = sum(1.0 / entry.weight for entry in self._entries.values())
        return max(NEAREST_INTERVAL_S, demand / self._budget_per_s)
