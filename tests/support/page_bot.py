"""A small discord.py bot that shows the page everything a bot can show, on a local Discord."""

import asyncio
import io
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import discord
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.sandbox.local_discord import Sandbox
from bot.wire.login import point_discord_at

Interaction = discord.Interaction[discord.Client]
REFUSAL = "This command is for operators."
SYMBOLS = ("SPX", "SPY", "NDX", "NQ_NDX")


class RefreshView(discord.ui.View):
    """A button that counts, one that stays silent, one that is off, and a select."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        self.presses = 0

    @discord.ui.button(label="Refresh", style=discord.ButtonStyle.primary)
    async def refresh(self, interaction: Interaction, _button: discord.ui.Button[Any]) -> None:
        self.presses += 1
        await interaction.response.edit_message(content=f"refreshed {self.presses}")

    @discord.ui.button(label="Silent", style=discord.ButtonStyle.danger)
    async def silent(self, interaction: Interaction, button: discord.ui.Button[Any]) -> None:
        """Never answers."""

    @discord.ui.button(label="Off", disabled=True)
    async def off(self, interaction: Interaction, button: discord.ui.Button[Any]) -> None:
        """Cannot be pressed."""

    @discord.ui.select(
        placeholder="Choose a scope", options=[discord.SelectOption(label=name) for name in ("zero", "one", "full")]
    )
    async def scope(self, interaction: Interaction, select: discord.ui.Select[Any]) -> None:
        await interaction.response.edit_message(content=f"scope {select.values[0]}")


class NoteModal(discord.ui.Modal, title="Leave a note"):
    """One short required answer, one long optional one."""

    subject: discord.ui.TextInput[Any] = discord.ui.TextInput(label="Subject", min_length=3, max_length=20)
    words: discord.ui.TextInput[Any] = discord.ui.TextInput(
        label="Words", style=discord.TextStyle.paragraph, required=False
    )

    async def on_submit(self, interaction: Interaction) -> None:
        await interaction.response.send_message(f"noted {self.subject.value} {self.words.value}", ephemeral=True)


class PageBot(discord.Client):
    """Connected to a local Discord for the length of a test module."""

    def __init__(self, owner_id: int) -> None:
        super().__init__(intents=discord.Intents(guilds=True))
        self.tree = app_commands.CommandTree(self)
        self.connected = asyncio.Event()
        self.asked: list[dict[str, object]] = []
        for command in (_gex_group(self), _stream_group(owner_id), _note, _slow):
            self.tree.add_command(command)

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def on_ready(self) -> None:
        self.connected.set()

    def board(self, channel_id: int) -> discord.PartialMessageable:
        return self.get_partial_messageable(channel_id)


def _gex_group(bot: PageBot) -> app_commands.Group:
    group = app_commands.Group(name="gex", description="Gamma exposure")

    @group.command(description="How everything is doing")
    async def status(interaction: Interaction) -> None:
        embed = discord.Embed(title="All is well", description="Feed **open**", color=0x23A55A)
        embed.add_field(name="stream", value="live").add_field(name="redis", value="0.4 ms")
        await interaction.response.send_message(embed=embed, view=RefreshView(), ephemeral=True)

    @group.command(description="Levels of a symbol")
    @app_commands.describe(symbol="A ticker", weight="By what", strikes="How many")
    @app_commands.choices(weight=[app_commands.Choice(name="open interest", value="oi")])
    async def levels(
        interaction: Interaction,
        symbol: str,
        weight: app_commands.Choice[str] | None = None,
        strikes: app_commands.Range[int, 5, 60] | None = None,
    ) -> None:
        bot.asked.append({"symbol": symbol, "weight": weight and weight.value, "strikes": strikes})
        await interaction.response.send_message(f"levels of {symbol}")

    @levels.autocomplete("symbol")
    async def symbols(_interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=name, value=name) for name in SYMBOLS if typed.upper() in name]

    @group.command(description="A picture")
    async def chart(interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await asyncio.sleep(0.6)
        shown = discord.File(io.BytesIO(tiny_png()), "shown.png")
        plain = discord.File(io.BytesIO(tiny_png()), "plain.png", description="Bars by strike")
        embed = discord.Embed(title="In the embed").set_image(url="attachment://shown.png")
        await interaction.edit_original_response(embed=embed, attachments=[shown, plain])

    return group


def _stream_group(owner_id: int) -> app_commands.Group:
    operators = discord.Permissions(manage_guild=True)
    group = app_commands.Group(name="stream", description="The stream", default_permissions=operators)

    @group.command(description="Start streaming")
    async def start(interaction: Interaction) -> None:
        allowed = interaction.user.id == owner_id
        await interaction.response.send_message("started" if allowed else REFUSAL, ephemeral=True)

    return group


@app_commands.command(name="note", description="Opens a form")
async def _note(interaction: Interaction) -> None:
    await interaction.response.send_modal(NoteModal())


@app_commands.command(name="slow", description="Never answers")
async def _slow(_interaction: Interaction) -> None:
    """Lets the three seconds pass."""


@asynccontextmanager
async def open_page_bot(sandbox: Sandbox) -> AsyncIterator[PageBot]:
    """The bot, ready; discord.py points at Discord again afterwards."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    point_discord_at(sandbox.api_url, sandbox.gateway_url)
    bot = PageBot(sandbox.owner_id)
    running = asyncio.create_task(bot.start(sandbox.token), name="page-bot")
    try:
        async with asyncio.timeout(10):
            await bot.connected.wait()
        yield bot
    finally:
        await bot.close()
        await running
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before


def tiny_png(width: int = 40, height: int = 20) -> bytes:
    """A green picture."""
    rows = b"".join(b"\0" + b"\x23\xa5\x5a" * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
