"""Redis with copies of itself: what a process must not forget counts once a copy has it, too.

Replication is asynchronous, so a master that dies may take with it what it acknowledged. Commands that write such names
are followed by a `WAIT` on their own connection; a pipeline by one for all of it. A master that nobody follows any more
cannot be replaced by one that knows less: after a while its word counts alone, as that of a single server does. That
is, if it is the master at all: one that was replaced while it was away comes back, and nobody follows it.
"""

import asyncio
import logging
import re
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection, Connection, ConnectionPool, SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import MaxConnectionsError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from streaming.bus import keys
from streaming.bus.redis_url import GroupUrl
from streaming.clock import uptime_s

log = logging.getLogger(__name__)

CONNECT_S: Final = 3.0
COPIES: Final = 1
WAIT_MS: Final = 500
"""How long a copy may take: less than any caller gives Redis."""
_ALONE_MS: Final = 20
"""The same where nobody follows."""
_EASE: Final = 0.98
"""What a copy in time takes off the wait for the next one."""
ALONE_S: Final = 5.0
"""After a failover a copy needs about a second to follow its new master."""
_FOLLOWERS: Final = re.compile(rb"connected_slaves:(\d+)")
_SENTINEL_S: Final = 0.5
_TLS: Final = "rediss"
_WRITES: Final = frozenset(
    {
        *("SET", "DEL", "UNLINK", "EXPIRE", "PEXPIRE", "PEXPIREAT", "INCR", "RPUSH", "LTRIM", "EVAL", "EVALSHA"),
        *("HSET", "HSETNX", "HDEL", "HINCRBY", "SADD", "SREM", "SPOP"),
        *("ZADD", "ZREM", "ZREMRANGEBYSCORE", "ZREMRANGEBYRANK"),
    }
)
_SCRIPTS: Final = frozenset({"EVAL", "EVALSHA"})
_KEPT: Final = ("gexcord:", f"{keys.ALERTS}:")
_PASSING: Final = (keys.REQUESTS, keys.call_slices(""), keys.crew(""))
"""Budgets of a minute and of a second, and who is there: told anew all the time, and each has a way to do without."""


class UnacknowledgedError(RedisError):
    """Executed, but no copy said in time that it has it, too."""


class CopyWatch:
    """What is known of one master's copies, and how long to wait for them: longer while they do not keep up."""

    def __init__(
        self, uptime: Callable[[], float] = uptime_s, *, least_ms: float = WAIT_MS, most_ms: float = WAIT_MS
    ) -> None:
        self._uptime = uptime
        self._least_ms = self._patience_ms = least_ms
        self._most_ms = most_ms
        self._alone_since_s: float | None = None
        self._said = False
        self.missed = False
        """Whether the last question found none in time."""

    @property
    def patience_ms(self) -> int:
        """How long to wait for a copy now."""
        return _ALONE_MS if self._alone_since_s is not None else round(self._patience_ms)

    def enter(self, copies: int, followers: int | None = None) -> bool:
        """Whether what was written counts: a copy has it, or for long nobody has followed. None where unknown."""
        self.missed = copies < COPIES
        self._patience_ms *= 2 if self.missed else _EASE
        self._patience_ms = min(max(self._patience_ms, self._least_ms), self._most_ms)
        if not self.missed or followers:
            self._alone_since_s = None
        elif followers == 0 and self._alone_since_s is None:
            self._alone_since_s = self._uptime()
        alone = self._alone_since_s is not None and self._uptime() - self._alone_since_s >= ALONE_S
        if alone != self._said:
            self._said = alone
            log.warning(_ALONE if alone else "Redis has a copy of itself again.")
        return alone or not self.missed


_ALONE: Final = (
    "Redis has no copy of itself any more: what it is told counts all the same, and is lost if this server is."
    " Bring the missing one back."
)


def followers_in(info: object) -> int | None:
    """How many replicas follow a master, from its `INFO replication`; None where it does not say."""
    found = _FOLLOWERS.search(info) if isinstance(info, bytes) else None
    return None if found is None else int(found[1])


