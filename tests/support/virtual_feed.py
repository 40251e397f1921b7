"""Whole bots' feeds in virtual time, on one Discord and one store in memory, and a market that goes on."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from redis.asyncio import Redis

from bot.feed.feed_job import FeedRunner
from bot.feed.ledger import Ledger
from bot.feed.pacing import Pacing
from bot.settings import BotSettings
from streaming.bus.lease import Lease
from streaming.errors import TransientError
from streaming.model import GexSnapshot
from tests.support.feed import QueueSnapshots, showing, snapshot
from tests.support.memory_discord import MemoryChannel, MemoryDiscord
from tests.support.memory_redis import MemoryRedis, MemoryStore
from tests.support.virtual_loop import Household, LoopClock, VirtualLoop

LEASE = "feed:lease"
TICKER = "NQ_NDX"
_DEAD = "This process is dead."


class VirtualReader(QueueSnapshots):
    """A bot's own subscription: everything is stored, and what comes while nobody listens is not heard."""

    def __init__(self, latest: list[GexSnapshot]) -> None:
        super().__init__()
        self.stored = {TICKER: latest}


class VirtualBot:
    """One process: it starts, is asked to end, is killed, is stopped for a while."""

    def __init__(self, world: "World", name: str) -> None:
        self.name = name
        self.household = Household()
        self.dead = False
        self.began_s = world.loop.time()
        self.slept_s = self._slept_from_s = 0.0
        self._world = world
        self.reader = VirtualReader(world.latest)
        redis = cast("Redis", MemoryRedis(world.store, lambda: self.dead))
        self.lease = Lease(redis, LEASE, name, uptime=world.loop.time)
        self.pacing = Pacing(world.clock)
        self.runner = FeedRunner(
            showing(dict.fromkeys(world.channels, TICKER)),
            self.reader,
            self._channel,
            Ledger(redis, self.lease),
            world.settings,
            world.clock,
            rng=random.Random(world.rng.random()),
            tell=world.told.append,
            lease=self.lease,
            turns=self.pacing,
        )
        self.task = world.loop.create_task(self.runner.run(), name=name, context=self.household.context)

    @property
    def works(self) -> bool:
        """Whether it runs now."""
        return not (self.dead or self.household.asleep or self.task.done())

    async def terminate(self) -> None:
        """As by SIGTERM."""
        self.wake()
        self.task.cancel()
        await asyncio.wait({self.task})

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
    silent: bool = False
    """Whether the source of snapshots says nothing."""
    told: list[str] = field(default_factory=list)
    latest: list[GexSnapshot] = field(default_factory=list)
    published_s: dict[float, float] = field(default_factory=dict)
    bots: dict[str, VirtualBot] = field(default_factory=dict)
    starts: int = 0

    def __post_init__(self) -> None:
        self.store = MemoryStore(self.rng)
        self.discord = MemoryDiscord(self.clock, self.rng, self.watch)

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
            for bot in self.bots.values():
                if bot.reader.listeners and not bot.dead:
                    bot.reader.queue.put_nowait(new)

    def break_streams(self) -> None:
        """Every subscription ends with an error."""
        for bot in self.bots.values():
            if bot.reader.listeners and not bot.dead:
                bot.reader.queue.put_nowait(TransientError("The stream of snapshots broke."))


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


def after(start: datetime, seconds: float) -> datetime:
    """So much later."""
    return start + timedelta(seconds=seconds)
