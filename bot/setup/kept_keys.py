"""What of Redis a backup keeps: what cannot be had again. Figures, leases, budgets and metrics can."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from bot.setup.kept import KeyKind, RedisKey
from streaming.bus import keys
from streaming.bus.cluster import is_cluster
from streaming.bus.redis_connection import answering, open_redis
from streaming.bus.server.embedded import open_embedded_server
from streaming.settings import StreamSettings

KEPT: Final = (
    keys.STREAM_WANTED,
    keys.STREAM_SYMBOLS,
    keys.FEED_LEDGER,
    keys.FEED_ORDERS,
    keys.PROVEN_DAYS,
    keys.LOGIN_TOLD,
    keys.FEED_TOLD,
    keys.ALERTS_TOLD,
    keys.COMMAND_AUDIT,
    keys.ALERTS,
    keys.routes(""),
    keys.lease_epoch(keys.STREAM_LEASE),
    keys.lease_epoch(keys.FEED_LEASE),
)
"""Each name alone, and whatever follows a colon behind it."""
ON_THEIR_WAY: Final = tuple(f"{keys.ALERTS}:{name}" for name in ("due", "sending", "waiting", "sent"))
"""Alerts that a running bot is sending just now: restored, they would be sent twice."""
_BEGIN: Final = ("gex:*", "gexcord:*", "{gex*")
_AT_WORK: Final = ("gexcord:lease:*", keys.call_slices("*"))
"""What runs out within seconds of the end of whoever has it."""
_EPOCH: Final = keys.lease_epoch("").encode()
_PORTION: Final = 1_000
_WITHIN_S: Final = 30.0


@asynccontextmanager
async def open_kept_redis(settings: StreamSettings, folder: Path) -> AsyncIterator[Redis]:
    """The Redis of `REDIS_URL`, else a server of our own on a folder; UnavailableError where it cannot be had."""
    async with AsyncExitStack() as stack:
        if settings.redis_url is not None:
            url = settings.redis_url.get_secret_value()
        else:
            url = (await stack.enter_async_context(open_embedded_server(folder, share=settings.redis_share))).url
        yield await stack.enter_async_context(open_redis(url))


async def is_in_use(redis: Redis) -> bool:
    """Whether a bot or a streamer works on this Redis; TransientError while it is away.

    Each has a lease of something, but for a bot that only alerts: that has its share of Discord's calls, as all have.
    """
    async with answering("looking for a running bot", within_s=_WITHIN_S):
        for pattern in _AT_WORK:
            async for name in redis.scan_iter(match=pattern, count=_PORTION):
                if _EPOCH not in name:
                    return True
    return False


async def kept_names(redis: Redis, *, in_use: bool) -> Sequence[bytes]:
    """The keys to keep that there are, in order; TransientError while Redis is away."""
    left_out = ON_THEIR_WAY if in_use else ()
    found: set[bytes] = set()
    async with answering("looking for what to keep", within_s=_WITHIN_S):
        for pattern in _BEGIN:
            async for name in redis.scan_iter(match=pattern, count=_PORTION):
                if _is_under(name, KEPT) and not _is_under(name, left_out):
                    found.add(name)
    return sorted(found)


def _is_under(name: bytes, prefixes: Iterable[str]) -> bool:
    text = keys.on_one_server(name.decode("utf-8", "replace"))
    return any(text == prefix or text.startswith(f"{prefix.removesuffix(':')}:") for prefix in prefixes)


async def read_keys(redis: Redis, names: Sequence[bytes], *, now_ms: int) -> list[RedisKey]:
    """The keys as they stand at one moment, under the names of a single server; what has gone meanwhile is left out.

    In a Cluster it is one moment for each slot. TransientError while Redis is away.
    """
    async with answering("reading what to keep", within_s=_WITHIN_S), redis.pipeline(transaction=True) as pipeline:
        for name in names:
            pipeline.type(name)
        kinds = [kind.decode() for kind in await pipeline.execute()]
        known = [(name, _FORMS[kind]) for name, kind in zip(names, kinds, strict=True) if kind in _FORMS]
        for name, form in known:
            pipeline.pttl(name)
            form.ask(pipeline, name)
        answers = iter(await pipeline.execute())
    pairs = zip(known, answers, answers, strict=True)
    return [
        RedisKey(
            name=_renamed(name, keys.on_one_server),
            kind=form.kind,
            values=form.values(answer),
            expires_ms=now_ms + left_ms if left_ms > 0 else None,
        )
        for (name, form), left_ms, answer in pairs
        if answer
    ]


async def write_keys(redis: Redis, found: Iterable[RedisKey], *, instead_of: Sequence[bytes], now_ms: int) -> None:
    """Write all keys at once, in place of those named; what has expired is left out. TransientError.

    In a Cluster that is at once for each slot, under the names of a Cluster.
    """
    placed = keys.in_cluster if is_cluster(redis) else str
    async with answering("restoring what was kept", within_s=_WITHIN_S), redis.pipeline(transaction=True) as pipeline:
        for name in instead_of:
            pipeline.delete(name)
        for key in found:
            if key.expires_ms is not None and key.expires_ms <= now_ms:
                continue
            name = _renamed(key.name, placed)
            pipeline.execute_command(_FORMS[key.kind].command, name, *key.values)
            if key.expires_ms is not None:
                pipeline.pexpireat(name, key.expires_ms)
        await pipeline.execute()


def _renamed(name: bytes, rule: Callable[[str], str]) -> bytes:
    return rule(name.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class _Form:
    """How a kind of key is read, and the command that writes it."""

    kind: KeyKind
    command: str
    ask: Callable[[Pipeline, bytes], object]
    values: Callable[[Any], list[bytes]]


_FORMS: Final[dict[str, _Form]] = {
    form.kind: form
    for form in (
        _Form("string", "SET", lambda pipeline, name: pipeline.get(name), lambda value: [value]),
        _Form("hash", "HSET", lambda pipeline, name: pipeline.hgetall(name), lambda pairs: [*chain(*pairs.items())]),
        _Form("set", "SADD", lambda pipeline, name: pipeline.smembers(name), sorted),
        _Form("list", "RPUSH", lambda pipeline, name: pipeline.lrange(name, 0, -1), list),
        _Form(
            "zset",
            "ZADD",
            lambda pipeline, name: pipeline.zrange(name, 0, -1, withscores=True),
            lambda pairs: [part for member, score in pairs for part in (repr(float(score)).encode(), member)],
        ),
    )
}
