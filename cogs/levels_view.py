"""What stands under `/gex levels`: a menu of scopes and one row of buttons, which change it in place."""

from dataclasses import dataclass, replace
from typing import Any

import discord

from bot.lookup import find_or_ask
from bot.notices import Interaction
from bot.render.embeds import levels_embed
from bot.services import Services
from bot.views import ChoiceButton, NoticeModal, SwitchView, view_of
from streaming.model import GexSnapshot, ScopeName, ViewName, WeightName


@dataclass(frozen=True, slots=True)
class _Choice:
    scope: ScopeName
    weight: WeightName


class LevelsView(SwitchView):
    """One message of levels and what is chosen in it."""

    def __init__(
        self,
        services: Services,
        asked: Interaction,
        snapshot: GexSnapshot,
        *,
        scope: ScopeName,
        weight: WeightName,
        view: ViewName = "native",
    ) -> None:
        super().__init__(asked)
        self.services = services
        self._shown = snapshot
        self._choice = _Choice(scope, weight)
        self._points = view
        self.add_scopes(0)
        self.add_weights(1)
        self.add_item(ChoiceButton("Refresh", 1))
        self.add_item(OtherSymbolButton())
        self.mark(self._choice)

    @property
    def ticker(self) -> str:
        """The ticker on show."""
        return self._shown.ticker

    def embed(self) -> discord.Embed:
        """What the message shows now; RequestError when the levels are not known in the points asked for."""
        return self._embed_of(self._shown, self._choice)

    def _embed_of(self, snapshot: GexSnapshot, choice: _Choice) -> discord.Embed:
        now = self.services.clock.now()
        return levels_embed(snapshot, scope=choice.scope, weight=choice.weight, now=now, view=self._points)

    async def show(self, interaction: Interaction, *, symbol: str | None = None, **changes: Any) -> None:
        """Replace the message by the newest figures of a new choice; what is not named stays as it was."""
        wanted, waiting = symbol or self.ticker, interaction.response.defer
        snapshot = await find_or_ask(self.services, wanted, channel_id=interaction.channel_id, before_asking=waiting)
        choice = replace(self._choice, **changes)
        embed = self._embed_of(snapshot, choice)
        self._shown, self._choice = snapshot, choice
        self.mark(choice)
        if interaction.response.is_done():
            await interaction.edit_original_response(embed=embed, view=self)
        else:
            await interaction.response.edit_message(embed=embed, view=self)
        self.shown_by(interaction)


class OtherSymbolButton(discord.ui.Button[LevelsView]):
    """Asks for another ticker in a form."""

    def __init__(self) -> None:
        super().__init__(label="Other symbol…", row=1)

    async def callback(self, interaction: Interaction) -> None:
        """Ask for a ticker; there are too many for a menu."""
        await interaction.response.send_modal(SymbolForm(view_of(self, LevelsView)))


class SymbolForm(NoticeModal, title="Levels of another symbol"):
    """One line for a ticker."""

    def __init__(self, view: LevelsView) -> None:
        super().__init__()
        self._view = view
        names = ", ".join(ticker.name for ticker in view.services.settings.tickers)
        self._symbol: discord.ui.TextInput[SymbolForm] = discord.ui.TextInput(
            placeholder=names[:100], default=view.ticker, min_length=1, max_length=12
        )
        self.add_item(discord.ui.Label(text="Symbol", description=f"Available: {names}"[:100], component=self._symbol))

    async def on_submit(self, interaction: Interaction, /) -> None:
        """The same table of the ticker that was typed."""
        await self._view.show(interaction, symbol=self._symbol.value)
