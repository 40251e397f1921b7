"""What can change in the guild, each told to every listener of the world."""

from dataclasses import dataclass

from bot.sandbox.world.records import Channel, Member, Message, Role


@dataclass(frozen=True, slots=True)
class MessageCreated:
    """A message was posted, by whomever."""

    message: Message


@dataclass(frozen=True, slots=True)
class MessageUpdated:
    """A message was edited."""

    message: Message


@dataclass(frozen=True, slots=True)
class MessageDeleted:
    """A message is gone."""

    message: Message


@dataclass(frozen=True, slots=True)
class ChannelUpdated:
    """Something about a channel or thread changed."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class ChannelDeleted:
    """A channel is gone with its messages."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class DirectChannelOpened:
    """Somebody and the bot may write to each other."""

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
