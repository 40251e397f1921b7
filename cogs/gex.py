"""`/gex`: what dealers' gamma looks like now, for everybody."""

import asyncio
import io
from typing import Final

import discord
from discord import app_commands
from discord.app_commands import Choice
from discord.ext import commands

from bot.client import GexBot
from bot.feed.schedule import decide
from bot.lookup import find_snapshot, matching_names
from bot.notices import think
from bot.permissions import may_speak
from bot.render.captions import chart_alt_text, window_sentence
from bot.render.embeds import status_embed
from bot.services import Services
from cogs.levels_view import LevelsView
from streaming.errors import TransientError
from streaming.model import GexSnapshot, WeightName

Interaction = discord.Interaction[GexBot]

_SYMBOL: Final = "A ticker such as SPX or NQ_NDX; without it, the one this channel shows"
_PUBLIC: Final = "Show the answer to everybody in this channel"
_PRIVATE_AFTER_ALL: Final = "Only you see this: you may not write in this channel."
_DRAWN_WITHIN_S: Final = 20.0
SCOPE_CHOICES: Final = [
    Choice(name="zero: the nearest expiry", value="zero"),
    Choice(name="one: the expiry after it", value="one"),
    Choice(name="full: the next 90 days", value="full"),
    Choice(name="all: every listed expiry", value="all"),
]
WEIGHT_CHOICES: Final = [
    Choice(name="oi: by open interest", value="oi"),
    Choice(name="vol: by today's volume", value="vol"),
]


class GexCog(commands.GroupCog, group_name="gex", group_description="Dealer gamma exposure"):
    """Status, levels and chart of one ticker; private unless the asker wants it public and may speak."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @app_commands.command(description="The figures of the live message: spot, zero gamma, walls, net GEX")
    @app_commands.describe(symbol=_SYMBOL, public=_PUBLIC)
    async def status(self, interaction: Interaction, symbol: str | None = None, public: bool = False) -> None:
        snapshot = await self._snapshot(interaction, symbol)
        now = self._services.clock.now()
        window = window_sentence(decide(now, force=self._services.settings.gex_feed_force_window))
        embed = status_embed(snapshot, now=now, window=window)
        await interaction.response.send_message(
            _remark(interaction, public), embed=embed, ephemeral=_private(interaction, public)
        )

    @app_commands.command(description="Zero gamma, walls and totals of one scope, with buttons to look around")
    @app_commands.describe(
        symbol=_SYMBOL, scope="Which expiries", weight="Open interest or today's volume", public=_PUBLIC
    )
    @app_commands.choices(scope=SCOPE_CHOICES, weight=WEIGHT_CHOICES)
    async def levels(
        self,
        interaction: Interaction,
        symbol: str | None = None,
        scope: str | None = None,
        weight: str = "oi",
        public: bool = False,
    ) -> None:
        snapshot = await self._snapshot(interaction, symbol)
        view = LevelsView(
            self._services, interaction, snapshot, scope=scope or self._services.settings.gex_scope, weight=weight
        )
        await interaction.response.send_message(
            _remark(interaction, public), embed=view.embed(), view=view, ephemeral=_private(interaction, public)
        )

    @app_commands.command(description="A picture of gamma exposure by strike")
    @app_commands.describe(symbol=_SYMBOL, weight="Open interest or today's volume", public=_PUBLIC)
    @app_commands.choices(weight=WEIGHT_CHOICES)
    async def chart(
        self, interaction: Interaction, symbol: str | None = None, weight: str = "vol", public: bool = False
    ) -> None:
        snapshot = await self._snapshot(interaction, symbol)
        await think(interaction)
        picture = await self._draw(snapshot, "oi" if weight == "oi" else "vol")
        if _private(interaction, public):
            await interaction.edit_original_response(content=_remark(interaction, public), attachments=[picture])
            return
        await interaction.edit_original_response(content="The chart is in the channel.")
        await interaction.followup.send(file=picture)

    @status.autocomplete("symbol")
    @levels.autocomplete("symbol")
    @chart.autocomplete("symbol")
    async def _complete_symbol(self, _interaction: Interaction, current: str) -> list[Choice[str]]:
        return [Choice(name=name, value=name) for name in matching_names(self._services, current)]

    async def _snapshot(self, interaction: Interaction, symbol: str | None) -> GexSnapshot:
        return await find_snapshot(self._services, symbol, channel_id=interaction.channel_id)

    async def _draw(self, snapshot: GexSnapshot, weight: WeightName) -> discord.File:
        try:
            async with asyncio.timeout(_DRAWN_WITHIN_S):
                png = await self._services.charts.strikes(snapshot, now=self._services.clock.now(), weight=weight)
        except TimeoutError:
            raise TransientError("The chart took too long to draw.", remedy="Try again in a moment.") from None
        return discord.File(
            io.BytesIO(png),
            filename=f"gex-{snapshot.ticker.lower()}-{weight}.png",
            description=chart_alt_text(snapshot, weight),
        )


def _private(interaction: Interaction, public: bool) -> bool:
    return not (public and may_speak(interaction))


def _remark(interaction: Interaction, public: bool) -> str | None:
    return _PRIVATE_AFTER_ALL if public and _private(interaction, public) else None


async def setup(bot: GexBot) -> None:
    await bot.add_cog(GexCog(bot.services))
