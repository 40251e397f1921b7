"""What the local Discord remembers (people, channels, messages, attachments), and what can change of it.

Each change is told to every listener of the world.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, IntFlag, StrEnum
from typing import Any

Json = dict[str, Any]


class MessageFlag(IntFlag):
    """Message flags by Discord's numbering."""

    CROSSPOSTED = 1 << 0
    SUPPRESS_EMBEDS = 1 << 2
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    COMPONENTS_V2 = 1 << 15


class MessageKind(IntEnum):
    """Message types by Discord's numbering."""

    DEFAULT = 0
    REPLY = 19
    CHAT_INPUT_COMMAND = 20


class ChannelKind(IntEnum):
    """Channel types by Discord's numbering."""

    TEXT = 0
    DIRECT = 1
    VOICE = 2
    CATEGORY = 4
    ANNOUNCEMENT = 5
    PUBLIC_THREAD = 11
    STAGE = 13
    FORUM = 15


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with an account; the bot is one too."""

    id: int
    name: str
    display_name: str
    bot: bool = False


@dataclass(frozen=True, slots=True)
class Role:
    """A bundle of permissions; the one with the guild's id is everybody's."""

    id: int
    name: str
    permissions: int
    position: int
    managed: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A user inside the guild; `role_ids` leaves out the role of everyone."""

    user: User
    role_ids: tuple[int, ...] = ()
    timed_out_until: datetime | None = None
    nick: str | None = None


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody a visitor of the page can be."""

    key: str
    member: Member
    operator: bool


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What a channel allows and denies one role or member; `kind` is 0 for a role, 1 for a member."""

    kind: int
    allow: int = 0
    deny: int = 0


@dataclass(frozen=True, slots=True)
class Attachment:
    """A stored file; `inline` ones are shown inside an embed instead of under the message."""

    id: int
    filename: str
    data: bytes
    content_type: str
    description: str | None = None
    width: int | None = None
    height: int | None = None
    inline: bool = False


@dataclass(frozen=True, slots=True)
class MessageOrigin:
    """The interaction a message answers."""

    interaction_id: int
    kind: int
    user: User
    name: str


@dataclass(slots=True)
class Message:
    """One message; `ephemeral_for` is the only persona's user id that sees it, None for everybody."""

    id: int
    channel_id: int
    author: User
    kind: MessageKind
    created_at: datetime
    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    flags: int = 0
    tts: bool = False
    nonce: str | int | None = None
    reply_to: int | None = None
    edited_at: datetime | None = None
    origin: MessageOrigin | None = None
    ephemeral_for: int | None = None


@dataclass(slots=True)
class Channel:
    """A channel or thread of the guild, or a direct conversation when `recipient` is set.

    A thread shares the overwrites of its parent. `publishes` says that every post is published at once.
    """

    id: int
    name: str
    topic: str = ""
    position: int = 0
    recipient: User | None = None
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    messages: OrderedDict[int, Message] = field(default_factory=OrderedDict)
    last_message_id: int | None = None
    kind: ChannelKind = ChannelKind.TEXT
    parent_id: int | None = None
    archived: bool = False
    locked: bool = False
    publishes: bool = False

    @property
    def is_thread(self) -> bool:
        """Whether it lives in another channel, whose permissions then count."""
        return self.kind is ChannelKind.PUBLIC_THREAD


@dataclass(slots=True)
class Guild:
    """A server with its roles and members, both by id."""

    id: int
    name: str
    owner_id: int
    roles: dict[int, Role]
    members: dict[int, Member]


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
