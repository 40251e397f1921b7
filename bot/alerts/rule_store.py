"""Where alerts are kept: rules, what they remember, and the messages that somebody still has to send.

A firing is claimed and its message queued in one step (`commit`), so a bot that dies afterwards loses nothing. A
queued batch is leased to whoever sends it; without word of its end it is handed out again under the same nonce.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from bot.alerts import scripts
from bot.alerts.rules import AlertState, Rule, Target
from streaming.bus import keys
from streaming.bus.cluster import placed
from streaming.bus.redis_connection import answering
from streaming.clock import uptime_s
from streaming.errors import RequestError

log = logging.getLogger(__name__)

MOST_RULES: Final = 5_000
LEASE_S: Final = 12.0
"""How long a sender may take; longer than one call to Discord may last (`post.CALL_LIMIT_S`)."""
PER_MESSAGE: Final = 10
_GATHER_MS: Final = 300
"""A first alert waits this long for others of the same second."""
_SPACING_MS: Final = 1000
_CHUNK: Final = 500
_PORTION: Final = 500
_SCHEMA: Final = 1


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One alert on its way to a reader."""

    number: int
    text: str
    claimed_ms: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Alerts that go to one target in one message; the nonce is the same however often they are handed out."""

    target: Target
    nonce: str
    entries: tuple[Entry, ...]
    claimed_s: float = field(default=0.0, compare=False)
    """When it was handed out, by a clock that counts suspend."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A state to store, if the rule's episode is still `expected`; with an entry it is a firing."""

    number: int
    expected: int
    state: AlertState
    target: Target | None = None
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """A claim that came too late: the rule is gone (no state), or as another bot left it."""

    number: int
    state: AlertState | None


@dataclass(frozen=True, slots=True)
class StoredAlerts:
    """Everything about rules, as of one version."""

    version: int
    rules: dict[int, Rule]
    states: dict[int, AlertState]
    paused: dict[str, str]
    """The name of a target, or of one rule, to the reason."""

    def why_paused(self, rule: Rule) -> str | None:
        """Why a rule rests, with its target or alone; None for one that runs."""
        return self.paused.get(rule.target.name, self.paused.get(rule.name))


