"""What stands under `/gex chart`: menus for kind, scope and ticker and one row of buttons, which change it in place."""

import asyncio
import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import discord

from bot.notices import Interaction
from bot.pictures import Picture, PictureRequest, take_picture
from bot.render.charts.chart_spec import KINDS
from bot.render.charts.kinds.chart_kind import ChartKind
from bot.services import Services
from bot.views import IDLE_S, MOST_OPTIONS, ChoiceButton, ChoiceSelect, SwitchView, view_of

RETIRED: Final = f"-# These buttons expired after {IDLE_S / 60:.0f} minutes without a click. /gex chart gives new ones."


class ChartView(SwitchView):
    """One message with a picture and what is chosen in it; of quick clicks only the last one is drawn."""

    def __init__(self, services: Services, asked: Interaction, request: PictureRequest) -> None:
        super().__init__(asked)
        self.services = services
        self._request = request
        self._on_show = request
        self._clicks = 0
        self._drawing = asyncio.Lock()
        self.add_item(ChoiceSelect("kind", 0, {name: (name.capitalize(), kind.words) for name, kind in KINDS.items()}))
        self.add_scopes(1)
        self.add_weights(2)
        self.add_item(ChoiceButton("Refresh", 2))
        self.add_item(ThemeButton())
        if len(services.settings.tickers) > 1:
            self.add_item(SymbolSelect(services))
        self._items = tuple(self.children)

    @property
    def request(self) -> PictureRequest:
        """What was chosen last; it may still be in the making."""
        return self._request

    async def first_picture(self, channel_id: int | None) -> discord.File:
        """The picture to begin with; raises as `take_picture`."""
        picture = await take_picture(self.services, self._request, channel_id=channel_id)
        self._now_showing(picture)
        return attached(picture)

    async def show(self, interaction: Interaction, **changes: Any) -> None:
        """Replace the picture by one of the newest figures; what is not named stays as it was.

        A click that is overtaken by another one while it waits is never drawn. When there is no picture, the old one
        and its choice stay, and the reason is raised.
        """
        await interaction.response.defer()
        self._clicks += 1
        click = self._clicks
        kind = changes.get("kind")
        any_scope = {"scope": None} if kind is not None and KINDS[kind].of_one_scope else {}
        self._request = replace(self._request, **any_scope | changes)
        async with self._drawing:
            if click != self._clicks:
                return
            try:
                picture = await take_picture(self.services, self._request, channel_id=interaction.channel_id)
            except BaseException:  # a cancelled click, too, leaves the choice that is on show
                self._request = self._on_show if click == self._clicks else self._request
                raise
            if click == self._clicks:
                self._now_showing(picture)
                await interaction.edit_original_response(attachments=[attached(picture)], view=self)
                self.shown_by(interaction)

    def last_words(self) -> dict[str, Any]:
        """What the message says once its buttons no longer work."""
        return {"content": RETIRED}

    def can_choose(self, choice: Mapping[str, Any], shown: PictureRequest) -> bool:
        """Everything but a scope where the kind has only one."""
        return "scope" not in choice or not KINDS[shown.kind].of_one_scope

    def _now_showing(self, picture: Picture) -> None:
        self._request = self._on_show = picture.shown
        self._offer(KINDS[picture.shown.kind])
        self.mark(picture.shown)

    def _offer(self, kind: ChartKind) -> None:
        """Everything but what would change nothing."""
        idle = ("scope", "weight") if kind.of_everything else ()
        self.clear_items()
        for item in self._items:
            if not (isinstance(item, ChoiceButton | ChoiceSelect) and item.chooses(*idle)):
                self.add_item(item)


class ThemeButton(discord.ui.Button[ChartView]):
    """Turns a dark picture light and back."""

    def __init__(self) -> None:
        super().__init__(row=2)

    async def callback(self, interaction: Interaction) -> None:
        """The same picture, light or dark."""
        view = view_of(self, ChartView)
        await view.show(interaction, theme="dark" if view.request.theme == "light" else "light")

    def mark(self, shown: PictureRequest) -> None:
        """Name the theme that a click leads to."""
        self.label = "Dark" if shown.theme == "light" else "Light"


class SymbolSelect(discord.ui.Select[ChartView]):
    """Chooses among the followed tickers; the one on show is among them even where it is not followed."""

    def __init__(self, services: Services) -> None:
        names = [ticker.name for ticker in services.settings.tickers]
        super().__init__(
            placeholder="Symbol", row=3, options=[discord.SelectOption(label=name) for name in names[:MOST_OPTIONS]]
        )

    async def callback(self, interaction: Interaction) -> None:
        """The same picture of another ticker."""
        await view_of(self, ChartView).show(interaction, symbol=self.values[0])

    def mark(self, shown: PictureRequest) -> None:
        """Show the ticker as the chosen one."""
        if shown.symbol is not None and shown.symbol not in [option.label for option in self.options]:
            self.options = [*self.options[: MOST_OPTIONS - 1], discord.SelectOption(label=shown.symbol)]
        for option in self.options:
            option.default = option.label == shown.symbol


def attached(picture: Picture) -> discord.File:
    """The picture as it is sent, with its words for whoever cannot see it."""
    return discord.File(io.BytesIO(picture.png), filename=picture.filename, description=picture.alt)
