"""`/feed`: the live messages of a server, for those who manage it and for operators."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import discord
from discord import app_commands
from discord.app_commands import AppCommandChannel, AppCommandThread, Choice
from discord.ext import commands

from bot.choices import MessageWeight, PictureName, Style
from bot.client import BotInteraction, GexBot
from bot.feed.status_text import feed_text, order_text
from bot.lookup import boards_here, matching_names
from bot.notices import Refusal, think
from bot.permissions import is_operator, manager_only, managers_see
from bot.render.charts.chart_spec import KINDS
from bot.servers.feed_commands import FeedCommands
from bot.servers.orders import BoardOrder
from bot.servers.targets import Place, find_thread, open_target, require_pingable, require_target
from bot.services import Services
from cogs.card_offer import HINT, CardOffer
from cogs.options import offered, options
from streaming.errors import TransientError
from streaming.model import ScopeName
from streaming.setting_values import asked_tickers

Channel = AppCommandChannel | AppCommandThread
Minutes = app_commands.Range[int, 0, 60]
_CHANNEL = "Which channel, thread or post; without it, this one"
_OFF = "Live messages are switched off (GEX_FEED_ENABLED)."
_NOT_HERE = "Use this in the server whose live message you mean."
_WORDS = {
    "channel": _CHANNEL,
    "tickers": "One ticker, or several such as SPX, NDX",
    "scope": "Which expiries the message sums over",
    "weight": "By what its figures are",
    "picture": "A chart under the message, drawn for each new one",
    "buttons": "True puts buttons for everybody under the message: chart, levels, explain",
    "style": "How the message looks",
    "silent": "False lets new messages and this channel's alerts make a sound",
    "role": "The one role that alerts in this channel ping",
    "ping": "False lets alerts ping nobody again",
    "refresh": "Minutes between new messages; 0 for none while it can be edited",
}
STYLE_CHOICES = [
    Choice(name="ansi: a block with colours, which phones do not show", value="ansi"),
    Choice(name="card: for a server that is read on phones", value="card"),
    Choice(name="plain: lines with coloured dots", value="plain"),
]
WEIGHT_CHOICES = [
    Choice(name="mixed: levels by open interest, net GEX by volume", value="mixed"),
    Choice(name="oi: all that can be, by open interest", value="oi"),
    Choice(name="vol: all that can be, by today's volume", value="vol"),
]
PICTURE_CHOICES = [
    Choice(name="none: figures alone", value="none"),
    *(Choice(name=f"{name}: {kind.words}", value=name) for name, kind in KINDS.items()),
]
C = TypeVar("C", bound=Callable[..., Any])


def _described(command: C) -> C:
    """The words and choices that the commands share."""
    chosen = app_commands.choices(style=STYLE_CHOICES, weight=WEIGHT_CHOICES, picture=PICTURE_CHOICES)
    decorated: C = chosen(options(**_WORDS)(command))
    return decorated


@managers_see()
class FeedCog(commands.GroupCog, group_name="feed", group_description="The live messages of this server"):
    """Order, change and look at live messages; every answer is private."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @app_commands.command(description="What each live message of this server is doing, and why")
    @manager_only()
    async def status(self, interaction: BotInteraction) -> None:
        """What each live message does; others' servers are counted for operators and named to nobody."""
        feed, now = self._services.feed, self._services.clock.now()
        if feed is None:
            await interaction.response.send_message(_OFF, ephemeral=True)
            return
        status = feed.everywhere()
        boards = boards_here(interaction, status.boards)
        elsewhere = len(status.boards) - len(boards) if is_operator(interaction) else 0
        await interaction.response.send_message(feed_text(status, boards, now, elsewhere=elsewhere), ephemeral=True)

    @app_commands.command(description="Keep a live message in a channel, a thread or a post")
    @manager_only()
    @_described
    async def add(  # noqa: PLR0917  # one parameter per option of the command
        self,
        interaction: BotInteraction,
        tickers: str,
        channel: Channel | None = None,
        scope: ScopeName | None = None,
        weight: MessageWeight | None = None,
        style: Style | None = None,
        picture: PictureName | None = None,
        buttons: bool | None = None,
        silent: bool | None = None,
        refresh: Minutes | None = None,
    ) -> None:
        """Order one, where it can stand."""
        place = await self._target(interaction, channel)
        said: dict[str, Any] = {"scope": scope, "weight": weight, "style": style, "picture": picture, "silent": silent}
        said |= {"buttons": buttons, "refresh_minutes": refresh}
        order = await self._desk.add(place.id, place.guild.id, asked_tickers(tickers), **said)
        text = self._words(order, "From now on: ")
        if (order.style or self._services.settings.gex_feed_style) != "ansi":
            await interaction.edit_original_response(content=text)
            return
        offer = CardOffer(interaction, partial(self._take_card, interaction, place))
        await interaction.edit_original_response(content=f"{text}\n{HINT}", view=offer)

    @app_commands.command(name="set", description="Change what a live message shows, and how")
    @manager_only()
    @_described
    async def change(  # noqa: PLR0917  # as above
        self,
        interaction: BotInteraction,
        channel: Channel | None = None,
        tickers: str | None = None,
        scope: ScopeName | None = None,
        weight: MessageWeight | None = None,
        style: Style | None = None,
        picture: PictureName | None = None,
        buttons: bool | None = None,
        silent: bool | None = None,
        refresh: Minutes | None = None,
        role: discord.Role | None = None,
        ping: bool | None = None,
    ) -> None:
        """Change what is given; the rest stays."""
        place = await self._place(interaction, channel)
        wanted = () if tickers is None else asked_tickers(tickers)
        said: dict[str, Any] = {"scope": scope, "weight": weight, "style": style, "picture": picture, "silent": silent}
        said |= {"buttons": buttons, "refresh_minutes": refresh}
        if role is not None:
            require_pingable(role, place)
        said["alert_role_id"] = 0 if ping is False else None if role is None else role.id
        order = await self._desk.change(place.id, place.guild.id, wanted, **said)
        await self._answer(interaction, order, "From now on: ")

    @app_commands.command(description="Move a live message to another channel")
    @manager_only()
    @app_commands.describe(to="Where to", channel=_CHANNEL)
    async def move(self, interaction: BotInteraction, to: Channel, channel: Channel | None = None) -> None:
        """Move it, where it can stand."""
        left = await self._place(interaction, channel, thinks=False)
        place = await self._target(interaction, to)
        order = await self._desk.move(left.id, place.id, place.guild.id)
        await self._answer(interaction, order, "Moved: ")

    @app_commands.command(description="Remove a live message")
    @manager_only()
    @app_commands.describe(channel=_CHANNEL)
    async def remove(self, interaction: BotInteraction, channel: Channel | None = None) -> None:
        """Remove it; where the settings name the channel, what they say counts again."""
        place = await self._place(interaction, channel)
        named = await self._desk.remove(place.id)
        if named is None:
            await interaction.edit_original_response(content=f"I keep no live message in <#{place.id}> any more.")
            return
        await self._answer(interaction, named, "The bot's settings apply again: ")

    @app_commands.command(description="Pause a live message; it stays where it is and says so")
    @manager_only()
    @app_commands.describe(channel=_CHANNEL)
    async def pause(self, interaction: BotInteraction, channel: Channel | None = None) -> None:
        """Rest it until somebody resumes it, over restarts."""
        await self._rest(interaction, channel, paused=True)

    @app_commands.command(description="Resume a paused live message")
    @manager_only()
    @app_commands.describe(channel=_CHANNEL)
    async def resume(self, interaction: BotInteraction, channel: Channel | None = None) -> None:
        """Go on."""
        await self._rest(interaction, channel, paused=False)

    @app_commands.command(description="Put a new live message at the bottom of its channel now")
    @manager_only()
    @app_commands.describe(channel=_CHANNEL)
    async def repost(self, interaction: BotInteraction, channel: Channel | None = None) -> None:
        """Replace it at its next beat."""
        place = await self._place(interaction, channel)
        await self._desk.repost(place.id)
        text = f"A new message comes in <#{place.id}> while the feed is open."
        await interaction.edit_original_response(content=text)

    @add.autocomplete("tickers")
    @change.autocomplete("tickers")
    async def _complete_tickers(self, interaction: BotInteraction, current: str) -> list[Choice[str]]:
        """The last of several is completed."""
        before, comma, typed = current.rpartition(",")
        names = matching_names(interaction.client.services, typed)
        return offered((f"{before}{comma}{name}", f"{before}{comma}{name}") for name in names)

    @property
    def _desk(self) -> FeedCommands:
        if self._services.feed_desk is None:
            raise TransientError(_OFF)
        return self._services.feed_desk

    async def _rest(self, interaction: BotInteraction, channel: Channel | None, *, paused: bool) -> None:
        place = await self._place(interaction, channel)
        order = await self._desk.change(place.id, place.guild.id, paused=paused)
        await self._answer(interaction, order, "")

    async def _place(self, interaction: BotInteraction, channel: Channel | None, *, thinks: bool = True) -> Place:
        """The channel meant, of the server somebody asks in."""
        guild, channel_id = interaction.guild, interaction.channel_id if channel is None else channel.id
        place = None if guild is None or channel_id is None else guild.get_channel_or_thread(channel_id)
        if place is None and isinstance(channel, AppCommandThread) and guild is not None:
            place = await find_thread(interaction.client, channel.id)
        if place is None or guild is None or place.guild.id != guild.id:
            raise Refusal(_NOT_HERE)
        if thinks:
            await think(interaction)
        return place

    async def _target(self, interaction: BotInteraction, channel: Channel | None) -> Place:
        """The same, where a live message can stand."""
        place = await self._place(interaction, channel)
        require_target(place, self._services.clock.now())
        await open_target(interaction.client, place)
        return place

    async def _take_card(self, interaction: BotInteraction, place: Place) -> str:
        """What the button under the answer to `/feed add` does."""
        order = await self._desk.change(place.id, place.guild.id, style="card")
        await self._services.audit.note_words(interaction, f"feed set channel:{place.id} style:card")
        return self._words(order, "From now on: ")

    async def _answer(self, interaction: BotInteraction, order: BoardOrder, words: str) -> None:
        await interaction.edit_original_response(content=self._words(order, words))

    def _words(self, order: BoardOrder, words: str) -> str:
        return f"{words}{order_text(order, self._services.settings)}"


async def setup(bot: GexBot) -> None:
    """Called by discord.py when the extension is loaded."""
    await bot.add_cog(FeedCog(bot.services))
