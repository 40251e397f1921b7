"""`/gex`: what dealers' gamma looks like now, for everybody."""

from functools import partial
from typing import Any, Final

import discord
from discord import app_commands
from discord.app_commands import Choice
from discord.ext import commands

from bot.client import BotInteraction, GexBot
from bot.feed.schedule import decide_about, window_sentence
from bot.feed.status_text import boards_field
from bot.feed.window import of_scope
from bot.live_buttons import CLICKED, LiveButton, LiveWish
from bot.lookup import boards_here, compared, default_choices, find_or_ask, find_several, scope_and_weight
from bot.notices import answer_error, think
from bot.permissions import may_speak
from bot.pictures import PictureRequest, take_days, take_history, take_rank, take_record
from bot.render.charts.chart_spec import KINDS, ThemeName
from bot.render.compare_text import MOST, book_text, compare_text
from bot.render.embeds import copy_text, status_embed
from bot.render.explain.explain import explain_embed
from bot.services import Services
from bot.views import AskerView
from cogs.charts_view import ChartView, attached
from cogs.levels_view import LevelsView
from cogs.options import offered, options
from streaming.errors import RequestError
from streaming.export.levels import FORMATS, level_sheet
from streaming.figures import FIGURES, figures_called
from streaming.gex.results.one_book import one_book
from streaming.history.grades import LEVELS, TITLES, LevelName
from streaming.model import GexSnapshot, ScopeName, ViewName, WeightName
from streaming.symbols import books

_PRIVATE_AFTER_ALL: Final = "Only you see this: you may not write in this channel."
KIND_CHOICES: Final = [Choice(name=f"{name}: {kind.words}", value=name) for name, kind in KINDS.items()]
FORMAT_CHOICES: Final = [Choice(name=form.words, value=name) for name, form in FORMATS.items()]
BOOK_CHOICES: Final = [Choice(name=" + ".join(names), value=index) for index, names in books().items()]
LEVEL_CHOICES: Final = [Choice(name=TITLES[name], value=name) for name in LEVELS]


