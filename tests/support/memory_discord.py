"""A Discord in memory behind `ChannelPort`: nonces, buckets, the sliding second, and faults to order."""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.feed.channel import GoneMessageError, SeenMessage, WornMessageError
from bot.feed.illustration import Illustration
from bot.feed.pacing import Pacing
from streaming.clock import Clock
from streaming.errors import GexcordError, OperatorError, TransientError

CALL_LIMIT_S = 15.0
"""As of `DiscordChannel`."""
_A_SECOND = 50
_BUCKET = 5
_BUCKET_S = 5.0
_NONCE_S = 300.0
_FIRST_ID = (2**41 - 1) << 22
"""Ids tell when a message was posted; these stay young whatever year it is."""


_REFUSALS: dict[str, tuple[int, type[GexcordError], str]] = {
    "hangs": (504, TransientError, "Nobody hears this."),
    "fails": (503, TransientError, "Discord has trouble (503)."),
    "unknown": (404, GoneMessageError, "The message is no longer there."),
    "worn": (400, WornMessageError, "Edits of this message are rationed."),
    "forbidden": (403, OperatorError, "The bot may not write in the channel."),
}


@dataclass(slots=True)
class Standing:
    """A message in a channel."""

    text: str
    at: datetime


@dataclass(slots=True)
class Fault:
    """What happens to calls of a `method` (any: ""), in a `channel` (any: None), until a time or so often."""

    kind: str
    method: str = ""
    channel_id: int | None = None
    until_s: float = float("inf")
    count: int = 1_000_000
    after_s: float = 1.0
    """Of `limited`: the wait that Discord states; of `slow`: the way."""

    def meets(self, method: str, channel_id: int, now_s: float) -> bool:
        return (
            self.count > 0
            and now_s < self.until_s
            and self.method in {"", method}
            and self.channel_id in {None, channel_id}
        )


@dataclass(slots=True)
class Answer:
    """A status, headers, and what a caller gets."""

    status: int
    result: Any = None
    error: Exception | None = None
    headers: dict[str, str] = field(default_factory=dict)