class AlertStore:
    """Alerts in Redis; every method raises TransientError while it is away."""

    def __init__(self, redis: Redis, prefix: str = keys.ALERTS, *, uptime: Callable[[], float] = uptime_s) -> None:
        self._redis = redis
        self._uptime = uptime
        self._prefix = placed(redis, f"{prefix}:").removesuffix(":")
        self._waiting = f"{self._prefix}:waiting:"
        self._sent = f"{self._prefix}:sent:"
        self._add = redis.register_script(scripts.ADD)
        self._remove = redis.register_script(scripts.REMOVE)
        self._commit = redis.register_script(scripts.COMMIT)
        self._claim = redis.register_script(scripts.CLAIM)
        self._finish = redis.register_script(scripts.FINISH)
        self._pause = redis.register_script(scripts.PAUSE)

    async def add(self, rule: Rule, *, most: int) -> Rule:
        """Keep a rule under a new number; RequestError when its target has `most` of them already."""
        names = self._keys("rules", "next", "version", f"at:{rule.target.name}")
        async with answering("adding an alert"):
            number = int(await self._add(keys=names, args=[msgspec.json.encode(rule), most, MOST_RULES]))
        if number == -1:
            whose = "You have" if rule.target.channel_id is None else "This channel has"
            raise RequestError(f"{whose} {most} alerts, which is the limit.", remedy="Remove one with /alert remove.")
        if number < 0:
            raise RequestError("The bot can keep no more alerts.", remedy="Ask an operator of the bot.")
        return msgspec.structs.replace(rule, number=number)

    async def remove(self, rule: Rule) -> bool:
        """Forget a rule; False when it was gone already."""
        names = self._keys("rules", "states", "episodes", "version", f"at:{rule.target.name}")
        async with answering("removing an alert"):
            removed = bool(await self._remove(keys=names, args=[rule.number]))
            await self._redis.hdel(f"{self._prefix}:paused", rule.name)
        return removed

    async def version(self) -> int:
        """Changes whenever rules or pauses do."""
        async with answering("looking for new alerts"):
            return int(await self._redis.get(f"{self._prefix}:version") or 0)

    async def load(self) -> StoredAlerts:
        """All rules and what is known of them; what this version cannot read is logged and left alone."""
        async with answering("reading the alerts"), self._redis.pipeline(transaction=True) as pipeline:
            pipeline.get(f"{self._prefix}:version")
            for name in self._keys("rules", "states", "episodes", "paused"):
                pipeline.hgetall(name)
            version, rules, states, episodes, paused = await pipeline.execute()
        return StoredAlerts(
            version=int(version or 0),
            rules=await _rules(rules),
            states={int(field): _state(value, episodes.get(field)) for field, value in states.items()},
            paused={field.decode(): value.decode() for field, value in paused.items()},
        )

    async def commit(self, claims: Sequence[Claim]) -> list[Lost]:
        """Store states and queue firings, each only if nobody was faster; returns those for which somebody was."""
        lost: list[Lost] = []
        for start in range(0, len(claims), _CHUNK):
            args: list[Any] = [self._waiting, _GATHER_MS]
            for claim in claims[start : start + _CHUNK]:
                args += _arguments(claim)
            async with answering("storing alerts"):
                found = await self._commit(keys=self._keys("rules", "episodes", "states", "due"), args=args)
            lost += [Lost(int(number), _taken(episode, state)) for number, episode, state in found]
        return lost

    async def claim(self, *, most: int) -> list[Batch]:
        """What is due for sending, leased to the caller for `LEASE_S`."""
        nonce, now_s = secrets.token_hex(10), self._uptime()
        args: list[Any] = [self._waiting, int(LEASE_S * 1000), nonce, most, PER_MESSAGE]
        async with answering("looking for alerts to send"):
            found = await self._claim(keys=self._keys("due", "sending"), args=args)
        return [_batch(target.decode(), payload, now_s) for target, payload in found]

    def is_ours(self, batch: Batch) -> bool:
        """Whether nobody else can have been handed the batch since; not so after a pause of this process."""
        return self._uptime() - batch.claimed_s < LEASE_S

    async def done(self, batch: Batch, message_id: int = 0) -> int | None:
        """The batch has arrived as a message, or is given up (0).

        None when that settles it; else the id of the message by which another process settled it, 0 where unknown.
        """
        return await self._end(batch, _SPACING_MS, "done", message_id)

    async def later(self, batch: Batch, *, delay_s: float) -> bool:
        """The batch is to be tried again after a while; False when another process has settled it."""
        return await self._end(batch, int(delay_s * 1000), "later") is None

    async def pause(self, target: Target, reason: str) -> None:
        """Rest all rules of a target that cannot be reached, and give up what waits for it."""
        names = self._keys("paused", "due", "sending", "version")
        async with answering("pausing alerts"):
            await self._pause(keys=names, args=[self._waiting, target.name, reason])

    async def pause_one(self, rule: Rule, reason: str) -> None:
        """Rest one rule; what it has said already is still sent."""
        async with answering("pausing an alert"):
            await self._redis.hset(f"{self._prefix}:paused", rule.name, reason)
            await self._redis.incr(f"{self._prefix}:version")

    async def resume(self, *resting: Target | Rule) -> bool:
        """Let a target's rules, or single ones, run again; False when none of these were paused."""
        async with answering("resuming alerts"):
            resumed = bool(await self._redis.hdel(f"{self._prefix}:paused", *(one.name for one in resting)))
            if resumed:
                await self._redis.incr(f"{self._prefix}:version")
        return resumed

    async def _end(self, batch: Batch, delay_ms: int, how: str, message_id: int = 0) -> int | None:
        args: list[Any] = [self._waiting, batch.target.name, batch.nonce, delay_ms, how, self._sent, message_id]
        async with answering("noting that alerts were sent"):
            other = await self._finish(keys=self._keys("due", "sending"), args=args)
        return None if other is None else int(other)

    def _keys(self, *names: str) -> list[str]:
        return [f"{self._prefix}:{name}" for name in names]


def _arguments(claim: Claim) -> Iterable[Any]:
    target = "" if claim.target is None else claim.target.name
    entry = b"" if claim.entry is None else msgspec.json.encode(claim.entry)
    return claim.number, claim.expected, msgspec.json.encode(claim.state), target, entry


async def _rules(payloads: dict[bytes, bytes]) -> dict[int, Rule]:
    """Those that can be read, decoded in portions so that thousands do not hold up the event loop."""
    rules: dict[int, Rule] = {}
    for position, (number, payload) in enumerate(payloads.items()):
        rule = _rule(int(number), payload)
        if rule is not None:
            rules[rule.number] = rule
        if position % _PORTION == _PORTION - 1:
            await asyncio.sleep(0)
    return rules


def _rule(number: int, payload: bytes) -> Rule | None:
    try:
        rule = msgspec.json.decode(payload, type=Rule)
    except msgspec.MsgspecError:
        rule = None
    if rule is None or rule.v > _SCHEMA:
        log.warning("alert %d was written by another version of the program and is left alone", number)
        return None
    return msgspec.structs.replace(rule, number=number)


def _state(payload: bytes, episode: bytes | None) -> AlertState:
    """A state that cannot be read starts anew; the count of its firings stands beside it and is kept."""
    try:
        state = msgspec.json.decode(payload, type=AlertState) if payload else AlertState()
    except msgspec.MsgspecError:
        state = AlertState()
    state.episode = int(episode or 0)
    return state


def _taken(episode: bytes, state: bytes) -> AlertState | None:
    return None if int(episode) < 0 else _state(state, episode)


def _batch(target: str, payload: bytes, claimed_s: float) -> Batch:
    nonce, *lines = payload.split(b"\n")
    entries = tuple(msgspec.json.decode(line, type=Entry) for line in lines)
    return Batch(Target.named(target), nonce.decode(), entries, claimed_s)
