"""Discord's rate limits: a window per bucket and major parameter, a sliding second for all calls, edits by the hour."""

import hashlib
import math
from collections import deque
from dataclasses import dataclass
from typing import Final

from bot.sandbox.world.api_errors import TOO_MANY_REQUESTS, ApiError, refusal
from bot.sandbox.world.records import Message, MessageFlag
from bot.sandbox.world.world import World
from streaming.clock import Clock

_PRUNE_ABOVE: Final = 512
ONE_HOUR_S: Final = 3_600.0
OLD_EDITS_PER_HOUR: Final = 1_000
PUBLISHED_EDITS_PER_HOUR: Final = 3


@dataclass(frozen=True, slots=True)
class Quota:
    """`limit` requests per `per_s` seconds; `name` tells buckets apart."""

    name: str
    limit: int
    per_s: float

    @property
    def bucket(self) -> str:
        """The opaque name that clients see."""
        return hashlib.blake2b(self.name.encode(), digest_size=16).hexdigest()


CREATE_MESSAGE = Quota("create message", 5, 5.0)
EDIT_MESSAGE = Quota("edit message", 5, 5.0)
DELETE_YOUNG_MESSAGE = Quota("delete message younger than 10 s", 5, 1.0)
DELETE_OLD_MESSAGE = Quota("delete message", 3, 1 / 3)
READ_MESSAGES = Quota("read messages", 5, 5.0)
_RENAMES, _RENAMED_WITHIN_S = 2, 600.0
WEBHOOK = Quota("interaction webhook", 5, 2.0)
COMMANDS = Quota("application commands", 5, 20.0)
OTHER = Quota("other", 30, 10.0)
GLOBAL = Quota("global", 50, 1.0)


@dataclass(slots=True)
class _Window:
    quota: Quota
    remaining: int
    ends_s: float


@dataclass(frozen=True, slots=True)
class RateVerdict:
    """Whether a request may pass and what its bucket says afterwards."""

    allowed: bool
    quota: Quota
    remaining: int
    reset_after_s: float

    def headers(self, now_s: float) -> dict[str, str]:
        """The X-RateLimit headers at this epoch second; rounded up, so that who waits as told is never early."""
        after_s = math.ceil(self.reset_after_s * 1000) / 1000
        return {
            "X-RateLimit-Limit": str(self.quota.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": f"{now_s + after_s:.3f}",
            "X-RateLimit-Reset-After": f"{after_s:.3f}",
            "X-RateLimit-Bucket": self.quota.bucket,
        }


class RateLimiter:
    """Counts requests: of a bucket in fixed windows that begin with their first, of the whole bot in a sliding one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[tuple[str, str], _Window] = {}
        self._recent_s: deque[float] = deque()

    def take_global(self) -> RateVerdict:
        """Use one of all requests of the bot, or say how long to wait; only what passes counts."""
        now_s = self._clock.monotonic()
        while self._recent_s and self._recent_s[0] <= now_s - GLOBAL.per_s:
            self._recent_s.popleft()
        allowed = len(self._recent_s) < GLOBAL.limit
        if allowed:
            self._recent_s.append(now_s)
        frees_s = self._recent_s[0] + GLOBAL.per_s - now_s
        return RateVerdict(allowed, GLOBAL, GLOBAL.limit - len(self._recent_s), frees_s)

    def take(self, quota: Quota, major: str = "") -> RateVerdict:
        """Use one request of the bucket, or say how long to wait."""
        now_s = self._clock.monotonic()
        window = self._window(quota, major, now_s)
        allowed = window.remaining > 0
        window.remaining -= allowed
        return RateVerdict(allowed, quota, window.remaining, window.ends_s - now_s)

    @property
    def recent(self) -> int:
        """How many calls passed within the last second."""
        oldest_s = self._clock.monotonic() - GLOBAL.per_s
        return sum(passed_s > oldest_s for passed_s in self._recent_s)

    def windows(self) -> list[tuple[Quota, str, int]]:
        """Buckets in use now: quota, major parameter, and what is left until the window ends."""
        now_s = self._clock.monotonic()
        running = (
            (window.quota, major, window.remaining)
            for (_, major), window in self._windows.items()
            if window.ends_s > now_s
        )
        return sorted(running, key=lambda one: (one[0].name, one[1]))

    def _window(self, quota: Quota, major: str, now_s: float) -> _Window:
        window = self._windows.get((quota.name, major))
        if window is None or now_s >= window.ends_s:
            self._prune(now_s)
            window = self._windows[quota.name, major] = _Window(quota, quota.limit, now_s + quota.per_s)
        return window

    def _prune(self, now_s: float) -> None:
        if len(self._windows) > _PRUNE_ABOVE:
            self._windows = {key: window for key, window in self._windows.items() if window.ends_s > now_s}


class Ration:
    """So many in an hour that begins with the first; beyond it the refusal of `code`, which says when it ends."""

    def __init__(self, clock: Clock, allowed: int, code: int) -> None:
        self._clock = clock
        self._allowed = allowed
        self._code = code
        self._used = 0
        self._since_s = clock.monotonic()

    def spend(self) -> None:
        """Use one up; ApiError with the time left when the hour's are gone."""
        left_s = ONE_HOUR_S - (self._clock.monotonic() - self._since_s)
        if left_s <= 0:
            self._used, self._since_s, left_s = 0, self._clock.monotonic(), ONE_HOUR_S
        if self._used >= self._allowed:
            raise refusal(self._code, retry_after_s=left_s)
        self._used += 1


class RenameRations:
    """Two new names of a channel in ten minutes; the headers of the bucket say nothing of it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._given_s: dict[int, deque[float]] = {}

    def spend(self, channel_id: int) -> None:
        """Count one, or raise the 429 that says how long to wait."""
        given, now_s = self._given_s.setdefault(channel_id, deque(maxlen=_RENAMES)), self._clock.monotonic()
        if len(given) == _RENAMES and given[0] > now_s - _RENAMED_WITHIN_S:
            wait_s = given[0] + _RENAMED_WITHIN_S - now_s
            raise ApiError(TOO_MANY_REQUESTS, 0, "You are being rate limited.", retry_after_s=wait_s)
        given.append(now_s)


class EditRations:
    """One for all old messages (30046, discord-api-docs#4413), one for each published message (20022, #2258)."""

    def __init__(self, world: World, old: int = OLD_EDITS_PER_HOUR, published: int = PUBLISHED_EDITS_PER_HOUR) -> None:
        self._world = world
        self._old = Ration(world.clock, old, 30046)
        self._published_allowed = published
        self._published: dict[int, Ration] = {}

    def admit(self, message: Message) -> None:
        """Count one edit, or raise the refusal of the ration that is used up."""
        if message.flags & MessageFlag.CROSSPOSTED:
            self._ration_of(message).spend()
        if (self._world.clock.now() - message.created_at).total_seconds() >= ONE_HOUR_S:
            self._old.spend()

    def _ration_of(self, message: Message) -> Ration:
        ration = self._published.get(message.id)
        if ration is None:
            ration = self._published[message.id] = Ration(self._world.clock, self._published_allowed, 20022)
        return ration
