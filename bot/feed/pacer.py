"""Who may call Discord when: one budget of calls for the whole bot, an even pace in each channel. Pure.

Discord counts the calls of a bot over a sliding second, and each channel's by route in windows that its answers
describe (`X-RateLimit-*`). Calls that keep to both are never refused; here they are also spread, so that boards which
have something to say at the same moment do not say it in one burst.
"""

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

RATE_PER_S: Final = 46.0
"""Of Discord's fifty calls a second, all that is ours to plan; the rest is for what is not planned."""
MOST_IN_A_SECOND: Final = 49
"""Calls that may have reached Discord within any one second, whatever the network does to their spacing."""
EDITS_TURN: Final = 4
"""After so many calls of higher ranks in a row an edit that waits is made: a flood starves no board."""
_CATCH_UP: Final = 3
_LEAST_PER_S: Final = 0.1
_SECOND_S: Final = 1.0
_DELIVERED_S: Final = 2.0
"""A call without an answer has reached Discord by then, or never will."""
_TRIP_REMEMBERED_S: Final = 60.0
_LONGEST_S: Final = 30.0
"""No pace is believed to stand still for longer."""
_SLACK_S: Final = 0.005
"""discord.py counts the end of a window from a moment later than ours, and would sleep through a call before it."""
_LONGEST_GAP_S: Final = 0.25
_SHORTEST_GAP_S: Final = 0.1
_MARK_S: Final = 10.0
"""So long the boards of one mark take to be replaced while they are between forty and 120."""
_OF_INTERVAL: Final = 0.9
"""Of the time between two marks, all replacements of the first take at most so much."""
_REPLACEMENT_CALLS: Final = 2
_KNOWN_FOR_S: Final = 600.0
_MOST_PACES: Final = 4096
_TOO_MANY_REQUESTS: Final = 429


class Rank(IntEnum):
    """Whose call comes first."""

    PEOPLE = 0
    """Alerts, letters to operators, and whatever else nobody ranked."""
    GOODBYE = 1
    """A board that ends: within the few seconds that a process has for it."""
    REPOST = 2
    """A message that replaces another, and the deletion of what it replaced."""
    EDIT = 3


@dataclass(slots=True, eq=False)
class Wish:
    """A call that somebody wants to make."""

    rank: Rank
    channel_id: int | None = None
    """None for calls outside a channel."""
    method: str = "PATCH"
    replaces: bool = False
    """A board past its mark: it would rather replace its message, and edits it as long as it may not."""
    within_s: float = math.inf
    """Of a board: how long after a mark its message is to be replaced, whether or not it is past one."""
    order: int = 0
    settled: bool = False
    """Granted, or wanted no more."""
    as_replacement: bool = False
    """How it was granted."""
    flight: "Flight | None" = None


@dataclass(slots=True, eq=False)
class Flight:
    """A call for which there was room, from then until Discord cannot count it any more."""

    sent_s: float = math.inf
    """When it was made; not yet, for one that may be."""
    ended_s: float = math.inf

    def leaves_s(self, trip_s: float) -> float:
        """When it is out of every second that a call of that moment can fall into."""
        return min(self.ended_s, self.sent_s + _DELIVERED_S) + _SECOND_S - trip_s


