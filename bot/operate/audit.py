"""Who changed what by command: each order that was carried out is kept for the operators, the last 200 for 90 days.

What only reads is left out, and so are everybody's own alerts: those are nobody else's business.
"""

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

import discord
import msgspec
from discord import app_commands
from discord.utils import escape_markdown

from bot.notices import Interaction
from bot.render.message_form import MESSAGE_CHARS, fitting
from streaming.bus.notes import RecentNotes
from streaming.calendar import new_york
from streaming.clock import Clock, epoch_ms, instant_of
from streaming.errors import TransientError

log = logging.getLogger(__name__)

MOST: Final = 200
KEEP: Final = timedelta(days=90)
_READS: Final = frozenset({"about", "audit", "doctor", "health", "help", "list", "status"})
_FOR_READERS: Final = "gex"
_OWN: Final = "alert"
_OTHERS: Final = "concerns others"
_WAITS: Final = "waits for a click"
_MOST_CHARS: Final = 200
_ID: Final = re.compile(r"(?<=:)\d{15,20}\b")
"""An id of Discord's, given as an option."""
Names = Callable[[int], str | None]
"""What somebody, a server, a channel or a role is called, by its id; None where nobody knows."""
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


def concerns_others(interaction: Interaction) -> None:
    """An alert is a channel's, not only one of who gave the order."""
    interaction.extras[_OTHERS] = True


def clicked(interaction: Interaction) -> None:
    """What the command asked for was confirmed."""
    interaction.extras.pop(_WAITS, None)


def is_order(interaction: Interaction, command: AnyCommand) -> bool:
    """Whether a command that ended well has changed something for others than who gave it."""
    root = command.qualified_name.split()[0]
    if root == _FOR_READERS or command.name in _READS or _WAITS in interaction.extras:
        return False
    return root != _OWN or _OTHERS in interaction.extras


def audit_text(orders: Sequence[GivenOrder], names: Names) -> str:
    """`/admin audit`: as many of the newest orders as one message holds."""
    return fitting([_line(order, names) for order in orders]) or "Nothing was changed by a command in the last 90 days."


def audit_file(orders: Sequence[GivenOrder], names: Names) -> str:
    """All of them as a text, for where they do not fit into a message; empty where they do."""
    if len("\n".join(_line(order, names) for order in orders)) <= MESSAGE_CHARS:
        return ""
    return "".join(f"{_plain_line(order, names)}\n" for order in orders)


def names_of(client: discord.Client) -> Names:
    """What this process knows the channels, servers, roles and people of its servers by."""

    def name(number: int) -> str | None:
        channel = client.get_channel(number)
        if isinstance(channel, discord.abc.GuildChannel | discord.Thread):
            return f"#{channel.name}"
        known = client.get_guild(number) or client.get_user(number)  # a server's first role has its id
        if known is not None:
            return known.name
        roles = (guild.get_role(number) for guild in client.guilds)
        return next((f"@{role.name}" for role in roles if role is not None), None)

    return name


def _line(order: GivenOrder, names: Names) -> str:
    where = ""
    if order.guild_id is not None:
        where = f" in {escape_markdown(names(order.guild_id) or f'server {order.guild_id}')}"
    words = _ID.sub(lambda found: names(int(found[0])) or found[0], order.words).replace("`", "")
    return f"<t:{order.at_ms // 1000}:f> <@{order.user_id}>{where}: `/{words}`"


def _plain_line(order: GivenOrder, names: Names) -> str:
    """With names and ids: a file shows no mentions."""

    def both(number: int) -> str:
        name = names(number)
        return str(number) if name is None else f"{name} ({number})"

    at = f"{new_york(instant_of(order.at_ms)):%Y-%m-%d %H:%M:%S} New York"
    where = "" if order.guild_id is None else f" in server {both(order.guild_id)}"
    return f"{at}  {both(order.user_id)}{where}: /{_ID.sub(lambda found: both(int(found[0])), order.words)}"


def _given(interaction: Interaction, command: AnyCommand) -> str:
    pairs: Iterable[tuple[str, Any]] = interaction.namespace
    options = [f"{name}:{getattr(value, 'id', value)}" for name, value in pairs]
    return " ".join([command.qualified_name, *options])[:_MOST_CHARS]


def _order(text: str) -> GivenOrder | None:
    try:
        return msgspec.json.decode(text, type=GivenOrder)
    except msgspec.DecodeError:
        return None
