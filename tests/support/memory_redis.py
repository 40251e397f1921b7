"""The part of Redis that lease, ledger, orders and alerts use, in memory: their own code runs over it, with its scripts
in Python (those of alerts in `memory_alerts`)."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, Self, TypeVar

from redis.exceptions import ConnectionError as RedisAwayError
from redis.exceptions import ResponseError

from bot.feed import ledger
from streaming.bus import lease

T = TypeVar("T")
State = Literal["up", "refuses", "hangs"]
_HANGS_S = 60.0


class MemoryStore:
    """What all processes share; time is the running loop's."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.state: State = "up"
        self.loses_answers = False
        """Whether it does what it is asked, and the answers are lost."""
        self.holders = 0
        """How often the lease was taken anew."""
        self.unanswered = 0
        """Questions that wait for an answer which will not come."""
        self.texts: dict[str, tuple[str, float]] = {}
        self.hashes: dict[str, dict[str, bytes]] = {}
        self.sets: dict[str, dict[str, None]] = {}
        self.lists: dict[str, list[bytes]] = {}
        self.scores: dict[str, dict[str, int]] = {}
        self.given_up: set[int] = set()
        """Alerts that were claimed and not sent, because their target was paused."""

    def get(self, key: str) -> str | None:
        value, ends_s = self.texts.get(key, ("", -1.0))
        return value if ends_s > asyncio.get_running_loop().time() else None

    def put(self, key: str, value: str, within_s: float = float("inf")) -> None:
        self.texts[key] = value, asyncio.get_running_loop().time() + within_s

    def count(self, key: str) -> int:
        """One more."""
        number = int(self.get(key) or 0) + 1
        self.put(key, str(number))
        return number

    def take(self, keys: list[str], args: list[Any]) -> int:
        """As `lease._TAKE`."""
        owner, ms, epoch, how = args
        holder, stored = self.get(keys[0]), self.get(keys[1])
        if holder is not None and holder != owner:
            return 0
        if epoch == 0 or (stored is not None and stored != str(epoch)):
            if how == "renew":
                return 0
            epoch = max(int(asyncio.get_running_loop().time() * 1000), int(stored or 0) + 1)
            self.holders += 1
        self.put(keys[1], str(epoch))
        self.put(keys[0], owner, ms / 1000)
        return epoch

    def release(self, keys: list[str], args: list[Any]) -> int:
        """As `lease._RELEASE`."""
        if self.get(keys[0]) != args[0]:
            return 0
        del self.texts[keys[0]]
        return 1

    def save(self, keys: list[str], args: list[Any]) -> int:
        """As `ledger._SAVE`."""
        epoch, channel, payload, revision, *chores = args
        stored_epoch = self.get(keys[0])
        if stored_epoch is not None and stored_epoch != str(epoch):
            raise ResponseError(f"{lease.LOST} the lease has gone to another process")
        entries = self.hashes.setdefault(keys[1], {})
        stored = json.loads(entries.get(str(channel), b"{}"))
        if stored.get("epoch", 0) == epoch and stored.get("revision", 0) >= revision and stored:
            return 0
        entries[str(channel)] = payload
        self.hashes.setdefault(keys[2], {}).update(zip(chores[::2], chores[1::2], strict=True))
        return 1

    def done(self, keys: list[str], args: list[Any]) -> int:
        """As `ledger._DONE`."""
        chores = self.hashes.setdefault(keys[0], {})
        return 0 if chores.get(args[0]) != args[1] else int(chores.pop(args[0]) is not None)


Script = Callable[[MemoryStore, list[str], list[Any]], Any]
_SCRIPTS: dict[str, Script] = {
    lease._TAKE: MemoryStore.take,
    lease._RELEASE: MemoryStore.release,
    ledger._SAVE: MemoryStore.save,
    ledger._DONE: MemoryStore.done,
}


def script(text: str) -> Callable[[Script], Script]:
    """What stands for a script in Lua."""

    def written_again(python: Script) -> Script:
        _SCRIPTS[text] = python
        return python

    return written_again


