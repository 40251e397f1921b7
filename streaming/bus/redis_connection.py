"""Opening Redis, and turning its library's exceptions into ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.sentinel import MasterNotFoundError
from redis.exceptions import AuthenticationError, AuthorizationError, NoPermissionError, RedisError, ResponseError

from streaming.bus.cluster import ClusterRedis, is_replicated
from streaming.bus.redis_url import FORMS, parse_group
from streaming.bus.replicas import CONNECT_S, PatientPool, WatchedRedis, connection_options
from streaming.errors import ConfigurationError, TransientError, UnavailableError

ANSWER_S: Final = 5.0
_LATER: Final = "Try again in a moment; the operators see more in the log."
_NO_SUCH_DATABASE: Final = "DB index"
_NO_CLUSTER: Final = "cluster support disabled"


def redact_url(url: str) -> str:
    """The URL as it may be printed: no user, no password, no query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{'***@' if '@' in parts.netloc else ''}{host}{parts.path}"


def make_client(url: str) -> Redis:
    """A client that has not connected yet; ConfigurationError when the URL cannot be read.

    It sets no limit on how long a command may take: put every command inside `answering`.
    """
    try:
        group = parse_group(url)
        if group is None:
            return Redis.from_pool(PatientPool(**connection_options(url)))
        return ClusterRedis(group) if group.kind == "cluster" else WatchedRedis(group)
    except ValueError:
        raise ConfigurationError(f"REDIS_URL is not valid: expected {FORMS}.") from None


@asynccontextmanager
async def open_redis(url: str) -> AsyncIterator[Redis]:
    """A client that has answered once; UnavailableError or ConfigurationError when it cannot be used."""
    redis = make_client(url)
    try:
        await _greet(redis, url)
        yield redis
    finally:
        await redis.aclose()


async def _greet(redis: Redis, url: str) -> None:
    try:
        async with asyncio.timeout(CONNECT_S + ANSWER_S):
            await redis.ping()
            await _require_one_server(redis, url)
    except (AuthenticationError, AuthorizationError, NoPermissionError):
        raise UnavailableError(
            f"Redis at {redact_url(url)} refuses the login.", remedy="Correct the user and password in REDIS_URL."
        ) from None
    except (RedisError, OSError, TimeoutError) as error:
        if isinstance(error, ResponseError) and _NO_SUCH_DATABASE in str(error):
            raise ConfigurationError(
                f"Redis at {redact_url(url)} has no such database.",
                remedy="Correct the number at the end of REDIS_URL; most servers have 0 to 15.",
            ) from None
        if isinstance(error, ResponseError) and _NO_CLUSTER in str(error):
            raise ConfigurationError(
                f"Redis at {redact_url(url)} is no Cluster.",
                remedy="Name one server in REDIS_URL, as redis://host:port.",
            ) from None
        if isinstance(error, MasterNotFoundError):
            raise UnavailableError(
                f"No sentinel at {redact_url(url)} names a master of that service.",
                remedy="Start them, or correct the addresses, the service or the sentinels' login in REDIS_URL.",
            ) from None
        raise UnavailableError(
            f"Redis at {redact_url(url)} does not answer.",
            remedy="Start it, correct REDIS_URL, or leave REDIS_URL empty to use a server of our own.",
        ) from None


async def _require_one_server(redis: Redis, url: str) -> None:
    """ConfigurationError for a member of a Cluster that is named as if it were alone."""
    if is_replicated(redis):
        return
    with suppress(ResponseError):
        if (await redis.info("cluster")).get("cluster_enabled"):
            raise ConfigurationError(
                f"Redis at {redact_url(url)} is a member of a Cluster.",
                remedy="Write redis+cluster:// in REDIS_URL; one or two of its addresses are enough.",
            )


async def masters_without_copy(redis: Redis) -> tuple[int, int]:
    """How many masters of a Cluster or behind Sentinel nobody follows, and how many there are. TransientError."""
    async with answering("looking for copies of Redis"):
        masters = await redis.masters() if isinstance(redis, ClusterRedis) else [redis]
        facts = [await master.info("replication") for master in masters]
    return sum(not int(fact.get("connected_slaves", 0)) for fact in facts), len(masters)


@asynccontextmanager
async def answering(doing: str, *, within_s: float = ANSWER_S) -> AsyncIterator[None]:
    """Give Redis `within_s` seconds; TransientError says what was being done when it did not answer."""
    try:
        async with asyncio.timeout(within_s):
            yield
    except TimeoutError:
        raise TransientError(f"Redis did not answer within {within_s:g} s while {doing}.", remedy=_LATER) from None
    except (RedisError, OSError) as error:
        raise TransientError(f"Redis failed while {doing}.", remedy=_LATER) from error
