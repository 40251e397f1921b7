"""A local Discord, a visitor of its page, and a real discord.py bot on it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.sandbox.local_discord import Sandbox
from bot.wire.login import point_discord_at

PATIENCE_S = 5.0


class Visitor:
    """One person on the page, over the page's own HTTP interface."""

    def __init__(self, http: aiohttp.ClientSession, sandbox: Sandbox, key: str) -> None:
        self.http = http
        self.sandbox = sandbox
        self.key = key
        self.events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    async def state(self) -> dict[str, Any]:
        async with self.http.get(f"{self.sandbox.page_url}api/page/state", params={"as": self.key}) as response:
            assert response.status == 200
            return await response.json()

    async def messages(self, channel: str = "gex-spx") -> list[dict[str, Any]]:
        return (await self.state())["messages"][str(self.sandbox.channel_ids[channel])]

    async def command_id(self, name: str) -> str:
        """The id of a command, also of one this visitor is not offered."""
        return next(command["id"] for command in self.sandbox.commands.all(None) if command["name"] == name)

    async def interact(self, kind: str, *, channel: str = "gex-spx", **asked: Any) -> tuple[int, dict[str, Any]]:
        body = {"as": self.key, "type": kind, "channel_id": str(self.sandbox.channel_ids[channel]), **asked}
        async with self.http.post(f"{self.sandbox.page_url}api/page/interact", json=body) as response:
            return response.status, await response.json()

    async def run(self, name: str, *options: dict[str, Any], **asked: Any) -> tuple[int, dict[str, Any]]:
        command_id = await self.command_id(name)
        return await self.interact("command", command_id=command_id, options=list(options), **asked)

    async def next(self, *kinds: str) -> Any:
        """The data of the next event of one of these kinds; others are passed over."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                kind, data = await self.events.get()
                if kind in kinds:
                    return data

    async def listen(self, ready: asyncio.Event) -> None:
        url = f"{self.sandbox.page_url}api/page/events"
        async with self.http.get(url, params={"as": self.key}) as response:
            kind = ""
            async for line in response.content:
                text = line.decode().rstrip("\n")
                ready.set()
                if text.startswith("event: "):
                    kind = text.removeprefix("event: ")
                elif text.startswith("data: "):
                    self.events.put_nowait((kind, json.loads(text.removeprefix("data: "))))


@asynccontextmanager
async def visit(sandbox: Sandbox, key: str) -> AsyncIterator[Visitor]:
    """Open the page as one persona, listening to its events."""
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as tasks:
        visitor = Visitor(http, sandbox, key)
        ready = asyncio.Event()
        listening = tasks.create_task(visitor.listen(ready), name=f"{key} listens")
        await asyncio.wait_for(ready.wait(), PATIENCE_S)
        yield visitor
        listening.cancel()


class WireBot(commands.Bot):
    """discord.py as it is; only the documented waits before IDENTIFY and ready are shortened."""

    def __init__(self, **options: Any) -> None:
        super().__init__("!", intents=discord.Intents.default(), guild_ready_timeout=0.05, **options)
        self.resumed = asyncio.Event()
        self.readied = 0
        self.build: Callable[[WireBot], None] = lambda _bot: None

    async def setup_hook(self) -> None:
        self.build(self)
        if self.tree.get_commands():
            await self.tree.sync()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Do not wait five seconds before a second IDENTIFY."""

    async def on_resumed(self) -> None:
        self.resumed.set()

    async def on_ready(self) -> None:
        self.readied += 1


@asynccontextmanager
async def log_in(sandbox: Sandbox, build: Callable[[WireBot], None] = lambda _bot: None) -> AsyncIterator[WireBot]:
    """A bot that is ready, on the sandbox; the library's addresses are put back afterwards."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    point_discord_at(sandbox.api_url, sandbox.gateway_url)
    bot = WireBot()
    bot.build = build
    try:
        async with bot, asyncio.TaskGroup() as tasks:
            tasks.create_task(bot.start(sandbox.token), name="the bot")
            await until(lambda: bot.readied > 0)
            yield bot
            await bot.close()
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before


async def until(condition: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
    """Wait for something that another task brings about."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)
