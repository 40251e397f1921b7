"""`/stream`: operators steer the streamer."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from discord import app_commands
from discord.ext import commands

from bot.client import BotInteraction, GexBot
from bot.notices import think
from bot.permissions import is_operator, managers_see, operator_only
from bot.render.message_form import MESSAGE_CHARS
from bot.render.operations import history_text, join_texts, recorder_text, sources_text, stream_text, symbols_text
from bot.services import Services
from cogs.confirm import ask_first
from cogs.options import offered
from streaming.status import StreamReport

_EVERYWHERE: Final = "in every server."


@managers_see()
class StreamCog(commands.GroupCog, group_name="stream", group_description="The market-data stream, for operators"):
    """Start, stop and look at the stream, and choose what it streams."""

    symbols: app_commands.Group = app_commands.Group(name="symbols", description="What is streamed")

    def __init__(self, services: Services) -> None:
        self._services = services

    @app_commands.command(description="Start streaming market data, or take the stream back")
    @operator_only()
    async def start(self, interaction: BotInteraction) -> None:
        """Start the stream, or try again at once when it waits; the answer says what came of it."""
        await _carry_out(interaction, self._services.stream.start)

    @app_commands.command(description="Stop streaming market data")
    @operator_only()
    async def stop(self, interaction: BotInteraction) -> None:
        """Stop the stream until somebody starts it, also across restarts of the bot; asks first."""
        question = f"Stop the stream? Everything that uses Schwab's data then stops {_EVERYWHERE}"
        await _ask(interaction, question, "Stop the stream", self._services.stream.stop)

    @app_commands.command(description="Stop and start streaming market data")
    @operator_only()
    async def restart(self, interaction: BotInteraction) -> None:
        """End the connection and begin anew, with everything subscribed again; asks first."""
        question = f"Restart the stream? For some seconds nothing updates {_EVERYWHERE}"
        await _ask(interaction, question, "Restart the stream", self._services.stream.restart)

    @app_commands.command(description="State, rates, symbols, reconnects and errors of the stream")
    @operator_only()
    async def status(self, interaction: BotInteraction) -> None:
        """What the stream, the recorder, the history and the sources do, and why."""
        now = self._services.clock.now()
        services = self._services
        others = (
            recorder_text(services.recorder(), now),
            history_text(services.history(), now),
            sources_text(services.sources(), now),
        )
        text = join_texts(stream_text(services.stream.status(), now), "\n".join(filter(None, others)))
        await interaction.response.send_message(text, ephemeral=True)

    @symbols.command(name="add", description="Stream more symbols, also after a restart")
    @app_commands.describe(symbols="Separated by commas, such as AAPL, $SPX, /MNQ or an option symbol")
    @operator_only()
    async def add_symbols(self, interaction: BotInteraction, symbols: app_commands.Range[str, 1, 1000]) -> None:
        """Stream more symbols; they are kept across restarts."""
        await _carry_out(interaction, partial(self._services.symbols.add, symbols))

    @symbols.command(name="remove", description="Stop streaming symbols, even after a restart")
    @app_commands.describe(symbols="Separated by commas")
    @operator_only()
    async def remove_symbols(self, interaction: BotInteraction, symbols: app_commands.Range[str, 1, 1000]) -> None:
        """Stream these no more, also after a restart; asks first."""
        question = f"Stop streaming {symbols}? Their readers lose them, {_EVERYWHERE}"
        await _ask(interaction, question[:MESSAGE_CHARS], "Remove", partial(self._services.symbols.remove, symbols))

    @symbols.command(name="list", description="What is streamed, and why")
    @operator_only()
    async def list_symbols(self, interaction: BotInteraction) -> None:
        """What is wanted, beside what the stream has subscribed."""
        await think(interaction)
        text = symbols_text(await self._services.symbols.list(), self._services.stream.status())
        await interaction.edit_original_response(content=text)

    @remove_symbols.autocomplete("symbols")
    async def _streamed(self, interaction: BotInteraction, current: str) -> list[app_commands.Choice[Any]]:
        if not is_operator(interaction):
            return []
        wanted = current.upper().strip()
        return offered((symbol, symbol) for symbol in self._services.stream.status().symbols if wanted in symbol)


async def _ask(
    interaction: BotInteraction, question: str, label: str, order: Callable[[], Awaitable[StreamReport]]
) -> None:
    async def carried() -> str:
        return (await order()).sentence

    await ask_first(interaction, question, label=label, carry=carried)


async def _carry_out(interaction: BotInteraction, order: Callable[[], Awaitable[StreamReport]]) -> None:
    await think(interaction)
    report = await order()
    await interaction.edit_original_response(content=report.sentence[:MESSAGE_CHARS])


async def setup(bot: GexBot) -> None:
    """Called by discord.py when the extension is loaded."""
    await bot.add_operator_cog(StreamCog(bot.services))
