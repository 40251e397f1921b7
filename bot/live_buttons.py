"""The buttons under a live message: which there are, and what a click on one asks for.

Everything that a click needs stands in the button's own id. So nothing is kept of a button, and those under messages of
an earlier process answer too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self, get_args

import discord

from bot.choices import Choices
from streaming.model import SCOPES, WEIGHTS, ScopeName, WeightName

Deed = Literal["chart", "levels", "explain"]
CLICKED: Final = "live_click"
"""The event of a click, with the interaction and the wish: whoever listens has to answer."""
_PREFIX: Final = "gex-live"
_TEMPLATE: Final = ":".join(
    (
        _PREFIX,
        f"(?P<deed>{'|'.join(get_args(Deed))})",
        "(?P<ticker>[^:]{1,40})",
        f"(?P<scope>{'|'.join(SCOPES)}|)",
        f"(?P<weight>{'|'.join(WEIGHTS)}|)",
    )
)


@dataclass(frozen=True, slots=True)
class LiveWish:
    """What a click asks for; None is what the message shows by itself."""

    deed: Deed
    ticker: str
    scope: ScopeName | None = None
    weight: WeightName | None = None

    @property
    def custom_id(self) -> str:
        """The wish as a button carries it."""
        return ":".join((_PREFIX, self.deed, self.ticker, self.scope or "", self.weight or ""))


class LiveButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=_TEMPLATE):
    """One button; a `DynamicItem`, because discord.py keeps an ordinary one of every message that was ever posted."""

    def __init__(self, wish: LiveWish) -> None:
        super().__init__(discord.ui.Button(label=wish.deed.capitalize(), custom_id=wish.custom_id))
        self._wish = wish

    @classmethod
    async def from_custom_id(cls, _interaction: Any, _item: Any, match: Any, /) -> Self:
        """The button that was clicked, whoever posted it."""
        return cls(LiveWish(match["deed"], match["ticker"], match["scope"] or None, match["weight"] or None))

    async def callback(self, interaction: Any) -> None:
        """Leave the answer to the listener."""
        interaction.client.dispatch(CLICKED, interaction, self._wish)


def live_buttons(ticker: str, choices: Choices) -> Sequence[LiveButton]:
    """Those of a message that shows this ticker first."""
    return [LiveButton(LiveWish(deed, ticker, choices.scope, choices.one_weight)) for deed in get_args(Deed)]
