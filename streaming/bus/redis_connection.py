"""Opening Redis, and turning its library's exceptions into ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, AuthorizationError, NoPermissionError, RedisError, ResponseError

from streaming.errors import ConfigurationError, TransientError, UnavailableError

CONNECT_S: Final = 3.0
ANSWER_S: Final = 5.0
_LATER: Final = "Try again in a moment; the operators see more in the log."
_NO_SUCH_DATABASE: Final = "DB index"


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
        redis = Redis.from_url(
            url,
            protocol=2,
            socket_connect_timeout=CONNECT_S,
            retry=Retry(NoBackoff(), 0),  # whoever owns the connection decides about repeating
            client_name="gexcord",
        )
    except ValueError:
        raise ConfigurationError(
            "REDIS_URL is not valid: expected redis://[user:password@]host:port/database, rediss:// or unix://."
        ) from None
    # redis-py's own timeout goes through asyncio.wait_for, which on Python 3.11 loses cancellations: a task that
    # is cancelled while it sends a command may never end. It also halves the rate.
    redis.connection_pool.connection_kwargs["socket_timeout"] = None
    return redis


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
        raise UnavailableError(
            f"Redis at {redact_url(url)} does not answer.",
            remedy="Start it, correct REDIS_URL, or leave REDIS_URL empty to use a server of our own.",
        ) from None


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