class MemoryDiscord:
    """Channels by id; `watch` is told every change."""

    def __init__(self, clock: Clock, rng: random.Random, watch: Callable[[str, int, int, str], None]) -> None:
        self.channels: dict[int, dict[int, Standing]] = {}
        """Live messages by channel, those of earlier days too; and what alerts said there."""
        self.alerts: dict[int, dict[int, Standing]] = {}
        self.faults: list[Fault] = []
        self.refused = 0
        """Answers 429 that nobody ordered."""
        self.inherited = 0
        """The same in a window in which another process called after what the caller knew of it at its call."""
        self.rng = rng
        self.unanswered: Counter[int] = Counter()
        """Boards' calls by channel that wait for an answer which will not come."""
        self._clock = clock
        self._watch = watch
        self._nonces: dict[tuple[int, str], tuple[int, float]] = {}
        self._recent_s: deque[float] = deque()
        self._windows: dict[tuple[str, int], tuple[tuple[object, ...], float]] = {}
        self._heard: dict[tuple[str, int, object], tuple[int, float]] = {}
        """How many calls in which window the last answer told a caller of."""
        self._last_id = _FIRST_ID

    def fault(self, method: str, channel_id: int, *, uses: bool = True) -> Fault | None:
        """The first that meets a call of now."""
        now_s = self._clock.monotonic()
        self.faults = [fault for fault in self.faults if fault.count > 0 and now_s < fault.until_s]
        found = next((fault for fault in self.faults if fault.meets(method, channel_id, now_s)), None)
        if found is not None and uses:
            found.count -= 1
        return found

    def post(self, channel_id: int, text: str, nonce: str) -> int:
        return self._post("post", self.channels, channel_id, text, nonce)

    def post_alert(self, channel_id: int, text: str, nonce: str) -> int:
        return self._post("alert", self.alerts, channel_id, text, nonce)

    def alerts_at(self, channel_id: int) -> list[Standing]:
        """What alerts said there, and still stands."""
        return list(self.alerts.get(channel_id, {}).values())

    def _post(self, deed: str, places: dict[int, dict[int, Standing]], channel_id: int, text: str, nonce: str) -> int:
        now_s = self._clock.monotonic()
        known, ends_s = self._nonces.get((channel_id, nonce), (0, 0.0))
        if ends_s > now_s:
            return known
        self._last_id += 1
        self._nonces[channel_id, nonce] = self._last_id, now_s + _NONCE_S
        places.setdefault(channel_id, {})[self._last_id] = Standing(text, self._clock.now())
        self._told(deed, channel_id, self._last_id, text)
        return self._last_id

    def edit(self, channel_id: int, message_id: int, text: str) -> None:
        self._place(channel_id, message_id)[message_id].text = text
        self._told("edit", channel_id, message_id, text)

    def delete(self, channel_id: int, message_id: int) -> None:
        del self._place(channel_id, message_id)[message_id]
        self._told("delete", channel_id, message_id)

    def _place(self, channel_id: int, message_id: int) -> dict[int, Standing]:
        for places in (self.channels, self.alerts):
            if message_id in (place := places.get(channel_id, {})):
                return place
        raise GoneMessageError("The message is no longer there.")

    def _told(self, deed: str, channel_id: int, message_id: int = _FIRST_ID, text: str = "") -> None:
        self._watch(deed, channel_id, message_id - _FIRST_ID, text)

    def seen(self, channel_id: int) -> list[SeenMessage]:
        """What a reader of the channel sees of ours."""
        standing = self.channels.get(channel_id, {}) | self.alerts.get(channel_id, {})
        return [SeenMessage(message_id, message.text, message.at) for message_id, message in standing.items()]

    async def answer(  # what a call is made of
        self,
        method: str,
        channel_id: int,
        deed: Callable[[], Any],
        dead: Callable[[], bool],
        caller: object,
        *,
        is_board: bool = True,
    ) -> Answer:
        """Of one call: on its way, counted, done unless a fault meets it, and on its way back."""
        fault, heard = self.fault(method, channel_id), self._heard.get((method, channel_id, caller), (0, 0.0))
        await asyncio.sleep(self.rng.uniform(0.01, 0.04) + (fault.after_s if fault and fault.kind == "slow" else 0.0))
        if dead():
            await asyncio.sleep(CALL_LIMIT_S)
        ordered = fault is not None and fault.kind == "limited"
        found = (None if ordered else self._limited(method, channel_id, caller, heard)) or self._met(fault, deed)
        if fault is not None and fault.kind in {"hangs", "lost"}:
            await self._silence(channel_id, is_board=is_board)
        await asyncio.sleep(self.rng.uniform(0.01, 0.04))
        if not ordered:
            self._hear(method, channel_id, caller)
        if isinstance(found.error, GoneMessageError):
            self._told(f"404 {method}", channel_id)
        return found

    async def _silence(self, channel_id: int, *, is_board: bool) -> None:
        self.unanswered[channel_id] += is_board
        try:
            await asyncio.sleep(CALL_LIMIT_S * 2)
        finally:
            self.unanswered[channel_id] -= is_board

    def _limited(self, method: str, channel_id: int, caller: object, heard: tuple[int, float]) -> Answer | None:
        now_s = self._clock.monotonic()
        while self._recent_s and self._recent_s[0] <= now_s - 1.0:
            self._recent_s.popleft()
        if len(self._recent_s) >= _A_SECOND:
            self._refuse("every", channel_id, ours=True)
            return _limit(1.0, everywhere=True)
        self._recent_s.append(now_s)
        callers, ends_s = self._windows.get((method, channel_id), ((), 0.0))
        if ends_s <= now_s:
            callers, ends_s = (), now_s + _BUCKET_S
        self._windows[method, channel_id] = (*callers, caller), ends_s
        if len(callers) >= _BUCKET:
            known, of_s = heard
            since = callers[known if of_s == ends_s else 0 :]
            self._refuse(method, channel_id, ours=all(each is caller for each in since))
            return _limit(ends_s - now_s)
        return None

    def _hear(self, method: str, channel_id: int, caller: object) -> None:
        callers, ends_s = self._windows.get((method, channel_id), ((), 0.0))
        self._heard[method, channel_id, caller] = len(callers), ends_s

    def _refuse(self, method: str, channel_id: int, *, ours: bool) -> None:
        if ours:
            self.refused += 1
        else:
            self.inherited += 1
        self._told(f"429 {method}", channel_id)

    def headers(self, method: str, channel_id: int) -> dict[str, str]:
        callers, ends_s = self._windows.get((method, channel_id), ((), 0.0))
        left_s = max(ends_s - self._clock.monotonic(), 0.0)
        return {
            "X-RateLimit-Bucket": method,
            "X-RateLimit-Remaining": str(max(_BUCKET - len(callers), 0)),
            "X-RateLimit-Reset-After": f"{left_s:.3f}",
        }

    def _met(self, fault: Fault | None, deed: Callable[[], Any]) -> Answer:
        if fault is not None and fault.kind == "limited":
            return _limit(fault.after_s)
        if fault is not None and fault.kind in _REFUSALS:
            status, error, sentence = _REFUSALS[fault.kind]
            return Answer(status, error=error(sentence))
        try:
            return Answer(200, deed())
        except GoneMessageError as error:
            return Answer(404, error=error)


