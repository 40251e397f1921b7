"""The HTTP API on loopback, over snapshots in the test's Redis, by a clock that a test moves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from redis.asyncio import Redis

from streaming.api.api import Api, serve_api
from streaming.api.routes import Desk
from streaming.bus.server.embedded import free_port
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.settings import StreamSettings
from streaming.symbols import parse_ticker
from tests.support.clock import ManualClock
from tests.support.snapshots import ASOF

TOKEN = "a-token-of-thirty-characters-1"
KNOWN = {"Authorization": f"Bearer {TOKEN}"}


@dataclass
class ApiRig:
    """A served API, a client that knows the token, and what is behind it."""

    api: Api
    http: httpx.AsyncClient
    store: SnapshotStore
    clock: ManualClock


@asynccontextmanager
async def open_api(redis: Redis, *tickers: str, **settings: Any) -> AsyncIterator[ApiRig]:
    """Serve two seconds after the quotes of `tests.support.snapshots.snapshot`."""
    clock = ManualClock(ASOF)
    clock.advance(2.0)
    store = SnapshotStore(redis, clock=clock)
    chosen = {"api_port": free_port(), "api_token": TOKEN} | settings
    desk = Desk(store, tuple(parse_ticker(name) for name in tickers or ("SPX",)), clock)
    async with (
        serve_api(StreamSettings(_env_file=None, **chosen), desk) as api,
        httpx.AsyncClient(base_url=api.url or "", headers=KNOWN) as http,
    ):
        yield ApiRig(api, http, store, clock)
