"""Whole bots' feeds in virtual time, on one Discord and one store in memory, and a market that goes on."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from redis.asyncio import Redis

from bot.alerts.alert_commands import AlertCommands
from bot.alerts.alert_job import AlertRunner
from bot.alerts.post import AlertPost
from bot.alerts.rule_store import AlertStore
from bot.alerts.rules import Rule
from bot.feed.feed_job import FeedRunner
from bot.feed.handover import Handover
from bot.feed.ledger import Ledger
from bot.feed.pacing import Pacing
from bot.servers.feed_commands import FeedCommands
from bot.servers.order_store import FeedOrders, OrderStore
from bot.servers.orders import BoardOrder, orders_of, read_order
from bot.settings import BotSettings
from streaming.bus import keys
from streaming.bus.lease import Lease
from streaming.errors import TransientError
from streaming.model import GexSnapshot
from streaming.symbols import Ticker
from tests.support.feed import QueueSnapshots, showing, snapshot
from tests.support.memory_alerts import MemoryPost, keep_rule
from tests.support.memory_discord import MemoryChannel, MemoryDiscord
from tests.support.memory_redis import MemoryRedis, MemoryStore
from tests.support.virtual_loop import Household, LoopClock, VirtualLoop

LEASE = "feed:lease"
TICKER = "NQ_NDX"
_PER_SERVER = 100


class VirtualReader(QueueSnapshots):
    """A bot's own subscription: everything is stored, and what comes while nobody listens is not heard."""

    def __init__(self, latest: list[GexSnapshot]) -> None:
        super().__init__()
        self.stored = {TICKER: latest}

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[AsyncIterator[GexSnapshot]]:
        self.queue = asyncio.Queue()
        async with super().listen() as stream:
            try:
                yield stream
            finally:
                self.listeners -= 1


class VirtualBot:
    """One process: it starts, is asked to end, is killed, is stopped for a while."""

    def __init__(self, world: "World", name: str) -> None:
        self.name = name
        self.household = Household()
        self.dead = False
        self.began_s = world.loop.time()
        self.slept_s = self._slept_from_s = 0.0
        self._world = world
        self.reader, self.alert_reader = VirtualReader(world.latest), VirtualReader(world.latest)
        self._redis = cast("Redis", MemoryRedis(world.store, lambda: self.dead))
        self.lease = Lease(self._redis, LEASE, name, uptime=world.loop.time, pause=self._pause)
        self.pacing = Pacing(world.clock)
        self.orders = FeedOrders(showing(dict.fromkeys(world.channels, TICKER)).current, OrderStore(self._redis))
        self.desk = FeedCommands(self.orders, world.clock, per_server=_PER_SERVER, admit=_any_ticker)
        self.runner = self._feed()
        self.alerts, self.alert_desk = self._alerts()
        self.task = self.begin(self.runner.run(), name)
        self.alert_task = self.begin(self.alerts.run(_no_progress), f"alerts of {name}") if world.rules else self.task

    def _feed(self) -> FeedRunner:
        world = self._world
        return FeedRunner(
            self.orders,
            self.reader,
            self._channel,
            Ledger(self._redis, self.lease),
            world.settings,
            world.clock,
            rng=random.Random(world.rng.random()),
            tell=world.told.append,
            lease=self.lease,
            turns=self.pacing,
            handover=Handover(self.lease, world.clock, self._is_awaited, self._stir),
        )

    def _is_awaited(self) -> bool:
        """Whether another process was heard of lately; it may stand still by now."""
        return any(not (bot is self or bot.dead or bot.task.done()) for bot in self._world.bots.values())

    async def _stir(self) -> None:
        """As `Crew.stir`."""
        if not self.dead and self._world.store.state == "up":
            self._world.stirred.set()
            self._world.stirred = asyncio.Event()

    async def _pause(self, within_s: float) -> None:
        """As `Crew.pause`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._world.stirred.wait()

    def _alerts(self) -> tuple[AlertRunner, AlertCommands]:
        world = self._world
        store = AlertStore(self._redis, uptime=world.loop.time)
        post = cast("AlertPost", MemoryPost(world.discord, self.pacing, lambda: self.dead))
        rng = random.Random(world.rng.random())
        runner = AlertRunner(self.alert_reader, store, post, world.clock, tell=world.told.append, rng=rng)
        return runner, AlertCommands(store, runner, post, world.clock, per_person=_PER_SERVER, per_channel=_PER_SERVER)

    def begin(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Something that this process does."""
        return self._world.loop.create_task(work, name=name, context=self.household.context)

    @property
    def works(self) -> bool:
        """Whether it runs now."""
        return not (self.dead or self.household.asleep or self.task.done())

    async def terminate(self) -> None:
        """As by SIGTERM."""
        self.wake()
        for task in (self.task, self.alert_task):
            task.cancel()
        await asyncio.wait({self.task, self.alert_task})

    async def kill(self) -> None:
        """As by SIGKILL: what it says from now on arrives nowhere."""
        self.dead = True
        await self.terminate()

    def sleep(self) -> None:
        """As by SIGSTOP."""
        self.wake()
        self.household.asleep = True
        self._slept_from_s = self._world.loop.time()

    def wake(self) -> None:
        """As by SIGCONT."""
        if self.household.asleep:
            self.slept_s += self._world.loop.time() - self._slept_from_s
        self.household.wake(self._world.loop)

    def _channel(self, channel_id: int) -> MemoryChannel:
        return MemoryChannel(self._world.discord, self.pacing, channel_id, lambda: self.dead)