class GexCog(commands.GroupCog, group_name="gex", group_description="Dealer gamma exposure"):
    """Status, levels, history and pictures of one ticker; private unless the asker wants it public and may speak."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @app_commands.command(description="The figures of the live message: spot, zero gamma, walls, net GEX")
    @options()
    async def status(self, interaction: BotInteraction, symbol: str | None = None, public: bool = False) -> None:
        """The figures of the live message, with their source and age."""
        snapshot = await self._snapshot(interaction, symbol)
        now = self._services.clock.now()
        window = window_sentence(decide_about(snapshot, now, force=self._services.settings.gex_feed_force_window))
        feed = self._services.feed
        boards = boards_field(boards_here(interaction, () if feed is None else feed.everywhere().boards), now)
        choices = default_choices(self._services, interaction.channel_id)
        shown = of_scope(snapshot, choices.scope)
        embed = status_embed(shown, now=now, window=window, weight=choices.one_weight, boards=boards)
        await _answer(interaction, public, embed=embed)

    @app_commands.command(description="Zero gamma, walls and totals of one scope, with buttons to change it")
    @options()
    async def levels(  # noqa: PLR0917  # Discord's options, not positional arguments
        self,
        interaction: BotInteraction,
        symbol: str | None = None,
        scope: ScopeName | None = None,
        weight: WeightName | None = None,
        view: ViewName = "native",
        public: bool = False,
    ) -> None:
        """Levels and totals of one scope, with buttons that switch the table in place."""
        snapshot = await self._snapshot(interaction, symbol)
        scope, weight = self._meant(interaction, scope, weight)
        scope = scope or snapshot.scope or self._services.settings.gex_scope
        shown = LevelsView(self._services, interaction, snapshot, scope=scope, weight=weight, view=view)
        await _answer(interaction, public, embed=shown.embed(), view=shown)

    @app_commands.command(
        description="Several tickers in one table: distance to zero gamma, net GEX, place between the walls"
    )
    @options(symbols="Tickers separated by spaces; without it, all that are followed here")
    async def compare(
        self,
        interaction: BotInteraction,
        symbols: str | None = None,
        scope: ScopeName | None = None,
        weight: WeightName | None = None,
        public: bool = False,
    ) -> None:
        """Up to twelve tickers, one row each."""
        scope, weight = self._meant(interaction, scope, weight)
        names = compared(self._services, symbols)[:MOST]
        found, missing = await find_several(self._services, names)
        text = compare_text(found, missing, scope=scope, weight=weight, now=self._services.clock.now())
        await _answer(interaction, public, text)

    @app_commands.command(description="An index with its ETF as one book, in index points, and where their levels meet")
    @options(index="Which market")
    @app_commands.choices(index=BOOK_CHOICES)
    async def book(
        self,
        interaction: BotInteraction,
        index: str,
        scope: ScopeName | None = None,
        weight: WeightName | None = None,
        public: bool = False,
    ) -> None:
        """Dollars per 1 % of the index and its relatives added up."""
        found, missing = await find_several(self._services, books()[index])
        if len(found) < 2 or found[0].ticker != index:  # noqa: PLR2004  # a book of one is no book
            raise RequestError(
                f"One book needs {index} and a related ticker; there is no snapshot of {', '.join(missing)}.",
                remedy="An operator can add tickers to the settings.",
            )
        scope, weight = self._meant(interaction, scope, weight)
        text = book_text(
            one_book(found, scope=scope, weight=weight),
            found,
            scope=scope,
            weight=weight,
            now=self._services.clock.now(),
        )
        await _answer(interaction, public, text)

    @app_commands.command(description="The levels as text to paste into a charting program")
    @options(form="Which program to paste into")
    @app_commands.rename(form="format")
    @app_commands.choices(form=FORMAT_CHOICES)
    async def copy(  # noqa: PLR0917  # Discord's options, not positional arguments
        self,
        interaction: BotInteraction,
        form: str,
        symbol: str | None = None,
        scope: ScopeName | None = None,
        weight: WeightName | None = None,
        view: ViewName = "native",
    ) -> None:
        """The levels of one scope in the words of a charting program, in a block that has a button to copy it."""
        snapshot = await self._snapshot(interaction, symbol)
        scope, weight = self._meant(interaction, scope, weight)
        sheet = level_sheet(snapshot, scope=scope, weight=weight, view=view)
        await _answer(interaction, False, copy_text(FORMATS[form], sheet))

    @app_commands.command(description="What a figure means, its convention and unit, and how it was computed just now")
    @options(figure="Which figure; without it, every line of the live message")
    async def explain(
        self, interaction: BotInteraction, figure: str | None = None, symbol: str | None = None, public: bool = False
    ) -> None:
        """What a figure means and how it was computed just now; without one, every line of the live message."""
        snapshot = await self._snapshot(interaction, symbol)
        named = None if figure is None else _figure(figure)
        choices = default_choices(self._services, interaction.channel_id)
        shown, now = of_scope(snapshot, choices.scope), self._services.clock.now()
        embed = explain_embed(shown, named, now=now, weight=choices.one_weight)
        await _answer(interaction, public, embed=embed)

    @app_commands.command(description="A picture of gamma exposure, with buttons to change it")
    @options(kind="What is drawn", theme="Background of the picture")
    @app_commands.choices(kind=KIND_CHOICES)
    async def chart(  # noqa: PLR0917  # Discord's options, not positional arguments
        self,
        interaction: BotInteraction,
        symbol: str | None = None,
        kind: str = "strikes",
        scope: ScopeName | None = None,
        weight: WeightName | None = None,
        theme: ThemeName = "dark",
        public: bool = False,
    ) -> None:
        """A picture, drawn in the worker, with buttons that switch it in place."""
        await think(interaction)
        own, weight = self._meant(interaction, scope, weight)
        request = PictureRequest(
            symbol=symbol,
            kind=KINDS[kind].name,
            scope=scope if KINDS[kind].of_one_scope else own,
            weight=weight,
            theme=theme,
        )
        view = ChartView(self._services, interaction, request)
        picture = await view.first_picture(interaction.channel_id)
        await _answer(interaction, public, picture=picture, view=view, told="The chart is in the channel.")

    @app_commands.command(description="Spot, zero gamma, walls and net GEX over time, as a table and a picture")
    @options(minutes="How far back; without it, the whole day", days="Show this many past sessions instead of one day")
    async def history(
        self,
        interaction: BotInteraction,
        symbol: str | None = None,
        minutes: app_commands.Range[int, 1, 1440] = 1440,
        days: app_commands.Range[int, 2, 250] | None = None,
        public: bool = False,
    ) -> None:
        """The last minutes, or the last days, as a table and a picture."""
        await think(interaction)
        channel_id = interaction.channel_id
        if days is None:
            text, picture = await take_history(self._services, symbol, minutes=minutes, channel_id=channel_id)
        else:
            text, picture = await take_days(self._services, symbol, days=days, channel_id=channel_id)
        await _answer(interaction, public, text, picture=attached(picture))

    @app_commands.command(description="How net GEX, distance to zero gamma and gross GEX rank among past days")
    @options()
    async def rank(
        self,
        interaction: BotInteraction,
        symbol: str | None = None,
        weight: WeightName | None = None,
        public: bool = False,
    ) -> None:
        """Percentile and z-score of the figures of now among the closes of past sessions."""
        await think(interaction)
        text = await take_rank(self._services, symbol, weight=weight, channel_id=interaction.channel_id)
        await _answer(interaction, public, text)

    @app_commands.command(description="Did the morning's levels hold? With n, and baselines by the same rule")
    @options(level="One level in detail; without it, all", days="Over how many sessions")
    @app_commands.choices(level=LEVEL_CHOICES)
    async def record(
        self,
        interaction: BotInteraction,
        symbol: str | None = None,
        level: LevelName | None = None,
        days: app_commands.Range[int, 1, 1000] = 250,
        public: bool = False,
    ) -> None:
        """How often levels that were frozen in the morning held when spot came to them."""
        await think(interaction)
        channel_id = interaction.channel_id
        text = await take_record(self._services, symbol, level=level, days=days, channel_id=channel_id)
        await _answer(interaction, public, text)

    @commands.Cog.listener(f"on_{CLICKED}")
    async def answer_click(self, interaction: BotInteraction, wish: LiveWish) -> None:
        """A button under a live message, clicked by anybody: the answer is theirs alone."""
        try:
            await self._show(interaction, wish)
        except Exception as error:  # noqa: BLE001  # discord.py would only log what a listener raises
            await answer_error(interaction, error)

    async def _show(self, interaction: BotInteraction, wish: LiveWish) -> None:
        services, weight = self._services, wish.weight or "oi"
        if wish.deed == "chart":
            await think(interaction)
            request = PictureRequest(symbol=wish.ticker, scope=wish.scope, weight=weight)
            chart = ChartView(services, interaction, request)
            picture = await chart.first_picture(interaction.channel_id)
            await _answer(interaction, False, picture=picture, view=chart)
            return
        snapshot = await self._snapshot(interaction, wish.ticker)
        if wish.deed == "levels":
            scope = wish.scope or snapshot.scope or services.settings.gex_scope
            levels = LevelsView(services, interaction, snapshot, scope=scope, weight=weight)
            await _answer(interaction, False, embed=levels.embed(), view=levels)
        else:
            shown, now = of_scope(snapshot, wish.scope), services.clock.now()
            await _answer(interaction, False, embed=explain_embed(shown, None, now=now, weight=wish.weight))

    @explain.autocomplete("figure")
    async def _complete_figure(self, _interaction: BotInteraction, current: str) -> list[Choice[str]]:
        return offered((FIGURES[name].title, name) for name in figures_called(current))

    def _meant(
        self, interaction: BotInteraction, scope: ScopeName | None, weight: WeightName | None
    ) -> tuple[ScopeName | None, WeightName]:
        return scope_and_weight(self._services, interaction.channel_id, scope, weight)

    async def _snapshot(self, interaction: BotInteraction, symbol: str | None) -> GexSnapshot:
        waiting = partial(think, interaction)
        return await find_or_ask(self._services, symbol, channel_id=interaction.channel_id, before_asking=waiting)


def _figure(typed: str) -> str:
    """The figure that was meant: chosen from the box, or typed by any of its names."""
    found = [typed] if typed in FIGURES else figures_called(typed)
    if not found:
        titles = ", ".join(figure.title for figure in FIGURES.values())
        raise RequestError(f"{typed[:40]!r} is not a figure I know.", remedy=f"There are: {titles}.")
    return found[0]


async def _answer(
    interaction: BotInteraction,
    public: bool,
    text: str | None = None,
    *,
    picture: discord.File | None = None,
    told: str = "The answer is in the channel.",
    **shown: Any,
) -> None:
    """The answer, at once or in place of "is thinking"; `told` there where it is public and so a message of its own."""
    private = not (public and may_speak(interaction))
    remark = _PRIVATE_AFTER_ALL if public and private else None
    words = "\n".join(filter(None, (remark, text))) or None
    if not interaction.response.is_done():
        await interaction.response.send_message(words, ephemeral=private, **shown)
    elif private:
        await interaction.edit_original_response(content=words, attachments=[picture] if picture else [], **shown)
    else:
        await interaction.edit_original_response(content=told)
        missing = discord.utils.MISSING
        sent = await interaction.followup.send(text or missing, file=picture or missing, wait=True, **shown)
        if isinstance(view := shown.get("view"), AskerView):
            view.shown_as(sent)


async def setup(bot: GexBot) -> None:
    """Called by discord.py when the extension is loaded."""
    bot.add_dynamic_items(LiveButton)
    await bot.add_cog(GexCog(bot.services))
