"""A Redis Cluster behind the interface of a single server: each command goes to the master that owns its key.

redis-py's own client for it refuses PUBLISH in pipelines and starts a thread for each command of a transaction.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline, PubSub
from redis.asyncio.connection import ConnectionPool
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import AskError, AuthenticationError, ClusterError, MovedError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from streaming.bus import keys
from streaming.bus.redis_url import GroupUrl
from streaming.bus.replicas import UnacknowledgedError, WatchedRedis, member_pool

_ASK_S: Final = 1.0
_REDIRECTIONS: Final = 4
_KEYLESS: Final = frozenset({"PING", "PUBLISH", "INFO", "TIME", "DBSIZE", "ACL WHOAMI", "CLUSTER SLOTS"})
_EVERYWHERE: Final = frozenset({"SCRIPT LOAD", "SCRIPT FLUSH"})
_SCRIPTS: Final = frozenset({"EVAL", "EVALSHA"})
_STREAMS: Final = frozenset({"XREAD", "XREADGROUP"})
_MOVED: Final = ("MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "READONLY", "MASTERDOWN", "LOADING")


class ClusterRedis(Redis):
    """Learns who owns which keys at the first command, and anew whenever an answer or its absence makes it doubt.

    A command with several keys needs them in one slot (`placed`). Nothing is repeated but what a member sent on to
    another one without executing it.
    """

    def __init__(self, group: GroupUrl, rng: random.Random | None = None) -> None:
        self._group = group
        self._rng = rng or random.Random()
        self._members = {address: self._member(*address) for address in group.hosts}
        self._owners: list[Redis | None] = []
        self._doubtful = True
        self._learning = asyncio.Lock()
        super().__init__(connection_pool=self._members[group.hosts[0]].connection_pool)

    def _member(self, host: str, port: int) -> Redis:
        return Redis.from_pool(member_pool(self._group, host, port))

    async def aclose(self, close_connection_pool: bool | None = None) -> None:  # redis-py
        """Close all connections to all members."""
        del close_connection_pool
        for member in self._members.values():
            await member.aclose()

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """As a single server does it; a command without a key goes to any master, loading a script to all."""
        if args[0] in _EVERYWHERE:
            replies = [await _run(member, args, options) for member in await self.masters()]
            return replies[-1]
        for _ in range(_REDIRECTIONS):
            owner = await self._owner_of(args)
            try:
                with self._doubting():
                    return await _run(owner, args, options)
            except MovedError:
                continue
            except AskError as error:
                return await self._ask(error, args, options)
        raise ClusterError("the members of the Cluster send each other's keys around")

    async def _ask(self, sent_on: AskError, args: Sequence[Any], options: dict[str, Any]) -> Any:
        """A key that is just moving from one member to another."""
        address = (sent_on.host, int(sent_on.port))
        member = self._members.setdefault(address, self._member(*address))
        async with member.pipeline(transaction=False) as pipeline:
            pipeline.execute_command("ASKING")
            pipeline.execute_command(*args, **options)
            return (await pipeline.execute())[-1]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:  # redis-py
        """Commands for each master together, one master after another; a transaction for each slot alone."""
        del shard_hint
        return _ClusterPipeline(self, transaction=transaction)

    def pubsub(self, **options: Any) -> PubSub:
        """A subscription at any member: whatever is published reaches all of them."""
        return self._rng.choice(list(self._members.values())).pubsub(**options)

    async def scan_iter(self, *args: Any, **options: Any) -> AsyncIterator[Any]:  # type: ignore[override]  # redis-py
        """The keys of all masters."""
        for member in await self.masters():
            async for name in member.scan_iter(*args, **options):
                yield name

    async def masters(self) -> list[Redis]:
        """Every member that owns keys; a RedisError when no member answers."""
        await self._learn()
        return list(dict.fromkeys(owner for owner in self._owners if owner is not None))

    async def pool_of(self, key: str) -> ConnectionPool:
        """Connections to the master that owns a key; a RedisError when nobody knows it."""
        return (await self._owner_of(("GET", key))).connection_pool

    def doubt(self) -> None:
        """Ask again who owns which keys before the next command."""
        self._doubtful = True

    async def run(self, stack: Sequence[Any], *, transaction: bool, raise_on_error: bool) -> list[Any]:
        """The replies to a pipeline's commands; what has no key goes with the command before it."""
        parts: dict[int, tuple[Redis, list[int]]] = {}
        owner: Redis | None = None
        part = 0
        for place, (args, _) in enumerate(stack):
            if owner is None or args[0] not in _KEYLESS:
                owner = await self._owner_of(args)
                part = key_slot(key_of(args) or b"") if transaction else id(owner)
            parts.setdefault(part, (owner, []))[1].append(place)
        replies: list[Any] = [None] * len(stack)
        for member, places in parts.values():
            with self._doubting():
                async with member.pipeline(transaction=transaction) as pipeline:
                    for place in places:
                        args, options = stack[place]
                        pipeline.execute_command(*args, **options)
                    found = await pipeline.execute(raise_on_error=raise_on_error)
            for place, reply in zip(places, found, strict=True):
                replies[place] = reply
        return replies

    @contextmanager
    def _doubting(self) -> Iterator[None]:
        """Whoever does not answer, or not as the owner would, may have lost its keys."""
        try:
            yield
        except UnacknowledgedError:
            raise
        except ResponseError as error:
            if isinstance(error, AskError) or str(error).startswith(_MOVED):
                self.doubt()
            raise
        except BaseException:
            self.doubt()
            raise

    async def _owner_of(self, args: Sequence[Any]) -> Redis:
        await self._learn()
        key = key_of(args)
        if key is None:
            return self._rng.choice(await self.masters())
        owner = self._owners[key_slot(key)]
        if owner is None:
            self.doubt()
            raise RedisConnectionError("nobody in the Cluster owns this key")
        return owner

    async def _learn(self) -> None:
        if not self._doubtful:
            return
        async with self._learning:
            if self._doubtful:
                await self._take_over(await self._ask_around())
                self._doubtful = False

    async def _ask_around(self) -> list[Any]:
        """Who owns what, from the first member that answers; their order is chance, lest a silent one be in the way."""
        members = list(self._members.items())
        self._rng.shuffle(members)
        refused: RedisError | None = None
        for (host, _), member in members:
            try:
                async with asyncio.timeout(_ASK_S):
                    ranges: list[Any] = await _run(member, ("CLUSTER SLOTS",), {})
            except (ResponseError, AuthenticationError) as error:
                refused = error
            except (RedisError, OSError, TimeoutError):
                continue
            else:
                return [(first, last, _text(owner[0]) or host, int(owner[1])) for first, last, owner, *_ in ranges]
        raise refused or RedisConnectionError("no member of the Cluster answers")

    async def _take_over(self, ranges: list[Any]) -> None:
        owners: list[Redis | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        for first, last, host, port in ranges:
            member = self._members.get((host, port))
            if member is None:
                member = self._members[host, port] = self._member(host, port)
            owners[first : last + 1] = [member] * (last + 1 - first)
        self._owners = owners


class _ClusterPipeline(Pipeline):
    """Gathers commands as any pipeline does."""

    def __init__(self, cluster: ClusterRedis, *, transaction: bool) -> None:
        super().__init__(cluster.connection_pool, cluster.response_callbacks, transaction, None)
        self._cluster = cluster

    async def execute(self, raise_on_error: bool = True) -> list[Any]:  # redis-py
        stack, self.command_stack = self.command_stack, []
        return await self._cluster.run(stack, transaction=self.is_transaction, raise_on_error=raise_on_error)


async def _run(member: Redis, args: Sequence[Any], options: dict[str, Any]) -> Any:
    return await member.execute_command(*args, **options)  # type: ignore[no-untyped-call]  # redis-py


def key_of(args: Sequence[Any]) -> bytes | None:
    """The first key of a command; None when it has none."""
    name = args[0]
    if name in _KEYLESS or (name in _SCRIPTS and int(args[2]) == 0):
        return None
    if name in _STREAMS:
        at = next(place for place, word in enumerate(args) if word in {"STREAMS", b"STREAMS"}) + 1
    else:
        at = 3 if name in _SCRIPTS else 1
    if len(args) <= at:
        return None
    key = args[at]
    return key if isinstance(key, bytes) else str(key).encode()


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value or "")


def is_cluster(redis: Redis) -> bool:
    """Whether keys are spread over several masters."""
    return isinstance(redis, ClusterRedis)


def placed(redis: Redis, name: str) -> str:
    """A key's name on this Redis: in a Cluster, what one script touches begins with one tag."""
    return keys.in_cluster(name) if is_cluster(redis) else name


def is_replicated(redis: Redis) -> bool:
    """Whether there are copies that take over, so that only what one of them has is acknowledged."""
    return isinstance(redis, ClusterRedis | WatchedRedis)


def doubt(redis: Redis) -> None:
    """Something on this Redis was not where it should be: in a Cluster, ask anew before the next command."""
    if isinstance(redis, ClusterRedis):
        redis.doubt()


async def pool_of(redis: Redis, key: str) -> ConnectionPool:
    """Connections to the server that a key is written to; a RedisError when nobody knows it."""
    return await redis.pool_of(key) if isinstance(redis, ClusterRedis) else redis.connection_pool
