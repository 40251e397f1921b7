"""What can change in the guild, each told to every listener of the world."""

from dataclasses import dataclass

from bot.sandbox.records import Channel, Member, Message, Role


@dataclass(frozen=True, slots=True)
class MessageCreated:
    message: Message


@dataclass(frozen=True, slots=True)
class MessageUpdated:
    message: Message


@dataclass(frozen=True, slots=True)
class MessageDeleted:
    message: Message


@dataclass(frozen=True, slots=True)
class ChannelUpdated:
    channel: Channel


@dataclass(frozen=True, slots=True)
class ChannelDeleted:
    channel: Channel


@dataclass(frozen=True, slots=True)
class DirectChannelOpened:
    channel: Channel


@dataclass(frozen=True, slots=True)
class CommandsChanged:
    """The application registered, changed or removed commands."""


@dataclass(frozen=True, slots=True)
class ChannelCreated:
    """A channel of the guild or one of its threads."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class RoleUpdated:
    role: Role


@dataclass(frozen=True, slots=True)
class MemberUpdated:
    member: Member


@dataclass(frozen=True, slots=True)
class GuildLeft:
    """The bot was thrown out."""


@dataclass(frozen=True, slots=True)
class GuildJoined:
    """The bot was invited."""


Change = (
    MessageCreated
    | MessageUpdated
    | MessageDeleted
    | ChannelCreated
    | ChannelUpdated
    | ChannelDeleted
    | RoleUpdated
    | MemberUpdated
    | GuildLeft
    | GuildJoined
    | DirectChannelOpened
    | CommandsChanged
)
