"""The real stream client, or the whole streamer, on a real simulator; nothing in between replaced."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from streaming.clock import ShiftedClock, SystemClock
from streaming.model import Level2Event, TickEvent
from streaming.schwab.login.auth_client import SchwabAuthClient
from streaming.schwab.login.keeper import StoredLogins
from streaming.schwab.login.token_store import TokenStore
from streaming.schwab.rest.budget import RequestBudget
from streaming.schwab.rest.rest_client import SchwabRestClient
from streaming.schwab.stream.policy import StreamTiming
from streaming.schwab.stream.routing import Subscriptions
from streaming.schwab.stream.stream_client import SchwabStreamClient
from streaming.settings import StreamSettings
from streaming.sim.local_schwab import Limits, SimServer, open_sim
from streaming.sim.world.market import Market
from streaming.streamer.runtime import Runtime, open_runtime
from streaming.streamer.streamer import Streamer
from streaming.symbols import parse_ticker

START = datetime(2026, 8, 20, 14, 30, tzinfo=UTC)
"""A Thursday at 10:30 in New York."""
QUICK = StreamTiming(
    open_s=2.0,
    login_s=2.0,
    answer_s=2.0,
    silence_s=5.0,
    close_s=0.05,
    first_delay_s=0.002,
    max_delay_s=0.01,
    settle_s=0.05,
)
FLOWING = Limits(frame_s=0.05, heartbeat_s=0.1)
SYMBOLS = ("SPY", "QQQ", "$SPX", "/ES", "/MNQ")


@dataclass
class ClientRig:
    """One stream client on one simulator."""

    sim: SimServer
    store: TokenStore
    auth: SchwabAuthClient
    client: SchwabStreamClient
    task: "asyncio.Task[None]"
    events: list[Any] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        return self.client.status.state

    def ticks(self, symbol: str) -> list[TickEvent]:
        return [event for event in self.events if isinstance(event, TickEvent) and event.symbol == symbol]

    def books(self, symbol: str) -> list[Level2Event]:
        return [event for event in self.events if isinstance(event, Level2Event) and event.symbol == symbol]

    def sign_in(self) -> None:
        """Log in as a person in another program would."""
        write_token(self.store.path, self.sim)


def write_token(path: Path, sim: SimServer) -> None:
    """A fresh login of the simulator as a token file."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(sim.issue_token()))
    temporary.chmod(0o600)
    temporary.replace(path)


async def until(condition: Callable[[], object], *, within_s: float = 15.0) -> None:
    """Return once `condition()` is true; TimeoutError after `within_s`."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def client_rig(
    tmp_path: Path,
    *,
    symbols: Sequence[str] = SYMBOLS,
    timing: StreamTiming = QUICK,
    limits: Limits = FLOWING,
    start: datetime = START,
    subscriptions: Subscriptions | None = None,
    shares: int = 0,
) -> AsyncIterator[ClientRig]:
    """A client that streams into `events` until the block ends, of a market with so many plain `shares` besides."""
    clock = ShiftedClock(start)
    market = Market.generate(("SPX", "NDX", "SPY", "QQQ"), start_at=start, seed=7, shares=shares)
    async with (
        open_sim(market, clock, client_id="id", client_secret="secret", limits=limits) as sim,
        httpx.AsyncClient() as http,
    ):
        store = TokenStore(tmp_path / "tokens" / "token.json")
        write_token(store.path, sim)
        auth = SchwabAuthClient(
            http,
            store,
            client_id=SecretStr("id"),
            client_secret=SecretStr("secret"),
            api_url=sim.url,
            callback_url="https://127.0.0.1:8182",
            clock=clock,
        )
        rest = SchwabRestClient(http, auth, api_url=sim.url, budget=RequestBudget(100_000, clock), clock=clock)
        events: list[Any] = []
        alarms: list[str] = []
        client = SchwabStreamClient(
            rest,
            auth,
            subscriptions or Subscriptions(tuple(symbols)),
            events.extend,
            clock,
            random.Random(1),
            timing=timing,
            logins=StoredLogins(store, clock, every_s=0.02),
            tell=alarms.append,
        )
        task = asyncio.create_task(client.run(), name="stream client")
        try:
            yield ClientRig(sim, store, auth, client, task, events, alarms)
        finally:
            task.cancel()
            await asyncio.wait({task})


@dataclass
class StreamerRig:
    """The whole market-data side: simulator in, Redis out."""

    sim: SimServer
    runtime: Runtime
    streamer: Streamer
    task: "asyncio.Task[None]"
    alarms: list[str]

    @property
    def state(self) -> str:
        return self.streamer.status().state


_QUICKLY: dict[str, Any] = {
    "gex_chain_days": 5,
    "gex_live_options": 10,
    "gex_chain_requests_per_minute": 120,
    "gex_pace_seconds": 0.25,
}


@asynccontextmanager
async def streamer_rig(
    tmp_path: Path,
    redis_url: str,
    *tickers: str,
    symbols: Sequence[str] = ("SPY", "/MNQ"),
    limits: Limits = FLOWING,
    timing: StreamTiming = QUICK,
    **settings: Any,
) -> AsyncIterator[StreamerRig]:
    """A streamer that runs until the block ends."""
    clock = ShiftedClock(START)
    market = Market.generate(("SPX", "NDX", "SPY", "QQQ"), start_at=START, seed=7)
    async with open_sim(
        market, clock, client_id="id", client_secret="secret", limits=limits, login_clock=SystemClock()
    ) as sim:
        token_path = tmp_path / "tokens" / "token.json"
        write_token(token_path, sim)
        loaded = StreamSettings(
            _env_file=None,
            schwab_client_id=SecretStr("id"),
            schwab_client_secret=SecretStr("secret"),
            schwab_api_url=sim.url,
            schwab_symbols=tuple(symbols),
            schwab_token_path=token_path,
            redis_url=redis_url,
            **(_QUICKLY | settings),
        )
        alarms: list[str] = []
        async with open_runtime(loaded, clock, tell=lambda _line: None) as runtime:
            streamer = Streamer(
                runtime,
                [parse_ticker(name) for name in tickers],
                rng=random.Random(1),
                tell=alarms.append,
                timing=timing,
            )
            task = asyncio.create_task(streamer.run(lambda: None), name="streamer")
            try:
                yield StreamerRig(sim, runtime, streamer, task, alarms)
            finally:
                task.cancel()
                await asyncio.wait({task})
