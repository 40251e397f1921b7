"""The local Discord as one object: addresses, people, counters, and what a test or a storm orders of it.

An order takes effect at once and is what Discord, a proxy or a moderator would do. Failures of requests are ordered
here; what happens to the guild is a change of `world`, what happens to connections is in `gateway`.
"""

import asyncio
import base64
import logging
import math
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from bot.sandbox.discord_parts import discord_gauges, discord_levers
from bot.sandbox.gateway.local_gateway import LocalGateway
from bot.sandbox.rest.faults import KINDS, Fault, Kind, RestFaults, Trouble
from bot.sandbox.rest.posts import Posts
from bot.sandbox.rest.rate_limits import RateLimiter
from bot.sandbox.rest.rest import API_PATH, RestApi
from bot.sandbox.rest.rest_identity import CommandRoutes, IdentityRoutes
from bot.sandbox.rest.rest_interactions import InteractionRoutes
from bot.sandbox.rest.rest_messages import MessageRoutes
from bot.sandbox.rest.traffic import Traffic
from bot.sandbox.rest.uploads import REQUEST_BYTES
from bot.sandbox.visitor.actions import PageActions
from bot.sandbox.visitor.api import PageApi
from bot.sandbox.visitor.backstage import Backstage, BackstageRoutes, Gauge
from bot.sandbox.visitor.page_view import PageView
from bot.sandbox.world.commands import CommandBook
from bot.sandbox.world.interactions import ANSWER_WITHIN_S, InteractionDesk
from bot.sandbox.world.page_events import PageHub
from bot.sandbox.world.records import Change, ChannelKind, Deed, Message, MessageChange
from bot.sandbox.world.world import World
from streaming.clock import Clock, SystemClock
from streaming.process.loopback import loopback_port, only_local_callers

log = logging.getLogger(__name__)

GATEWAY_PATH: Final = "/gateway/"
HEARTBEAT_S: Final = 41.25
GOING_AWAY: Final = 1001
_SHUTDOWN_S: Final = 2.0
CHANNELS: Final = ("gex-spx", "gex-ndx")


@dataclass(slots=True)
class _Watch:
    left: float
    after_s: float


@dataclass(slots=True)
class Moderator:
    """Deletes the next posts of the bot in watched channels, each a moment after it came."""

    world: World
    _watches: dict[int, _Watch] = field(default_factory=dict)
    _timers: set[asyncio.TimerHandle] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.world.listen(self._see)

    def watch(self, channel_id: int, count: float = math.inf, after_s: float = 0.2) -> None:
        """Delete the next messages of the bot in a channel, each a moment after it came, until `rest()`."""
        self._watches[channel_id] = _Watch(count, after_s)

    def rest(self) -> None:
        """Watch nothing any more and forget what was about to be deleted."""
        self._watches.clear()
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _see(self, change: Change) -> None:
        if not isinstance(change, MessageChange) or change.deed is not Deed.CREATE:
            return
        if change.message.author != self.world.bot:
            return
        watch = self._watches.get(change.message.channel_id)
        if watch is not None and watch.left > 0:
            watch.left -= 1
            self._timers.add(asyncio.get_running_loop().call_later(watch.after_s, self._delete, change.message))

    def _delete(self, message: Message) -> None:
        channel = self.world.channels.get(message.channel_id)
        if channel is not None and channel.messages.get(message.id) is message:
            self.world.remove(message)


