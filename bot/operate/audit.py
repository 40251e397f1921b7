"""Who changed what by command: each order that was carried out is kept for the operators, the last 200 for 90 days.

What only reads is left out, and so are readers' own alerts: those are nobody else's business.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec
from discord import app_commands

from bot.notices import Interaction
from bot.permissions import may_manage
from bot.render.message_form import fitting
from streaming.bus.notes import RecentNotes
from streaming.clock import Clock, epoch_ms
from streaming.errors import TransientError

log = logging.getLogger(__name__)

MOST: Final = 200
KEEP: Final = timedelta(days=90)
_READS: Final = frozenset({"about", "audit", "doctor", "health", "help", "list", "status"})
_FOR_READERS: Final = "gex"
_OWN: Final = "alert"
_WAITS: Final = "waits for a click"
_MOST_CHARS: Final = 200
AnyCommand = app_commands.Command[Any, ..., Any] | app_commands.ContextMenu


class GivenOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One command that changed something."""

    at_ms: int
    user_id: int
    words: str
    """As it was given: `stream symbols add symbols:AAPL`."""
    guild_id: int | None = None
    interaction_id: int
    """Tells orders of one moment apart."""


class AuditLog:
    """The orders of all processes on one Redis; an order is never refused because it could not be noted."""

    def __init__(self, notes: RecentNotes, clock: Clock) -> None:
        self._notes = notes
        self._clock = clock

    async def note(self, interaction: Interaction, command: AnyCommand) -> None:
        """Keep what was carried out, if it changed anything for others."""
        if is_order(interaction, command):
            await self.note_words(interaction, _given(interaction, command))

    async def note_words(self, interaction: Interaction, words: str) -> None:
        """Keep what somebody changed, in the words of a command that does the same."""
        order = GivenOrder(
            at_ms=epoch_ms(self._clock.now()),
            user_id=interaction.user.id,
            words=words,
            guild_id=interaction.guild_id,
            interaction_id=interaction.id,
        )
        log.info("/%s by user %s was carried out", order.words, order.user_id)
        try:
            await self._notes.add(msgspec.json.encode(order).decode(), order.at_ms)
        except TransientError as error:
            log.warning("/%s by user %s is in the log only: %s", order.words, order.user_id, error.sentence)

    async def newest(self) -> list[GivenOrder]:
        """Newest first; TransientError while Redis is away."""
        texts = await self._notes.read(epoch_ms(self._clock.now()))
        return [order for order in map(_order, texts) if order is not None]


def wait_for_click(interaction: Interaction) -> None:
    """The command asks first: it is no order until somebody confirms it."""
    interaction.extras[_WAITS] = True


def clicked(interaction: Interaction) -> None:
    """What the command asked for was confirmed."""
    interaction.extras.pop(_WAITS, None)


def is_order(interaction: Interaction, command: AnyCommand) -> bool:
    """Whether a command that ended well has changed something for others than who gave it."""
    root = command.qualified_name.split()[0]
    if root == _FOR_READERS or command.name in _READS or _WAITS in interaction.extras:
        return False
    return root != _OWN or may_manage(interaction)


def audit_text(orders: Sequence[GivenOrder]) -> str:
    """`/admin audit`: as many of the newest orders as one message holds."""
    if not orders:
        return "Nothing was changed by a command in the last 90 days."
    lines: list[str] = []
    for order in orders:
        where = "" if order.guild_id is None else f" in server {order.guild_id}"
        lines.append(f"<t:{order.at_ms // 1000}:f> <@{order.user_id}>{where}: `/{order.words.replace('`', '')}`")
    return fitting(lines)


def _given(interaction: Interaction, command: AnyCommand) -> str:
    pairs: Iterable[tuple[str, Any]] = interaction.namespace
    options = [f"{name}:{getattr(value, 'id', value)}" for name, value in pairs]
    return " ".join([command.qualified_name, *options])[:_MOST_CHARS]


def _order(text: str) -> GivenOrder | None:
    try:
        return msgspec.json.decode(text, type=GivenOrder)
    except msgspec.DecodeError:
        return None
