"""How this process is connected to Discord's gateway: once, or by as many shards of the bot as are its to keep.

Discord says how many shards a bot should be. With one, every process of the token keeps the one connection, as leader
and standby. With more, each shard is kept by the process that has its lease: equal processes share them, and the
shards of one that ends are taken over by the others.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import discord
from discord.gateway import DiscordWebSocket
from discord.state import AutoShardedConnectionState

from bot.wire.answers import FAILURES
from bot.wire.crew import Crew
from bot.wire.gateway import Gateway, NotShardedError
from bot.wire.identify_budget import IdentifyBudget
from bot.wire.identify_slots import IdentifySlots
from streaming.bus import keys
from streaming.bus.lease import LeaseLostError
from streaming.bus.portions import PortionLease, Portions
from streaming.clock import Clock
from streaming.errors import TransientError, UnavailableError, leading_error
from streaming.ports import Progress, Tell
from streaming.process.backoff import Backoff

log = logging.getLogger(__name__)

AWAY_S: Final = 30.0
LOOK_S: Final = 1.0
_REST_S: Final = 6.0
"""Between two shards that are given to another process, which identifies one of a bucket in five seconds."""
_ASKS: Final = 3
_ASK_AGAIN_S: Final = 1.0
_FIRST_S: Final = 0.5
_CAP_S: Final = 2.0
_SHARDED_BY: Final = 22
"""Bits of a server's id that say nothing of its shard (Discord's developer documentation, "Sharding")."""


class ShardedState(AutoShardedConnectionState[Any]):
    """What discord.py knows of the servers of this process's shards, which come and go."""

    def parse_ready(self, data: Any) -> None:
        """A new session of a shard; its servers are told anew, and others' stay."""
        shard = data.setdefault("shard", [0, 1])[0]
        if self.shard_count is None:
            self.clear(views=False)
        for guild in [guild for guild in self.guilds if guild.shard_id == shard]:
            self._remove_guild(guild)
        self.shard_ids = sorted({*self._ready_tasks, shard})  # each is ready for itself
        super().parse_ready(data)

    def parse_resumed(self, data: Any) -> None:
        data["__shard_id__"] = data.get("__shard_id__") or 0
        super().parse_resumed(data)


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """What Discord says of a bot's connections."""

    shards: int = 1
    at_once: int = 1
    """How many of them may identify within five seconds."""