class CallBudget:
    """At most so many calls in any sliding second *as Discord sees them*, and these evenly spread.

    A call reaches Discord somewhere between its departure and its answer, so it is counted from the one until a second
    after the other, less what a call needs at least for the way.
    """

    def __init__(self, rate_per_s: float = RATE_PER_S) -> None:
        self.rate_per_s = rate_per_s
        """Calls a second that are ours."""
        self._then_per_s, self._until_s = rate_per_s, math.inf
        self._last_s = -math.inf
        self._held_until_s = -math.inf
        self._flights: set[Flight] = set()
        self._trips = (math.inf, math.inf)
        self._trips_since_s = -math.inf

    @property
    def _gap_s(self) -> float:
        return 1.0 / max(self.rate_per_s, _LEAST_PER_S)

    def lease(self, rate_per_s: float, *, until_s: float, then_per_s: float) -> None:
        """So many calls a second are ours until then; from then on so many others, whoever forgot to say so."""
        self.rate_per_s, self._until_s, self._then_per_s = rate_per_s, until_s, then_per_s

    def wait_s(self, now_s: float) -> float:
        """How long until there is room for a call; infinite when that hangs on an answer."""
        if now_s >= self._until_s:
            self.rate_per_s, self._until_s = self._then_per_s, math.inf
        if now_s < (next_s := max(self._last_s + self._gap_s, self._held_until_s)):
            return next_s - now_s
        trip_s = self._trip_s
        self._flights = {flight for flight in self._flights if flight.leaves_s(trip_s) > now_s}
        if len(self._flights) < max(math.floor(MOST_IN_A_SECOND * self.rate_per_s / RATE_PER_S), 1):
            return 0.0
        return min(flight.leaves_s(trip_s) for flight in self._flights) - now_s

    def take(self, now_s: float) -> Flight:
        """Room for one call, which there is; after a pause of ours a few follow at once, to keep the rate."""
        self._last_s = max(self._last_s + self._gap_s, now_s - _CATCH_UP * self._gap_s)
        flight = Flight()
        self._flights.add(flight)
        return flight

    def give_back(self, flight: Flight, now_s: float) -> None:
        """The call was not made."""
        self._flights.discard(flight)
        self._last_s = min(self._last_s, now_s - self._gap_s)

    def ended(self, flight: Flight, now_s: float) -> None:
        """The call was answered, or given up."""
        flight.ended_s = now_s
        if now_s - self._trips_since_s > _TRIP_REMEMBERED_S:
            self._trips, self._trips_since_s = (math.inf, self._trips[0]), now_s
        self._trips = (min(self._trips[0], now_s - flight.sent_s), self._trips[1])

    def hold(self, until_s: float) -> None:
        """Discord said that the whole bot is too fast."""
        self._held_until_s = max(self._held_until_s, until_s)

    @property
    def _trip_s(self) -> float:
        """Half of the quickest answer of late: for less than both ways together nothing was ever on its way."""
        quickest_s = min(self._trips)
        return min(quickest_s / 2, _SECOND_S / 2) if math.isfinite(quickest_s) else 0.0


@dataclass(slots=True)
class _Window:
    """What an answer said of its bucket, less what has been asked of it since."""

    remaining: int
    seen_s: float
    ends_s: float

    def free_s(self) -> float:
        """From when on a call passes."""
        return self.ends_s if self.remaining <= 0 else -math.inf

    def even_s(self) -> float:
        """From when on a call leaves the rest of the window evenly filled."""
        return self.seen_s + (self.ends_s - self.seen_s) / (max(self.remaining, 0) + 1)