class AcknowledgedConnection(Connection):
    """Asks for copies of what must not be lost, and fails what none confirms; its replies are read one by one."""

    def __init__(self, *, copies: CopyWatch | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._copies = copies or CopyWatch()

    _sent_together = False
    _decisive = False
    _packed = 0
    """Replies that decisive commands just packed will have; 0 for others, which ask for nothing."""
    _due = 0
    """How many of those are still to be read."""
    _alone = False
    """Whether there was only one."""

    def pack_command(self, *args: Any) -> list[bytes]:
        """One command, and the question for copies behind it."""
        self._decisive = self._decisive or is_decisive(args)
        packed: list[bytes] = super().pack_command(*args)
        return packed if self._sent_together else packed + self._question(1)

    def pack_commands(self, commands: Iterable[Iterable[Any]]) -> list[bytes]:
        """Several, and one question behind all of them."""
        together, self._sent_together = list(commands), True
        try:
            packed: list[bytes] = super().pack_commands(together)
        finally:
            self._sent_together = False
        return packed + self._question(len(together))

    def _question(self, replies: int) -> list[bytes]:
        decisive, self._decisive = self._decisive, False
        self._packed = replies if decisive else 0
        return super().pack_command("WAIT", COPIES, self._copies.patience_ms) if decisive else []

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:  # redis-py
        """Send; a connection that has to be opened first says who we are in between."""
        packed, self._packed = self._packed, 0
        await super().send_packed_command(command, check_health)
        self._due, self._alone = packed, packed == 1

    async def read_response(self, *args: Any, **options: Any) -> Any:
        """The next reply; UnacknowledgedError in place of the last one when no copy was made."""
        try:
            reply = await super().read_response(*args, **options)
        except ResponseError:
            await self._count(refused=True)
            raise
        await self._count(refused=False)
        return reply

    async def _count(self, *, refused: bool) -> None:
        """After the last reply comes the one about copies; a single command that was refused needs none."""
        if not self._due:
            return
        self._due -= 1
        if self._due:
            return
        copies = await self._number()
        followers = None if copies >= COPIES else await self._followers()
        if followers == 0:
            await self.assure_master()
        if not self._copies.enter(copies, followers) and not (refused and self._alone):
            raise UnacknowledgedError("No copy has it.")

    async def _number(self) -> int:
        try:
            return int(await super().read_response())
        except ResponseError:  # the server is a master no longer
            return 0

    async def _followers(self) -> int | None:
        await super().send_packed_command(super().pack_command("INFO", "replication"))
        try:
            return followers_in(await super().read_response())
        except ResponseError:
            return None

    async def assure_master(self) -> None:
        """A RedisError when another server is the master by now. A member of a Cluster knows by itself."""

    async def disconnect(self, *args: Any, **options: Any) -> None:
        """Close; replies that were due do not come any more."""
        self._due = 0
        await super().disconnect(*args, **options)


def is_decisive(command: tuple[Any, ...]) -> bool:
    """Whether a command writes what no failover may take back: leases, ledger, orders, notes, alerts."""
    name = command[0]
    if name not in _WRITES:
        return False
    at = 3 if name in _SCRIPTS else 1
    key = command[at] if len(command) > at else b""
    text = keys.on_one_server(key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key))
    return text.startswith(_KEPT) and not text.startswith(_PASSING)


class _AcknowledgedTlsConnection(AcknowledgedConnection, SSLConnection):
    """The same with TLS."""


class _AcknowledgedMasterConnection(AcknowledgedConnection, SentinelManagedConnection):
    """The same to whichever server the sentinels call the master."""

    async def assure_master(self) -> None:
        if await self.connection_pool.get_master_address() != (self.host, self.port):
            await self.disconnect()
            raise RedisConnectionError("another server is the master by now")


class _AcknowledgedMasterTlsConnection(_AcknowledgedMasterConnection, SentinelManagedSSLConnection):
    """The same with TLS."""


