"""What can change in the guild, each told to every listener of the world."""

from dataclasses import dataclass
from enum import StrEnum

from bot.sandbox.world.records import Channel, Member, Message, Role


class Deed(StrEnum):
    """What became of a thing, as the names of gateway events end."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class MessageChange:
    """A message was posted, by whomever, edited or deleted."""

    deed: Deed
    message: Message


@dataclass(frozen=True, slots=True)
class ChannelChange:
    """A channel of the guild or one of its threads was opened, changed, or deleted with its messages."""

    deed: Deed
    channel: Channel


@dataclass(frozen=True, slots=True)
class DirectChannelOpened:
    """Somebody and the bot may write to each other."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class CommandsChanged:
    """The application registered, changed or removed commands."""


@dataclass(frozen=True, slots=True)
class RoleUpdated:
    """Permissions of a role changed, for everybody who has it."""

    role: Role


@dataclass(frozen=True, slots=True)
class MemberUpdated:
    """Something about a member changed."""

    member: Member


@dataclass(frozen=True, slots=True)
class GuildLeft:
    """The bot was thrown out."""


@dataclass(frozen=True, slots=True)
class GuildJoined:
    """The bot was invited."""


Change = (
    MessageChange
    | ChannelChange
    | RoleUpdated
    | MemberUpdated
    | GuildLeft
    | GuildJoined
    | DirectChannelOpened
    | CommandsChanged
)
