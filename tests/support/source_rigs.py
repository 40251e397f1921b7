"""Every source of snapshots on a local other side that can be told to fail; nothing in between replaced."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast

import msgspec
from aiohttp import web
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import RedisError

from streaming.bus import keys
from streaming.bus.publish.publisher import TradingEventPublisher
from streaming.bus.snapshots.day_maps import DayMapStore
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import Clock, SystemClock
from streaming.ports import EventSink, SnapshotSource
from streaming.replay.source import RecordedSource
from streaming.settings import StreamSettings
from streaming.sim.local_schwab import Failure
from streaming.sources import cboe_source, gexbot
from streaming.sources.cboe_source import CboeSource
from streaming.sources.gexbot import GexbotSource
from streaming.sources.polling import Surroundings
from streaming.sources.redis_source import RedisSource
from streaming.sources.schwab_source import SchwabSource
from streaming.sources.source_kind import Kit, RedisClaims, Stream
from streaming.status import SourceStatus
from streaming.symbols import parse_ticker
from tests.data_builders.chains import made
from tests.support.http import HttpServer, Seen, open_http_server
from tests.support.recordings import record
from tests.support.stream_rig import StreamerRig, streamer_rig

EVERY_S = 0.05
KEY = "gexbot_custom_9f2c41d7e8"
GEXBOT_QUOTE_S = 1_787_241_600
"""2026-08-20 16:00 UTC, noon in New York."""
GEXBOT_ANSWER: dict[str, Any] = {
    "timestamp": GEXBOT_QUOTE_S,
    "ticker": "SPX",
    "min_dte": 0,
    "sec_min_dte": 1,
    "spot": 6400.25,
    "zero_gamma": 0,
    "major_pos_vol": 6450,
    "major_pos_oi": 6500,
    "major_neg_vol": 6300,
    "major_neg_oi": 0,
    "strikes": [[6395, 10.5, -3.25, [9.0, 8.0, 0, 6.0, 5.0]], [6400, 0, 4.5, [0, 0, 0, 0, 0]]],
    "sum_gex_vol": 1250.004,
    "sum_gex_oi": -310.5,
    "delta_risk_reversal": 0.118,
    "max_priors": [[6400, 1.5], [6395, -2.0], [0, 0], [6405, 3.0], [6410, 4.0], [6415, 5.0]],
}
SPOT_ONLY: dict[str, Any] = {"timestamp": GEXBOT_QUOTE_S, "ticker": "SPX", "spot": 6400.25}
ALL_ZERO: dict[str, Any] = dict.fromkeys(GEXBOT_ANSWER, 0) | SPOT_ONLY | {"strikes": [], "max_priors": []}
GARBAGE = b"<html>we are moving</html>"


@dataclass
class SourceRig:
    """One source at work, and levers on its other side."""

    name: str
    ticker: str
    store: SnapshotStore
    status: Callable[[], SourceStatus]
    break_down: Callable[[], None]
    """From now on the other side fails."""
    recover: Callable[[], None]
    send_garbage: Callable[[], None]
    send_spot_only: Callable[[], None]
    send_zeros: Callable[[], None]
    quote_at: datetime | None
    """When the quotes were live; None where the other side's clock decides."""
    unknown: tuple[str, ...]
    """Figures that this source does not provide."""
    task: "asyncio.Task[None]"
    alarms: list[str] = field(default_factory=list)
    secrets: tuple[str, ...] = ()
    http: HttpServer | None = None

    async def latest(self) -> Any:
        """What a board would show."""
        return await self.store.latest(self.ticker)

    async def first(self, *, within_s: float = 20.0) -> Any:
        """Wait for the first snapshot."""
        await self.until(lambda: self.status().snapshots > 0, within_s=within_s)
        return await self.latest()

    async def until(self, condition: Callable[[], object], *, within_s: float = 20.0) -> None:
        """Return once it holds; the source's own end, or too long a wait, is an error."""
        ends_s = time.monotonic() + within_s
        while not condition():
            if self.task.done():
                self.task.result()
                raise AssertionError(f"{self.name} ended")
            assert time.monotonic() < ends_s, self.status()
            await asyncio.sleep(0.01)


class Lever:
    """What a local server answers; `body` while all is well."""

    def __init__(self, body: bytes, *, etag: str | None = None) -> None:
        self.good = body
        self.body = body
        self.status = 200
        self.headers: dict[str, str] = {}
        self.etag = etag
        self.statuses: dict[str, int] = {}
        """By the path's end, for one ticker only."""
        self.bodies: dict[str, bytes] = {}

    def answer(self, seen: Seen) -> web.Response:
        status = next((code for end, code in self.statuses.items() if end in seen.path), self.status)
        body = next((body for end, body in self.bodies.items() if end in seen.path), self.body)
        headers = dict(self.headers)
        if status == 200 and body is self.good and self.etag is not None:
            headers["ETag"] = self.etag
            if seen.headers.get("If-None-Match") == self.etag:
                return web.Response(status=304)
        return web.Response(status=status, body=body if status == 200 else b"no", headers=headers)

    def breaks(self) -> None:
        self.status = 503

    def recovers(self) -> None:
        self.status, self.body, self.headers = 200, self.good, {}

    def gives(self, body: bytes) -> Callable[[], None]:
        def give() -> None:
            self.body = body

        return give


