"""Where the settings keep the Schwab login: in a file, or in the Redis that several machines share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.lease import process_name
from streaming.bus.redis_connection import open_redis
from streaming.bus.shared_secret import PassingSecret, SharedSecret
from streaming.clock import Clock
from streaming.schwab.login.login_store import LoginStore
from streaming.schwab.login.pending_login import PendingLogin
from streaming.schwab.login.shared_store import SharedTokenStore
from streaming.schwab.login.token_store import TokenStore
from streaming.settings import StreamSettings


def token_store(settings: StreamSettings, redis: Redis | None, clock: Clock) -> LoginStore:
    """The store of a process that has `redis` open, which a file does without.

    ConfigurationError for an unusable path or key.
    """
    if redis is None or not settings.shares_login:
        return TokenStore(settings.schwab_token_path, key=settings.schwab_token_key)
    assert settings.schwab_token_key is not None  # noqa: S101  # the settings see to it
    secret = SharedSecret(redis, keys.LOGIN, about="the Schwab login")
    return SharedTokenStore(secret, key=settings.schwab_token_key, clock=clock, new_holder=process_name)


def pending_login(settings: StreamSettings, redis: Redis) -> PendingLogin | None:
    """Where a login that one machine begins can be finished by another; None where each has its own."""
    if not settings.shares_login or settings.schwab_token_key is None:
        return None
    place = PassingSecret(redis, keys.LOGIN_PENDING, about="the newest login link")
    return PendingLogin(place, key=settings.schwab_token_key, name=process_name())


@asynccontextmanager
async def open_token_store(settings: StreamSettings, clock: Clock) -> AsyncIterator[LoginStore]:
    """The same for whoever needs nothing else of Redis: it is opened only when the login is there, and looked at.

    UnavailableError and TransientError when it does not answer.
    """
    if settings.redis_url is None or not settings.shares_login:
        yield token_store(settings, None, clock)
        return
    async with open_redis(settings.redis_url.get_secret_value()) as redis:
        store = token_store(settings, redis, clock)
        await store.look()
        yield store