class ChannelPaces:
    """How fast each channel may be written to, by the headers of Discord's answers; unknown is free."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, int], _Window] = {}
        self._buckets: dict[str, str] = {}

    def ready_s(self, method: str, channel_id: int | None, *, even: bool) -> float:
        """From when on a call may be made: for an `even` one late enough to leave no gap before the window ends."""
        window = None if channel_id is None else self._windows.get(self._key(method, channel_id))
        if window is None:
            return -math.inf
        return window.even_s() if even else window.free_s()

    def used(self, method: str, channel_id: int | None) -> None:
        """A call is being made."""
        window = None if channel_id is None else self._windows.get(self._key(method, channel_id))
        if window is not None:
            window.remaining -= 1

    def answered(self, method: str, channel_id: int, headers: Mapping[str, str], now_s: float) -> None:
        """Take what an answer says; one that says nothing changes nothing."""
        remaining, after_s = _number(headers, "X-RateLimit-Remaining"), _number(headers, "X-RateLimit-Reset-After")
        if remaining is None or after_s is None:
            return
        self._buckets[method] = headers.get("X-RateLimit-Bucket", method)
        self._set(method, channel_id, _Window(int(remaining), now_s, now_s + min(after_s, _LONGEST_S) + _SLACK_S))

    def refused(self, method: str, channel_id: int, until_s: float, now_s: float) -> None:
        """Discord asks to wait; a window that is used up lasts to its own end all the same."""
        known = self._windows.get(self._key(method, channel_id))
        used_up_s = known.ends_s if known is not None and known.remaining <= 0 else -math.inf
        self._set(method, channel_id, _Window(0, now_s, max(until_s + _SLACK_S, used_up_s)))

    def _set(self, method: str, channel_id: int, window: _Window) -> None:
        if len(self._windows) > _MOST_PACES:
            self._windows = {key: each for key, each in self._windows.items() if each.ends_s > window.seen_s}
        self._windows[self._key(method, channel_id)] = window

    def _key(self, method: str, channel_id: int) -> tuple[str, int]:
        """Routes that share a bucket share its window."""
        return self._buckets.get(method, method), channel_id


@dataclass(slots=True)
class _Queue:
    """Wishes of one kind, those first whose channel was served longest ago."""

    heap: list[tuple[float, float, int, Wish]] = field(default_factory=list)

    def put(self, served_s: float, wish: Wish, *, hurry_s: float = 0.0) -> None:
        """Before all that have more time than `hurry_s`."""
        heapq.heappush(self.heap, (hurry_s, served_s, wish.order, wish))

    def first(self) -> Wish | None:
        while self.heap and self.heap[0][-1].settled:
            heapq.heappop(self.heap)
        return self.heap[0][-1] if self.heap else None


class Pacer:
    """Grants wishes one by one: the highest rank first, in a rank the channel that was served longest ago."""

    def __init__(self, rate_per_s: float = RATE_PER_S) -> None:
        self.budget: Final = CallBudget(rate_per_s)
        self.paces: Final = ChannelPaces()
        self._queues: dict[Rank, _Queue] = {rank: _Queue() for rank in Rank}
        self._replacing = _Queue()
        self._later: list[tuple[float, int, Wish]] = []
        self._served_s: dict[int, float] = {}
        self._within_s: dict[int, float] = {}
        self._orders = 0
        self._waiting = 0
        self._before_an_edit = 0
        self._lane_s = self._counted_s = -math.inf
        self._needed_gap_s = math.inf
        self.made = 0
        """Calls so far."""

    @property
    def waiting(self) -> int:
        """Wishes that are neither granted nor dropped."""
        return self._waiting

    @property
    def rate_per_s(self) -> float:
        """Calls a second that are ours."""
        return self.budget.rate_per_s

    def lease(self, rate_per_s: float, *, until_s: float, then_per_s: float) -> None:
        """As `CallBudget.lease`."""
        self.budget.lease(rate_per_s, until_s=until_s, then_per_s=then_per_s)

    def ask(self, wish: Wish) -> None:
        """Want a call."""
        self._orders += 1
        wish.order = self._orders
        self._waiting += 1
        self._enqueue(wish)
        if wish.replaces:
            self._replacing.put(self._last_s(wish), wish, hurry_s=wish.within_s)

    def drop(self, wish: Wish) -> None:
        """Want it no more; nothing once it is granted."""
        if not wish.settled:
            wish.settled = True
            self._waiting -= 1

    def grant(self, now_s: float) -> Wish | float:
        """The wish whose call is to be made now, else the seconds until one may be; infinite when an answer decides."""
        if not self._waiting:
            return math.inf
        if (wait_s := self.budget.wait_s(now_s)) > 0:
            return wait_s
        self._ripen(now_s)
        wish = self._next(now_s)
        if wish is None:
            return self._ripe_in_s(now_s)
        self._settle(wish, now_s)
        return wish

    def depart(self, flight: Flight, method: str, channel_id: int | None, now_s: float) -> None:
        """The call is being made."""
        self.made += 1
        flight.sent_s = now_s
        self.paces.used(method, channel_id)

    def answered(
        self, method: str, channel_id: int | None, status: int, headers: Mapping[str, str], now_s: float
    ) -> None:
        """Learn from an answer, whatever it was.

        A 429 without a scope is not about the pace: an old message's ration (30046), or a proxy's.
        """
        after_s, scope = _number(headers, "Retry-After"), headers.get("X-RateLimit-Scope")
        if status == _TOO_MANY_REQUESTS and after_s is not None and scope is not None:
            after_s = min(after_s, _LONGEST_S)
            if scope == "global":
                self.budget.hold(now_s + after_s)
            elif channel_id is not None:
                self.paces.refused(method, channel_id, now_s + after_s, now_s)
        elif channel_id is not None:
            self.paces.answered(method, channel_id, headers, now_s)

    def _enqueue(self, wish: Wish) -> None:
        self._queues[wish.rank].put(self._last_s(wish), wish)

    def _last_s(self, wish: Wish) -> float:
        """Boards take turns; of other calls the one asked first is made first."""
        is_board = wish.rank is Rank.EDIT and wish.channel_id is not None
        return self._served_s.get(wish.channel_id or 0, -math.inf) if is_board else 0.0

    def _ripen(self, now_s: float) -> None:
        """Put those back in the queue whose channel may be written to again."""
        while self._later and self._later[0][0] <= now_s:
            _, _, wish = heapq.heappop(self._later)
            if not wish.settled:
                self._enqueue(wish)

    def _next(self, now_s: float) -> Wish | None:
        edit = self._ready(Rank.EDIT, now_s)
        if edit is not None and self._before_an_edit >= EDITS_TURN:
            return edit
        for rank in (Rank.PEOPLE, Rank.GOODBYE, Rank.REPOST):
            if (wish := self._ready(rank, now_s)) is not None:
                return wish
        return self._replacement(now_s) or edit

    def _ready(self, rank: Rank, now_s: float) -> Wish | None:
        """The first of a rank whose channel may be written to now; the others wait until it may."""
        queue = self._queues[rank]
        while (wish := queue.first()) is not None:
            ready_s = self.paces.ready_s(wish.method, wish.channel_id, even=rank is Rank.EDIT)
            if ready_s <= now_s:
                return wish
            heapq.heappop(queue.heap)
            heapq.heappush(self._later, (ready_s, wish.order, wish))
        return None

    def _replacement(self, now_s: float) -> Wish | None:
        """Boards past their mark are replaced one after the other, those first whose next mark comes sooner: forty in
        10 s, five hundred in 50 s, more within their interval.
        """
        wish = self._replacing.first() if now_s >= self._lane_s else None
        if wish is None or self.paces.ready_s("POST", wish.channel_id, even=False) > now_s:
            return None
        wish.as_replacement = True
        return wish

    def _ripe_in_s(self, now_s: float) -> float:
        ripe_s = self._later[0][0] if self._later else math.inf
        if (wish := self._replacing.first()) is not None:
            ripe_s = min(ripe_s, max(self._lane_s, self.paces.ready_s("POST", wish.channel_id, even=False)))
        return max(ripe_s - now_s, 0.001)

    def _settle(self, wish: Wish, now_s: float) -> None:
        self.drop(wish)
        wish.flight = self.budget.take(now_s)
        self._before_an_edit = 0 if wish.rank is Rank.EDIT else self._before_an_edit + 1
        if wish.rank is Rank.EDIT and wish.channel_id is not None:
            self._served_s[wish.channel_id], self._within_s[wish.channel_id] = now_s, wish.within_s
        if wish.as_replacement:
            gap_s = self._lane_gap_s(now_s)
            self._lane_s = max(self._lane_s, now_s - gap_s) + gap_s

    def _lane_gap_s(self, now_s: float) -> float:
        """Between two replacements, each of two calls: at least half of the budget is left to edits, unless the boards
        are so many that replacing each within its interval takes more.
        """
        if now_s >= self._counted_s + _SECOND_S:
            self._count(now_s)
        rate_per_s, even_s = max(self.budget.rate_per_s, 1.0), _MARK_S / max(len(self._served_s), 1)
        gap_s = min(max(even_s, _SHORTEST_GAP_S), _LONGEST_GAP_S) * RATE_PER_S / rate_per_s
        return max(min(gap_s, self._needed_gap_s), _REPLACEMENT_CALLS / rate_per_s)

    def _count(self, now_s: float) -> None:
        """Forget boards that are no more, and sum up how often those that there are want to be replaced."""
        self._counted_s = now_s
        self._served_s = {key: at_s for key, at_s in self._served_s.items() if now_s - at_s <= _KNOWN_FOR_S}
        self._within_s = {key: within_s for key, within_s in self._within_s.items() if key in self._served_s}
        due_per_s = sum(1.0 / within_s for within_s in self._within_s.values())
        self._needed_gap_s = _OF_INTERVAL / due_per_s if due_per_s else math.inf


def _number(headers: Mapping[str, str], name: str) -> float | None:
    try:
        found = float(headers.get(name, "nan"))
    except ValueError:
        return None
    return found if math.isfinite(found) and found >= 0 else None
