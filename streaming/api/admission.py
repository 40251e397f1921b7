"""Who is answered by the HTTP API and how often, and what is counted of it. Pure: the time is handed in."""

import hmac
import math
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from typing import Final

from streaming.bus.metrics_store import Metric

MOST_STREAMS: Final = 32
"""Event streams at once; each has a connection to Redis of its own."""
_MOST_ADDRESSES: Final = 1024
_STRANGERS_PER_MINUTE: Final = 30
_MINUTE_S: Final = 60.0
_AT_ONCE_S: Final = 0.001
"""Less is a rounding error: whoever waited as long as he was told has waited enough."""


@dataclass(frozen=True, slots=True)
class NotAdmitted:
    """Why a request is not answered."""

    status: HTTPStatus
    code: str
    sentence: str
    retry_after_s: int | None = None


NO_TOKEN: Final = NotAdmitted(
    HTTPStatus.UNAUTHORIZED,
    "unauthorized",
    "The token is missing or wrong. Send API_TOKEN as Authorization: Bearer TOKEN, or as ?key=TOKEN.",
)


@dataclass(slots=True)
class ApiCounters:
    """What the API counts."""

    requests: Counter[str] = field(default_factory=Counter)
    """Answered, by route."""
    refusals: Counter[str] = field(default_factory=Counter)
    """By the code of the error that was answered."""
    events: int = 0
    streams: int = 0
    """Open now."""


@dataclass(frozen=True, slots=True)
class ApiStatus:
    """One look at them."""

    requests: Mapping[str, int]
    refusals: Mapping[str, int]
    events: int
    streams: int
    clients: int


METRICS: Final[tuple[Metric[ApiStatus], ...]] = (
    Metric(None, "requests_total", lambda it: it.requests, "Requests that were answered.", labels=("route",)),
    Metric(None, "refusals_total", lambda it: it.refusals, "Requests that got an error, by its code.",
           labels=("code",)),
    Metric(None, "events_total", lambda it: it.events, "Server-sent events."),
    Metric(None, "streams", lambda it: it.streams, "Event streams that are open."),
    Metric(None, "clients", lambda it: it.clients, "Addresses with the token that asked in the last minute."),
)  # fmt: skip
"""Only scraped."""


class Allowance:
    """So many requests a minute for each address, saved up for at most a minute; remembers a bounded number of them."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str, cost: int, now_s: float) -> float:
        """Spend; 0, or the seconds until that much is there again, and then nothing is spent."""
        left, since_s = self._left.get(address, (float(self._per_minute), now_s))
        rate = self._per_minute / _MINUTE_S
        left = min(left + (now_s - since_s) * rate, float(self._per_minute))
        needed = min(cost, self._per_minute)
        wait_s = (needed - left) / rate
        wait_s = wait_s if wait_s > _AT_ONCE_S else 0.0
        self._left[address] = (left if wait_s else left - needed, now_s)
        self._left.move_to_end(address)
        if len(self._left) > _MOST_ADDRESSES:
            self._left.popitem(last=False)
        return wait_s

    def active(self, now_s: float) -> int:
        """Addresses that asked within the last minute."""
        return sum(now_s - since_s <= _MINUTE_S for _, since_s in self._left.values())


class Admission:
    """Judges requests. Strangers have an allowance of their own, so that they can use up nobody else's."""

    def __init__(self, token: str, *, per_minute: int) -> None:
        self._token = _digest(token)
        self._known = Allowance(per_minute)
        self._strangers = Allowance(_STRANGERS_PER_MINUTE)
        self.counters = ApiCounters()

    def judge(
        self, token: str | None, address: str, cost: int, *, now_s: float, open_to_all: bool
    ) -> NotAdmitted | None:
        """None for who may be answered; the token is compared in a time that says nothing of it."""
        known = token is not None and hmac.compare_digest(_digest(token), self._token)
        wait_s = (self._known if known else self._strangers).take(address, cost, now_s)
        if wait_s > 0:
            seconds = math.ceil(wait_s)
            sentence = f"That is more than this address may ask. Try again in {seconds} s."
            return NotAdmitted(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", sentence, seconds)
        return None if known or open_to_all else NO_TOKEN

    def status(self, now_s: float) -> ApiStatus:
        """One look at what was counted."""
        counted = self.counters
        return ApiStatus(
            requests=dict(counted.requests),
            refusals=dict(counted.refusals),
            events=counted.events,
            streams=counted.streams,
            clients=self._known.active(now_s),
        )


def _digest(token: str) -> bytes:
    """Of one length, whatever the token's."""
    return sha256(token.encode("utf-8", "surrogateescape")).digest()
