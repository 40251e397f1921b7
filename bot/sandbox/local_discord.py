"""The local Discord as one object: addresses, people, counters, faults."""

import base64
import logging
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from bot.sandbox.gateway.local_gateway import LocalGateway
from bot.sandbox.orders import Orders
from bot.sandbox.rest.posts import Posts
from bot.sandbox.rest.rest import API_PATH, RestApi
from bot.sandbox.rest.rest_identity import CommandRoutes, IdentityRoutes
from bot.sandbox.rest.rest_interactions import InteractionRoutes
from bot.sandbox.rest.rest_messages import MessageRoutes
from bot.sandbox.rest.traffic import Traffic
from bot.sandbox.rest.uploads import REQUEST_BYTES
from bot.sandbox.visitor.actions import PageActions
from bot.sandbox.visitor.api import PageApi
from bot.sandbox.visitor.page_view import PageView
from bot.sandbox.world.commands import CommandBook
from bot.sandbox.world.interactions import ANSWER_WITHIN_S, InteractionDesk
from bot.sandbox.world.page_events import PageHub
from bot.sandbox.world.world import World
from streaming.clock import Clock, SystemClock
from streaming.process.loopback import loopback_port, only_local_callers

log = logging.getLogger(__name__)

GATEWAY_PATH: Final = "/gateway/"
HEARTBEAT_S: Final = 41.25
GOING_AWAY: Final = 1001
_SHUTDOWN_S: Final = 2.0
CHANNELS: Final = ("gex-spx", "gex-ndx")


class Sandbox(Orders):
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
        gateway = LocalGateway(world, token, gateway_url=self.gateway_url, origin=origin, heartbeat_s=heartbeat_s)
        super().__init__(world, gateway)
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
    def application_id(self) -> int:
        """The bot's application."""
        return self.world.application_id

    @property
    def owner_id(self) -> int:
        """The persona who owns guild and application."""
        return self.world.guild.owner_id

    @property
    def guest_id(self) -> int:
        """The persona without rights."""
        return self.world.personas["guest"].member.user.id

    def mount(self, app: web.Application) -> None:
        """Put REST, gateway and page into one web application, whose shutdown ends what is open."""

        async def end(_app: web.Application) -> None:
            self.close()

        app.on_shutdown.append(end)
        world, posts = self.world, Posts(self.world, self._origin)
        rest = RestApi(self.token, world.clock, self.faults, self.traffic)
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