class Shards:
    """Every connection of this process."""

    def __init__(
        self, client: discord.Client, clock: Clock, rng: Random, budget: IdentifyBudget | None, crew: Crew | None
    ) -> None:
        self._client = client
        self._clock = clock
        self._rng = rng
        self._budget = budget
        self._crew = crew
        self._gateways: dict[int, Gateway] = {0: Gateway(client, clock, rng, budget)}
        self._portions: Portions | None = None
        self._regrouped = asyncio.Event()
        self.planned = asyncio.Event()
        """Set once it is known how many shards there are."""
        self.count = 1
        """Of the whole bot, in all its processes."""
        self.aways = 0
        """How often one was away for half a minute."""

    @property
    def own(self) -> Sequence[int]:
        """The shards that this process keeps connected."""
        return sorted(self._gateways)

    @property
    def connected(self) -> Sequence[int]:
        """Those of them that Discord has welcomed."""
        return [shard for shard in self.own if self._gateways[shard].is_up]

    def hears_of(self, guild_id: int) -> bool:
        """Whether Discord tells this process of a server that the bot is in."""
        return (guild_id >> _SHARDED_BY) % self.count in self.connected

    @property
    def sockets(self) -> Sequence[DiscordWebSocket]:
        """The connections of this moment."""
        return [gateway.socket for gateway in self._gateways.values() if gateway.socket is not None]

    @property
    def is_up(self) -> bool:
        """Whether Discord has welcomed the bot on every connection that is this process's."""
        return all(gateway.is_up for gateway in self._gateways.values())

    def up(self, shard: int) -> None:
        """Discord has opened a session of a shard, or taken one up again."""
        if (gateway := self._gateways.get(shard)) is not None:
            gateway.up()

    async def note_identify(self, shard: int | None) -> None:
        """A session is about to be opened; a shard waits for its turn."""
        if (gateway := self._gateways.get(shard or 0)) is not None:
            await gateway.note_identify()

    async def run(self, tell: Tell) -> None:
        """Stay connected until the client is closed.

        Raises LoginRequiredError (4004, 4014) or ConfigurationError (4013) when Discord will not have the bot, and
        UnavailableError when it is to start again with more shards.
        """
        plan = await self._plan()
        running = asyncio.create_task(self._run(plan, tell), name="shards")
        regrouped = asyncio.create_task(self._regrouped.wait(), name="shards: another number of them")
        try:
            await asyncio.wait({running, regrouped}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                raise self._restart
            running.result()
        except (NotShardedError, BaseExceptionGroup) as error:
            if isinstance(leading_error(error), NotShardedError):
                await self._grow()
            raise
        finally:
            running.cancel()
            regrouped.cancel()
            await asyncio.wait({running, regrouped})

    @property
    def _restart(self) -> UnavailableError:
        return UnavailableError(
            "Discord wants this bot in another number of shards.", remedy="Start it again: it is then so many."
        )

    async def watch(self, progress: Progress, *, mark: Callable[[bool], None], tell: Tell) -> None:
        """The job: tell once when a connection has been away for half a minute, and once when all are back."""
        away_s: float | None = None
        while True:
            mark(self.is_up)
            since_s = [at for gateway in self._gateways.values() if (at := gateway.away_since_s) is not None]
            if since_s and away_s is None and self._clock.monotonic() - min(since_s) >= AWAY_S:
                away_s, self.aways = min(since_s), self.aways + 1
                tell(
                    f"Discord's gateway has been away for {AWAY_S:.0f} s: commands and buttons do not answer. "
                    "Live messages and alerts go on. The bot keeps trying."
                )
            elif not since_s and away_s is not None:
                missing_s, away_s = self._clock.monotonic() - away_s, None
                tell(f"Discord's gateway is back after {missing_s:.0f} s.")
            if self._portions is not None:
                self._portions.trim(self._clock.monotonic())
            if self.planned.is_set() and self._crew is not None and self._crew.shards not in {None, self.count}:
                self._regrouped.set()
            progress()
            await self._clock.sleep(LOOK_S)

    async def _plan(self) -> ShardPlan:
        plan = await self._asked()
        if self._crew is not None:
            try:
                plan = ShardPlan(await self._crew.agreed_shards(plan.shards), plan.at_once)
            except TransientError as error:
                log.warning("the number of shards is not agreed on with other processes: %s", error.sentence)
        self.count = plan.shards if self._crew is not None else 1
        self.planned.set()
        return plan

    async def _asked(self) -> ShardPlan:
        """What Discord says; one connection when it does not answer, which it refuses if that is too few."""
        for again in range(_ASKS):
            try:
                shards, _, limits = await self._client.http.get_bot_gateway()
                return ShardPlan(max(int(shards), 1), max(int(limits["max_concurrency"]), 1))
            except (*FAILURES, discord.GatewayNotFound, KeyError, TypeError, ValueError) as error:
                log.info("Discord does not say how many shards the bot should be (%s)", type(error).__name__)
                await self._clock.sleep(_ASK_AGAIN_S * again)
        return ShardPlan()

    async def _run(self, plan: ShardPlan, tell: Tell) -> None:
        if self._crew is None or self.count == 1:
            await self._gateways[0].run(tell)
            return
        self._gateways.clear()
        self._client.shard_count = self._client._connection.shard_count = self.count  # noqa: SLF001  # no other way
        names = [keys.shard_lease(self._crew.fingerprint, shard, self.count) for shard in range(self.count)]
        self._portions = self._crew.portions(names, rest_s=_REST_S / plan.at_once)
        slots = self._crew.slots(plan.at_once)
        log.info("the bot is %d shards, of which this process keeps its part", self.count)
        async with asyncio.TaskGroup() as group:
            for shard, lease in enumerate(self._portions.leases):
                group.create_task(self._keep(shard, lease, slots, tell), name=f"shard {shard}")

    async def _keep(self, shard: int, lease: PortionLease, slots: IdentifySlots, tell: Tell) -> None:
        """Keep a shard connected whenever it is ours, until the client is closed."""
        backoff = Backoff(self._rng, first_s=_FIRST_S, cap_s=_CAP_S)
        while not self._client.is_closed():
            try:
                async with lease.held(wait=True):
                    backoff.reset()
                    await self._hold(shard, slots, tell)
            except LeaseLostError:
                log.info("shard %d is another process's now", shard)
            except TransientError as error:
                log.debug("shard %d waits: %s", shard, error.sentence)
                await self._clock.sleep(backoff.next_s())

    async def _hold(self, shard: int, slots: IdentifySlots, tell: Tell) -> None:
        gateway = Gateway(self._client, self._clock, self._rng, self._budget, slots, shard)
        self._gateways[shard] = gateway
        try:
            await gateway.run(tell)
        finally:
            del self._gateways[shard]
            for guild in [guild for guild in self._client.guilds if guild.shard_id == shard]:
                self._client._connection._remove_guild(guild)  # noqa: SLF001  # another process is told of it now

    async def _grow(self) -> None:
        """Discord refuses a connection for being one of too few: have every process start again with more."""
        plan = await self._asked()
        if self._crew is not None and plan.shards > self.count:
            await self._crew.want_shards(plan.shards)
            raise self._restart