def connection_options(url: str) -> dict[str, Any]:
    """What redis-py needs to connect as a URL says. ValueError when it cannot be read.

    Without redis-py's own timeout, which goes through asyncio.wait_for: on Python 3.11 that loses cancellations, so
    that a task that is cancelled while it sends a command may never end. It also halves the rate.
    """
    return {
        "protocol": 2,
        "socket_connect_timeout": CONNECT_S,
        "retry": Retry(NoBackoff(), 0),  # whoever owns the connection decides about repeating
        "client_name": "gexcord",
        **parse_url(url),
        "socket_timeout": None,
    }


class PatientPool(ConnectionPool):
    """Whoever asks while every connection is in use waits for one, where redis-py raises.

    A process that begins asks for the notes of all its live messages at once; what it asked for besides, such as a
    turn to identify or to renew a lease, failed as if Redis were away. How long anybody waits is bounded by
    `answering`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def get_connection(self, command_name: Any = None, *_: Any, **__: Any) -> AbstractConnection:  # redis-py
        del command_name
        while True:
            try:
                found: AbstractConnection = await super().get_connection()  # type: ignore[no-untyped-call]  # redis-py
            except MaxConnectionsError:
                await self._freed()
            else:
                return found

    async def release(self, connection: AbstractConnection) -> None:
        try:
            await super().release(connection)
        finally:
            self._wake_next()

    async def _freed(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._wake_next()
            raise

    def _wake_next(self) -> None:
        while self._waiting:
            if not (turn := self._waiting.popleft()).done():
                turn.set_result(None)
                return


class _PatientSentinelPool(PatientPool, SentinelConnectionPool):
    """The same, of the master that sentinels name."""

    def __init__(self, service: str, watchers: Sentinel, **options: Any) -> None:
        super().__init__(service_name=service, sentinel_manager=watchers, **options)


def member_pool(group: GroupUrl, host: str, port: int) -> ConnectionPool:
    """Connections to one member of a Cluster."""
    kind = _AcknowledgedTlsConnection if group.scheme == _TLS else AcknowledgedConnection
    options = {"connection_class": kind, "copies": CopyWatch()}
    return PatientPool(**connection_options(group.server(host, port)) | options)


class WatchedRedis(Redis):
    """The master among servers that sentinels watch, whichever it is just now."""

    def __init__(self, group: GroupUrl) -> None:
        self._watchers = _Watchers([], sentinel_kwargs={})  # type: ignore[no-untyped-call]  # redis-py
        self._watchers.sentinels = [_watcher(group, host, port) for host, port in group.hosts]
        tls = group.scheme == _TLS
        options = connection_options(group.server(*group.hosts[0])) | {
            "connection_class": _AcknowledgedMasterTlsConnection if tls else _AcknowledgedMasterConnection,
            "copies": CopyWatch(),
        }
        del options["host"], options["port"]
        pool = _PatientSentinelPool(group.service, self._watchers, **options)
        super().__init__(connection_pool=pool)

    async def aclose(self, close_connection_pool: bool | None = None) -> None:  # redis-py
        """Close all connections, those to the sentinels too."""
        del close_connection_pool
        await super().aclose(close_connection_pool=True)
        await self._watchers.aclose()


class _Watchers(Sentinel):
    """All sentinels of a master."""

    def check_master_state(self, state: dict[str, Any], service_name: str) -> bool:
        """Not the old master while another one is being made: back already, it would take what then is lost."""
        words = str(state["flags"])
        usable: bool = super().check_master_state(state, service_name)
        return usable and "failover_in_progress" not in words


class _Watcher(Redis):
    """A sentinel, which is not waited for long: there are others."""

    async def sentinel_masters(self, **options: Any) -> Any:
        try:
            async with asyncio.timeout(_SENTINEL_S):
                return await super().sentinel_masters(**options)
        except TimeoutError:
            raise RedisTimeoutError("A sentinel does not answer.") from None


def _watcher(group: GroupUrl, host: str, port: int) -> Redis:
    watcher = _Watcher(connection_pool=ConnectionPool(**connection_options(group.watcher(host, port))))
    watcher.auto_close_connection_pool = True
    return watcher