@cache
def cboe_chain() -> bytes:
    """A feed of RUT of an evening in 2023, small enough to be asked for twenty times a second."""
    return made("rut_feed.json").payload


def cboe_without(body: bytes, *, options: int, weight: bool) -> bytes:
    """The same feed with fewer options, and without open interest and volume unless `weight`."""
    feed = msgspec.json.decode(body)
    feed["data"]["options"] = feed["data"]["options"][:options]
    for option in feed["data"]["options"] if not weight else ():
        option["open_interest"] = option["volume"] = 0.0
    return msgspec.json.encode(feed)


def surroundings(
    redis: Redis, source: str, alarms: list[str], *, owner: str = "test", ttl_s: float = 1.0
) -> Surroundings:
    """Real Redis, real time."""
    clock = SystemClock()
    return Surroundings(
        sink=SnapshotStore(redis, clock=clock),
        claims=RedisClaims(redis, source, owner, ttl_s=ttl_s),
        clock=clock,
        rng=random.Random(1),
        tell=alarms.append,
    )


def quick(source: Any) -> Any:
    """The same source with retries a test can wait for."""
    source._pace = replace(
        source._pace,
        resting_s=EVERY_S,
        first_retry_s=EVERY_S,
        longest_retry_s=2 * EVERY_S,
        person_s=2 * EVERY_S,
        unknown_s=60.0,
    )
    return source


@asynccontextmanager
async def running(source: SnapshotSource) -> AsyncIterator["asyncio.Task[None]"]:
    """The source at work until the block ends."""
    task = asyncio.create_task(source.run(lambda: None), name=f"source {source.name}")
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


@asynccontextmanager
async def cboe_rig(redis: Redis) -> AsyncIterator[SourceRig]:
    """CBOE's feed with a chain of RUT."""
    body = cboe_chain()
    lever = Lever(body)
    alarms: list[str] = []
    async with open_http_server(lever.answer) as http:
        source = quick(
            CboeSource(
                (parse_ticker("RUT"),),
                url=f"{http.url}/options",
                scope="full",
                every_s=EVERY_S,
                around=surroundings(redis, cboe_source.NAME, alarms),
                maps=DayMapStore(redis),
            )
        )
        async with running(source) as task:
            yield SourceRig(
                name="cboe",
                ticker="RUT",
                store=SnapshotStore(redis),
                status=source.status,
                break_down=lever.breaks,
                recover=lever.recovers,
                send_garbage=lever.gives(GARBAGE),
                send_spot_only=lever.gives(cboe_without(body, options=0, weight=True)),
                send_zeros=lever.gives(cboe_without(body, options=400, weight=False)),
                quote_at=datetime(2023, 9, 20, 20, 0, tzinfo=UTC),
                unknown=("basis", "basis_ms"),
                task=task,
                alarms=alarms,
                http=http,
            )


@asynccontextmanager
async def gexbot_rig(redis: Redis) -> AsyncIterator[SourceRig]:
    """GEXBot's classic API with a made-up answer in its published shape."""
    lever = Lever(json.dumps(GEXBOT_ANSWER).encode())
    alarms: list[str] = []
    async with open_http_server(lever.answer) as http:
        source = quick(
            GexbotSource(
                (parse_ticker("SPX"),),
                key=SecretStr(KEY),
                url=http.url,
                scope="zero",
                every_s=EVERY_S,
                around=surroundings(redis, gexbot.NAME, alarms),
            )
        )
        async with running(source) as task:
            yield SourceRig(
                name="gexbot",
                ticker="SPX",
                store=SnapshotStore(redis),
                status=source.status,
                break_down=lever.breaks,
                recover=lever.recovers,
                send_garbage=lever.gives(GARBAGE),
                send_spot_only=lever.gives(json.dumps(SPOT_ONLY).encode()),
                send_zeros=lever.gives(json.dumps(ALL_ZERO).encode()),
                quote_at=datetime.fromtimestamp(GEXBOT_QUOTE_S, tz=UTC),
                unknown=("ladder_split", "major_neg_oi", "chain_ms", "forward_mode", "basis"),
                task=task,
                alarms=alarms,
                secrets=(KEY,),
                http=http,
            )


