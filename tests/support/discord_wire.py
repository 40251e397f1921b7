"""The bot on a local Discord, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.client import GexBot
from bot.sandbox.local_discord import Sandbox, open_sandbox
from bot.wire.login import point_discord_at
from tests.support.host import Host, make_settings


class Addresses:
    """Where discord.py asks."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def correct(self) -> None:
        """Ask the local Discord from now on."""
        point_discord_at(self._sandbox.api_url, self._sandbox.gateway_url)


@asynccontextmanager
async def pointed_at(
    sandbox: Sandbox, *, api_url: str | None = None, gateway_url: str | None = None
) -> AsyncIterator[Addresses]:
    """discord.py asks the local Discord, or at first an address where it is not, until the block ends."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    point_discord_at(api_url or sandbox.api_url, gateway_url or sandbox.gateway_url)
    try:
        yield Addresses(sandbox)
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before


@asynccontextmanager
async def live_bot(host: Host | None = None) -> AsyncIterator[tuple[Sandbox, GexBot, asyncio.Task[None]]]:
    """A bot that is connected, and the task it runs in."""
    bot = (host or Host(make_settings())).make_bot()
    bot._connection.guild_ready_timeout = 0.05  # discord.py waits two seconds for servers that are not there
    async with open_sandbox() as sandbox, pointed_at(sandbox), bot:
        running = asyncio.create_task(bot.run_until_closed(sandbox.token))
        try:
            async with asyncio.timeout(5):
                await bot.logged_in.wait()
                await bot.wait_until_ready()
            yield sandbox, bot, running
        finally:
            await bot.close()
            await asyncio.wait({running})