def _limit(after_s: float, *, everywhere: bool = False) -> Answer:
    headers = {"Retry-After": f"{after_s:.3f}", "X-RateLimit-Scope": "global" if everywhere else "user"}
    return Answer(429, error=TransientError("Discord asks to wait.", retry_after_s=after_s), headers=headers)


class MemoryChannel:
    """`ChannelPort` of one process: its calls pass the pacer, as those of discord.py do."""

    def __init__(self, discord: MemoryDiscord, pacing: Pacing, channel_id: int, dead: Callable[[], bool]) -> None:
        self._discord = discord
        self._pacing = pacing
        self._id = channel_id
        self._dead = dead

    async def send(self, content: str, *, nonce: str) -> int:
        return await self._call("POST", lambda: self._discord.post(self._id, content, nonce))

    async def edit(self, message_id: int, content: str, _picture: Illustration | None = None) -> None:
        await self._call("PATCH", lambda: self._discord.edit(self._id, message_id, content))

    async def delete(self, message_id: int) -> None:
        await self._call("DELETE", lambda: self._discord.delete(self._id, message_id))

    async def recent(self) -> Sequence[SeenMessage]:
        return await self._call("GET", lambda: self._discord.seen(self._id))

    async def _call(self, method: str, deed: Callable[[], Any]) -> Any:
        return await calling(self._discord, self._pacing, method, self._id, deed, self._dead)


async def calling(  # noqa: PLR0917  # as of `answer`
    discord: MemoryDiscord,
    pacing: Pacing,
    method: str,
    channel_id: int,
    deed: Callable[[], Any],
    dead: Callable[[], bool],
    *,
    within_s: float = CALL_LIMIT_S,
    is_board: bool = True,
) -> Any:
    """One call of a process, past its pacer; what it gets, or what is wrong."""
    try:
        async with (
            asyncio.timeout(within_s),
            pacing.passage(method, f"/channels/{channel_id}/messages") as answered,
        ):
            if dead():
                raise TransientError("This process is dead.")
            answer = await discord.answer(method, channel_id, deed, dead, pacing, is_board=is_board)
            answered(answer.status, answer.headers or discord.headers(method, channel_id))
    except TimeoutError:
        raise TransientError("Discord did not answer.") from None
    if answer.error is not None:
        raise answer.error
    return answer.result