class ForeignProducer:
    """Another program that writes the classic shape every now and then, or something else."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._good = json.dumps({"data": GEXBOT_ANSWER | {"timestamp": GEXBOT_QUOTE_S * 1000}}).encode()
        self.payload: bytes | None = self._good

    def sends(self, payload: bytes | None) -> Callable[[], None]:
        def send() -> None:
            self.payload = payload

        return send

    def recovers(self) -> None:
        self.payload = self._good

    async def run(self) -> None:
        while True:
            if self.payload is not None:
                with suppress(RedisError):
                    await self._redis.set(keys.snapshot("SPX"), self.payload)
                    await self._redis.publish(keys.SNAPSHOT_STREAM, self.payload)
            await asyncio.sleep(EVERY_S)


@asynccontextmanager
async def redis_rig(redis: Redis) -> AsyncIterator[SourceRig]:
    """Another program's snapshots in Redis."""
    producer = ForeignProducer(redis)
    source = RedisSource((parse_ticker("SPX"),), store=SnapshotStore(redis), clock=SystemClock())
    producing = asyncio.create_task(producer.run())
    try:
        async with running(source) as task:
            yield SourceRig(
                name="redis",
                ticker="SPX",
                store=SnapshotStore(redis),
                status=source.status,
                break_down=producer.sends(None),
                recover=producer.recovers,
                send_garbage=producer.sends(GARBAGE),
                send_spot_only=producer.sends(json.dumps(SPOT_ONLY).encode()),
                send_zeros=producer.sends(json.dumps(ALL_ZERO).encode()),
                quote_at=datetime.fromtimestamp(GEXBOT_QUOTE_S, tz=UTC),
                unknown=("ladder_split", "major_neg_oi", "chain_ms", "forward_mode", "basis"),
                task=task,
            )
    finally:
        producing.cancel()
        await asyncio.wait({producing})


@asynccontextmanager
async def schwab_rig(tmp_path: Path, redis_url: str, redis: Redis) -> AsyncIterator[SourceRig]:
    """The streamer on the simulator, which is also what the demo runs on."""
    async with streamer_rig(tmp_path, redis_url, "SPX") as rig:
        yield SourceRig(
            name="schwab",
            ticker="SPX",
            store=SnapshotStore(redis, clock=rig.runtime.clock),
            status=SchwabSource([parse_ticker("SPX")], rig.streamer).status,
            break_down=lambda: _silence(rig),
            recover=rig.sim.faults.clear,
            send_garbage=lambda: rig.sim.fail("marketdata", Failure(200, GARBAGE.decode()), times=1000),
            send_spot_only=lambda: None,
            send_zeros=lambda: None,
            quote_at=None,
            unknown=("basis", "basis_ms"),
            task=rig.task,
            alarms=rig.alarms,
            secrets=(json.loads((tmp_path / "tokens" / "token.json").read_text())["token"]["access_token"],),
        )


def _silence(rig: StreamerRig) -> None:
    rig.sim.faults.frozen = True
    rig.sim.fail("marketdata", Failure(503), times=100_000)


def kit_of(
    redis: Redis, settings: StreamSettings, events: EventSink, *, owner: str = "test", clock: Clock | None = None
) -> Kit:
    """What a source is built from where nothing streams."""
    clock = clock or SystemClock()
    return Kit(
        settings=settings,
        clock=clock,
        redis=redis,
        snapshots=SnapshotStore(redis, clock=clock),
        events=events,
        stream=cast("Stream", None),
        rng=random.Random(1),
        tell=print,
        owner=owner,
    )


@asynccontextmanager
async def replay_rig(tmp_path: Path, redis_url: str, redis: Redis) -> AsyncIterator[SourceRig]:
    """A small recording, over and over; there is no other side that could fail."""
    settings = StreamSettings(
        _env_file=None,
        redis_url=redis_url,
        gex_replay_path=record(tmp_path / "recordings"),
        gex_replay_speed=10.0,
        gex_replay_loop=True,
    )
    store = SnapshotStore(redis)
    async with TradingEventPublisher(redis) as publisher:
        source = RecordedSource((parse_ticker("SPX"),), kit_of(redis, settings, publisher))
        async with running(source) as task:
            yield SourceRig(
                name="replay",
                ticker="SPX",
                store=store,
                status=source.status,
                break_down=_nothing,
                recover=_nothing,
                send_garbage=_nothing,
                send_spot_only=_nothing,
                send_zeros=_nothing,
                quote_at=None,
                unknown=("basis", "basis_ms"),
                task=task,
            )


def _nothing() -> None:
    pass


RIGS = ("schwab", "cboe", "gexbot", "redis", "replay")


@asynccontextmanager
async def open_rig(name: str, *, redis: Redis, redis_url: str, tmp_path: Path) -> AsyncIterator[SourceRig]:
    """One source by its name."""
    async with AsyncExitStack() as stack:
        match name:
            case "schwab":
                yield await stack.enter_async_context(schwab_rig(tmp_path, redis_url, redis))
            case "cboe":
                yield await stack.enter_async_context(cboe_rig(redis))
            case "gexbot":
                yield await stack.enter_async_context(gexbot_rig(redis))
            case "replay":
                yield await stack.enter_async_context(replay_rig(tmp_path, redis_url, redis))
            case _:
                yield await stack.enter_async_context(redis_rig(redis))


def age_of(snapshot: Any, now: datetime) -> timedelta:
    """How old its quotes are."""
    return now - datetime.fromtimestamp(snapshot.asof_ms / 1000, tz=UTC)