class Sandbox:
    """A running local Discord and everything a test or the demo wants of it."""

    def __init__(self, world: World, origin: str, token: str, *, within_s: float, heartbeat_s: float) -> None:
        self.token = token
        self.page_url = f"{origin}/"
        self.api_url = f"{origin}{API_PATH}"
        self.gateway_url = f"{origin.replace('http', 'ws', 1)}{GATEWAY_PATH}"
        self.traffic = Traffic()
        self.commands = CommandBook(world)
        self.hub = PageHub()
        self.view = PageView(world, self.commands, self.hub)
        self.world = world
        self.gateway = LocalGateway(world, token, gateway_url=self.gateway_url, origin=origin, heartbeat_s=heartbeat_s)
        self.faults = RestFaults(world.clock)
        self.moderator = Moderator(world)
        self.limiter = RateLimiter(world.clock)
        self.backstage = self._backstage()
        self.desk = InteractionDesk(world, self.view.fail, within_s)
        self._origin = origin

    @property
    def channel_ids(self) -> dict[str, int]:
        """Channel name to id, direct conversations left out."""
        return {channel.name: channel.id for channel in self.world.channels.values() if channel.recipient is None}

    @property
    def guild_id(self) -> int:
        """The one guild."""
        return self.world.guild.id

    @property
    def owner_id(self) -> int:
        """The persona who owns guild and application."""
        return self.world.guild.owner_id

    @property
    def guest_id(self) -> int:
        """The persona without rights."""
        return self.world.personas["guest"].member.user.id

    def fail(
        self,
        trouble: Trouble,
        *,
        on: Kind | None = None,
        channel_id: int | None = None,
        count: float = math.inf,
        seconds: float = math.inf,
    ) -> None:
        """Let the next requests of a kind meet trouble: so many, those of some seconds, or all until they are cleared.

        `channel_id` may be that of a direct conversation.
        """
        method, path = (None, "*") if on is None else KINDS[on]
        until_s = self.world.clock.monotonic() + seconds
        self.faults.waiting.append(Fault(trouble, count, method, path, channel_id, until_s))

    def add_channel(self, name: str, kind: ChannelKind = ChannelKind.TEXT) -> int:
        """Open a channel of any kind; its id."""
        return self.world.add_channel(name, kind).id

    def add_thread(self, name: str, parent_id: int) -> int:
        """Open a thread of a text channel or a post of a forum; its id."""
        return self.world.add_channel(name, ChannelKind.PUBLIC_THREAD, parent_id).id

    def _backstage(self) -> Backstage:
        backstage = Backstage(self.world)
        backstage.add(
            Gauge("News in the channels", backstage.ages),
            *discord_gauges(self.world, self.traffic, self.limiter, self.gateway),
            *discord_levers(self.faults, self.gateway),
        )
        return backstage

    def mount(self, app: web.Application) -> None:
        """Put REST, gateway and page into one web application, whose shutdown ends what is open."""

        async def end(_app: web.Application) -> None:
            self.close()
            await self.backstage.let_go()

        app.on_shutdown.append(end)
        world, posts = self.world, Posts(self.world, self._origin)
        rest = RestApi(self.token, world.clock, self.faults, self.traffic, self.limiter)
        rest.mount(
            app,
            [
                *IdentityRoutes(world, self.gateway_url, self.gateway.trouble).table(),
                *MessageRoutes(world, posts, self._origin).table(),
                *CommandRoutes(world, self.commands).table(),
                *InteractionRoutes(world, self.desk, posts, self.hub, self._origin).table(),
            ],
        )
        app.router.add_get(GATEWAY_PATH, self.gateway.handle)
        actions = PageActions(world, self.commands, self.desk, self.gateway, self._origin)
        PageApi(world, self.traffic, self.view, actions, self.hub).mount(app)
        BackstageRoutes(self.backstage).mount(app)

    def close(self) -> None:
        """End every open stream, connection and deadline."""
        self.faults.clear()
        self.moderator.rest()
        self.desk.close()
        self.hub.end_all()
        self.gateway.close_all(GOING_AWAY)


@asynccontextmanager
async def open_sandbox(
    *,
    port: int = 0,
    channels: Sequence[str] = CHANNELS,
    clock: Clock | None = None,
    answer_within_s: float = ANSWER_WITHIN_S,
    heartbeat_s: float = HEARTBEAT_S,
) -> AsyncIterator[Sandbox]:
    """Run a local Discord on loopback until the block ends; port 0 takes a free one.

    The clock must show real time: clients compare ids and rate-limit headers with their own clocks.
    Raises UnavailableError when the port is taken.
    """
    async with loopback_port(port, whose="the local Discord") as place:
        sandbox = Sandbox(
            World(channels, clock or SystemClock()),
            f"http://{place.address}",
            make_token(),
            within_s=answer_within_s,
            heartbeat_s=heartbeat_s,
        )
        app = web.Application(client_max_size=REQUEST_BYTES, middlewares=[only_local_callers])
        sandbox.mount(app)
        await place.serve(app, shutdown_s=_SHUTDOWN_S, cancels_handlers=True)
        log.info("The local Discord listens on %s.", sandbox.page_url)
        yield sandbox


def make_token() -> str:
    """A bot token of Discord's shape that is valid nowhere else."""
    parts = (base64.urlsafe_b64encode(b"gexcord-sandbox"), secrets.token_urlsafe(4), secrets.token_urlsafe(27))
    return ".".join(part.decode().rstrip("=") if isinstance(part, bytes) else part for part in parts)