class MemoryRedis:
    """One process's client; `dead` is the process that was killed: nothing it asks arrives any more."""

    def __init__(self, store: MemoryStore, dead: Callable[[], bool]) -> None:
        self._store = store
        self._dead = dead

    def register_script(self, text: str) -> Callable[..., Awaitable[Any]]:
        async def run(*, keys: list[str], args: list[Any]) -> Any:
            return await self._ask(lambda: _SCRIPTS[text](self._store, keys, args))

        return run

    def pipeline(self, *, transaction: bool) -> "MemoryPipeline":
        assert transaction
        return MemoryPipeline(self._store, self._ask)

    async def get(self, key: str) -> str | None:
        return await self._ask(lambda: self._store.get(key))

    async def hget(self, key: str, field: str) -> bytes | None:
        return await self._ask(lambda: self._store.hashes.get(key, {}).get(field))

    async def hgetall(self, key: str) -> dict[bytes, bytes]:
        return await self._ask(lambda: {n.encode(): v for n, v in self._store.hashes.get(key, {}).items()})

    async def hvals(self, key: str) -> list[bytes]:
        return await self._ask(lambda: list(self._store.hashes.get(key, {}).values()))

    async def sadd(self, key: str, member: object) -> None:
        await self._ask(lambda: self._store.sets.setdefault(key, {}).update({str(member): None}))

    async def spop(self, key: str, count: int) -> list[str]:
        return await self._ask(lambda: list(self._store.sets.pop(key, {}))[:count])

    async def hdel(self, key: str, *fields: str) -> int:
        return await self._ask(lambda: _deleted(self._store, key, fields))

    async def incr(self, key: str) -> int:
        return await self._ask(lambda: self._store.count(key))

    async def _ask(self, deed: Callable[[], T]) -> T:
        if self._dead():
            raise RedisAwayError("this process is dead")
        await asyncio.sleep(self._store.rng.uniform(0.0002, 0.002))
        if self._store.state == "refuses" or self._dead():
            raise RedisAwayError("refused")
        if self._store.state == "hangs":
            await self._silence()
        found = deed()
        if self._store.loses_answers:
            raise RedisAwayError("the answer was lost")
        return found

    async def _silence(self) -> None:
        self._store.unanswered += 1
        try:
            await asyncio.sleep(_HANGS_S)
        finally:
            self._store.unanswered -= 1
        raise RedisAwayError("gone")


class MemoryPipeline:
    """Commands that are done together, or not at all."""

    def __init__(self, store: MemoryStore, ask: Callable[[Callable[[], list[Any]]], Awaitable[list[Any]]]) -> None:
        self._store = store
        self._ask = ask
        self._deeds: list[Callable[[], Any]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is held."""

    def get(self, key: str) -> None:
        self._deeds.append(lambda: self._store.get(key))

    def hgetall(self, key: str) -> None:
        self._deeds.append(lambda: {n.encode(): v for n, v in self._store.hashes.get(key, {}).items()})

    def hdel(self, key: str, *fields: str) -> None:
        self._deeds.append(lambda: _deleted(self._store, key, fields))

    def hset(self, key: str, *, mapping: Mapping[str, bytes | int]) -> None:
        kept = {name: value if isinstance(value, bytes) else str(value).encode() for name, value in mapping.items()}
        self._deeds.append(lambda: self._store.hashes.setdefault(key, {}).update(kept))

    def hincrby(self, key: str, field: str, by: int) -> None:
        def count() -> int:
            fields = self._store.hashes.setdefault(key, {})
            fields[field] = str(int(fields.get(field, b"0")) + by).encode()
            return int(fields[field])

        self._deeds.append(count)

    async def execute(self) -> list[Any]:
        return await self._ask(lambda: [deed() for deed in self._deeds])


def _deleted(store: MemoryStore, key: str, fields: Sequence[str]) -> int:
    kept = store.hashes.get(key, {})
    return sum(kept.pop(field, None) is not None for field in fields)
