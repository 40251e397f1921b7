"""The buttons under `/gex levels`: scope, weight and ticker change in place."""

from typing import Final

import discord

from bot.lookup import find_snapshot
from bot.notices import Interaction
from bot.render.embeds import levels_embed
from bot.services import Services
from bot.views import AskerView, NoticeModal
from streaming.model import SCOPES, VIEWS, WEIGHTS, GexSnapshot, ScopeName, ViewName, WeightName

_WEIGHT_LABELS: Final[dict[WeightName, str]] = {"oi": "Open interest", "vol": "Volume"}
_CHOSEN: Final = discord.ButtonStyle.primary
_OTHER: Final = discord.ButtonStyle.secondary


class LevelsView(AskerView):
    """One message of levels and what is chosen in it."""

    def __init__(
        self,
        services: Services,
        asked: Interaction,
        snapshot: GexSnapshot,
        *,
        scope: str,
        weight: str,
        view: str = "native",
    ) -> None:
        super().__init__(asked)
        self.services = services
        self._shown = snapshot
        self._scope: ScopeName = next(name for name in SCOPES if name == scope)
        self._weight: WeightName = next(name for name in WEIGHTS if name == weight)
        self._points: ViewName = next(name for name in VIEWS if name == view)
        for name in SCOPES:
            self.add_item(ScopeButton(name))
        for weight_name in WEIGHTS:
            self.add_item(WeightButton(weight_name))
        self.add_item(RefreshButton())
        self.add_item(OtherSymbolButton())
        self._mark_chosen()

    @property
    def ticker(self) -> str:
        """The ticker on show."""
        return self._shown.ticker

    def embed(self) -> discord.Embed:
        """What the message shows now; RequestError when the levels are not known in the points asked for."""
        return self._embed_of(self._shown, self._scope, self._weight)

    def _embed_of(self, snapshot: GexSnapshot, scope: ScopeName, weight: WeightName) -> discord.Embed:
        return levels_embed(snapshot, scope=scope, weight=weight, now=self.services.clock.now(), view=self._points)

    async def show(
        self,
        interaction: Interaction,
        *,
        symbol: str | None = None,
        scope: ScopeName | None = None,
        weight: WeightName | None = None,
    ) -> None:
        """Replace the message by the newest figures of a new choice; what is not named stays as it was."""
        snapshot = await find_snapshot(self.services, symbol or self.ticker, channel_id=interaction.channel_id)
        scope, weight = scope or self._scope, weight or self._weight
        embed = self._embed_of(snapshot, scope, weight)
        self._shown, self._scope, self._weight = snapshot, scope, weight
        self._mark_chosen()
        await interaction.response.edit_message(embed=embed, view=self)
        self.shown_by(interaction)

    def _mark_chosen(self) -> None:
        for item in self.children:
            if isinstance(item, ScopeButton):
                item.style = _CHOSEN if item.scope == self._scope else _OTHER
            elif isinstance(item, WeightButton):
                item.style = _CHOSEN if item.weight == self._weight else _OTHER


class ScopeButton(discord.ui.Button[LevelsView]):
    """Chooses which expiries count."""

    def __init__(self, scope: ScopeName) -> None:
        super().__init__(label=scope.capitalize(), row=0)
        self.scope = scope

    async def callback(self, interaction: Interaction) -> None:
        """The same table for other expiries."""
        await _view_of(self).show(interaction, scope=self.scope)


class WeightButton(discord.ui.Button[LevelsView]):
    """Chooses what contracts are weighted by."""

    def __init__(self, weight: WeightName) -> None:
        super().__init__(label=_WEIGHT_LABELS[weight], row=1)
        self.weight = weight

    async def callback(self, interaction: Interaction) -> None:
        """The same table by the other weight."""
        await _view_of(self).show(interaction, weight=self.weight)


class RefreshButton(discord.ui.Button[LevelsView]):
    """Shows the newest figures of the same choice."""

    def __init__(self) -> None:
        super().__init__(label="Refresh", row=2)

    async def callback(self, interaction: Interaction) -> None:
        """The same table of now."""
        await _view_of(self).show(interaction)


class OtherSymbolButton(discord.ui.Button[LevelsView]):
    """Asks for another ticker in a form."""

    def __init__(self) -> None:
        super().__init__(label="Other symbol…", row=2)

    async def callback(self, interaction: Interaction) -> None:
        """Ask for a ticker; there are too many for a menu."""
        await interaction.response.send_modal(SymbolForm(_view_of(self)))


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


def _view_of(item: discord.ui.Item[LevelsView]) -> LevelsView:
    view = item.view
    if not isinstance(view, LevelsView):
        raise TypeError("a levels button lives in a LevelsView")
    return view
