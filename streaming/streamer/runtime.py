"""What every command of the market-data side needs, opened in order and closed in reverse."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from redis.asyncio import Redis

from streaming.bus.publish.publisher import TradingEventPublisher
from streaming.bus.redis_connection import open_redis, redact_url
from streaming.bus.server.embedded import open_embedded_server
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import Clock
from streaming.engine.process import SpareEngine
from streaming.errors import ConfigurationError
from streaming.ports import Tell
from streaming.process.http_bodies import open_client
from streaming.schwab.login.auth_client import SchwabAuthClient
from streaming.schwab.login.login_store import LoginStore
from streaming.schwab.login.oauth import AppKey
from streaming.settings import ENV_FILE, StreamSettings, load_settings
from streaming.streamer.token_stores import token_store

_LOG: Final = logging.getLogger(__name__)
_HTTP_TIMEOUT_S: Final = 20.0
_Version = tuple[int, int, int]


class AppKeyFile:
    """Reads key and secret anew whenever `.env` has changed, which it never writes.

    Values that did not come from `.env` or the environment, as in a demo, stay. A file that is away, half-written or
    without them changes nothing.
    """

    def __init__(self, app: AppKey, path: Path) -> None:
        self._app = app
        self._path = path
        self._seen = self._version()
        self._follows = self._read() == app

    def __call__(self) -> AppKey:
        """Key and secret of this moment."""
        if self._follows and (version := self._version()) != self._seen:
            self._seen = version
            if (read := self._read()) is not None and read != self._app:
                self._app = read
                _LOG.warning("The Schwab app's key or secret in %s has changed and is used from now on.", self._path)
        return self._app

    def _version(self) -> _Version | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self) -> AppKey | None:
        try:
            settings = load_settings(StreamSettings, _env_file=self._path)
        except ConfigurationError:
            return None
        client_id, client_secret = settings.schwab_client_id, settings.schwab_client_secret
        return None if client_id is None or client_secret is None else AppKey(client_id, client_secret)


@dataclass(frozen=True, slots=True)
class Runtime:
    """Open resources, handed to whoever needs them; nobody else opens any."""

    settings: StreamSettings
    clock: Clock
    redis: Redis
    publisher: TradingEventPublisher
    snapshots: SnapshotStore
    http: httpx.AsyncClient
    tokens: LoginStore
    auth: SchwabAuthClient | None
    """None without SCHWAB_CLIENT_ID and SCHWAB_CLIENT_SECRET."""
    spare_engine: SpareEngine
    """For whoever computes first."""


@asynccontextmanager
async def open_bus(settings: StreamSettings, *, tell: Tell) -> AsyncIterator[Redis]:
    """Connect to `REDIS_URL`, or start a server of our own, and say where it listens."""
    async with AsyncExitStack() as stack:
        if settings.redis_url is None:
            own = open_embedded_server(settings.redis_data_path, share=settings.redis_share)
            url = (await stack.enter_async_context(own)).url
        else:
            url = settings.redis_url.get_secret_value()
        redis = await stack.enter_async_context(open_redis(url))
        tell(f"Redis: {redact_url(url)}")
        yield redis


@asynccontextmanager
async def open_runtime(
    settings: StreamSettings, clock: Clock, *, tell: Tell, computes_at_once: bool = False
) -> AsyncIterator[Runtime]:
    """Open the bus, the publisher and Schwab's HTTP side; a process of engines too where that is known to be needed.

    Raises UnavailableError when Redis does not answer and ConfigurationError for an unusable token path.
    """
    async with AsyncExitStack() as stack:
        spare_engine = SpareEngine()
        stack.push_async_callback(spare_engine.close)
        if computes_at_once:
            spare_engine.begin()
        redis = await stack.enter_async_context(open_bus(settings, tell=tell))
        publisher = await stack.enter_async_context(
            TradingEventPublisher(redis, kinds=settings.redis_events, streams_mb=settings.redis_events_mb)
        )
        http = await stack.enter_async_context(open_client(timeout_s=_HTTP_TIMEOUT_S))
        tokens = token_store(settings, redis, clock)
        yield Runtime(
            settings=settings,
            clock=clock,
            redis=redis,
            publisher=publisher,
            snapshots=SnapshotStore(redis, clock=clock, history_mb=settings.redis_history_mb),
            http=http,
            tokens=tokens,
            auth=_auth_client(settings, http, tokens, clock),
            spare_engine=spare_engine,
        )


def _auth_client(
    settings: StreamSettings, http: httpx.AsyncClient, tokens: LoginStore, clock: Clock
) -> SchwabAuthClient | None:
    if settings.schwab_client_id is None or settings.schwab_client_secret is None:
        return None
    app = AppKey(settings.schwab_client_id, settings.schwab_client_secret)
    return SchwabAuthClient(
        http,
        tokens,
        client_id=app.client_id,
        client_secret=app.client_secret,
        corrected=AppKeyFile(app, Path(ENV_FILE)),
        api_url=settings.schwab_api_url,
        callback_url=settings.schwab_callback_url,
        clock=clock,
    )