@dataclass
class World:
    """Everything that bots meet."""

    loop: VirtualLoop
    clock: LoopClock
    rng: random.Random
    channels: tuple[int, ...]
    settings: BotSettings
    watch: Callable[[str, int, int, str], None]
    tick_s: float = 0.5
    rules: tuple[Rule, ...] = ()
    """Alerts that were set before."""
    silent: bool = False
    """Whether the source of snapshots says nothing."""
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody says that he gave something up."""
    told: list[str] = field(default_factory=list)
    latest: list[GexSnapshot] = field(default_factory=list)
    published_s: dict[float, float] = field(default_factory=dict)
    bots: dict[str, VirtualBot] = field(default_factory=dict)
    starts: int = 0

    def __post_init__(self) -> None:
        self.store = MemoryStore(self.rng)
        self.discord = MemoryDiscord(self.clock, self.rng, self.watch)
        self._named = dict(showing(dict.fromkeys(self.channels, TICKER)).current)
        self._wanted: tuple[bytes, dict[int, BoardOrder]] = b"", self._named
        for rule in self.rules:
            keep_rule(self.store, rule)

    def start(self, place: str) -> VirtualBot:
        """A process in a place, where no other runs."""
        self.starts += 1
        bot = self.bots[place] = VirtualBot(self, f"{place}-{self.starts}")
        return bot

    @property
    def leader(self) -> VirtualBot | None:
        """Who has the lease, if he can use it."""
        holder = self.store.get(LEASE)
        return next((bot for bot in self.bots.values() if bot.name == holder and bot.works), None)

    @property
    def places(self) -> list[int]:
        """Every channel with a live message, ordered or still there."""
        return sorted({*self._named, *self.wanted, *self.discord.channels})

    @property
    def wanted(self) -> dict[int, BoardOrder]:
        """The live messages that are ordered, by channel."""
        kept = self.store.hashes.get(keys.FEED_ORDERS, {})
        if (version := kept.get("version", b"")) != self._wanted[0]:
            said = [order for name, value in kept.items() if name.isdecimal() and (order := read_order(value))]
            self._wanted = version, orders_of(self._named, said, {})
        return self._wanted[1]

    async def market(self) -> None:
        """Figures that change with every tick; the price names the tick."""
        number = 0
        while True:
            await asyncio.sleep(self.tick_s)
            if self.silent:
                continue
            number += 1
            spot = 20000 + number * 0.25
            self.published_s[spot] = self.loop.time()
            new = snapshot(self.clock.now(), spot=spot, seq=number)
            self.latest[:] = [new]
            self._tell(new)

    def break_streams(self) -> None:
        """Every subscription ends with an error."""
        self._tell(TransientError("The stream of snapshots broke."))

    def _tell(self, new: GexSnapshot | TransientError) -> None:
        for bot in self.bots.values():
            for reader in (bot.reader, bot.alert_reader):
                if reader.listeners and not bot.dead:
                    reader.queue.put_nowait(new)


def a_world(loop: VirtualLoop, start: datetime, rng: random.Random, watch: Any, **options: Any) -> World:
    """A world at an hour of New York's market, with settings as they are unless said."""
    changes = {"gex_feed_refresh_minutes": 1} | options.pop("settings", {})
    return World(
        loop=loop,
        clock=LoopClock(loop, start),
        rng=rng,
        watch=watch,
        settings=BotSettings(_env_file=None, **changes),
        **({"channels": (1, 2)} | options),
    )


async def _any_ticker(_ticker: Ticker) -> None:
    """Every one is admitted."""


def _no_progress() -> None:
    """Nobody supervises."""
