"""The guild that the local Discord serves: who is in it, its channels, and every change to its messages."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.sandbox.world.api_errors import unknown_channel, unknown_message
from bot.sandbox.world.permission_bits import EVERYONE, ORDINARY_BOT, Permission, held_by
from bot.sandbox.world.records import (
    Change,
    Channel,
    ChannelChange,
    ChannelKind,
    Deed,
    DirectChannelOpened,
    Guild,
    GuildJoined,
    GuildLeft,
    Member,
    MemberUpdated,
    Message,
    MessageChange,
    MessageFlag,
    Overwrite,
    Persona,
    Role,
    RoleUpdated,
    User,
)
from bot.sandbox.world.snowflakes import Snowflakes, fixed_id
from streaming.clock import Clock

MESSAGES_PER_CHANNEL: Final = 200
ATTACHMENT_BYTES: Final = 24 * 1024 * 1024


class World:
    """Everything that is true in the guild; each change is told to every listener, in order."""

    def __init__(self, channel_names: Sequence[str], clock: Clock) -> None:
        self.clock = clock
        self.snowflakes = Snowflakes(clock)
        self.bot = User(fixed_id(1), "Gexcord", "Gexcord", bot=True)
        self.guild = _guild(self.bot)
        self.personas = _personas(self.guild)
        self.channels = {
            fixed_id(100 + position): Channel(fixed_id(100 + position), name, _topic(name), position)
            for position, name in enumerate(channel_names)
        }
        self.bot_is_member = True
        self.refused_letters: dict[int, int] = {}
        """Who takes no direct messages: user id to the code that says so (50007, or 50278 without a common server)."""
        self._listeners: list[Callable[[Change], None]] = []

    @property
    def application_id(self) -> int:
        """The same number as the bot's user, as at Discord."""
        return self.bot.id

    @property
    def bot_member(self) -> Member:
        """The bot in the guild."""
        return self.guild.members[self.bot.id]

    @property
    def guild_channels(self) -> list[Channel]:
        """The guild's channels without its threads."""
        return [channel for channel in self.channels.values() if channel.recipient is None and not channel.is_thread]

    @property
    def active_threads(self) -> list[Channel]:
        """Threads that are not archived, which the gateway tells at the start."""
        return [channel for channel in self.channels.values() if channel.is_thread and not channel.archived]

    def bot_permissions(self, channel: Channel) -> int:
        """What the bot may do in a channel now; nothing in a guild that threw it out."""
        if not self.bot_is_member and channel.recipient is None:
            return 0
        return held_by(self.guild, channel, self.bot_member, self.clock.now())

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Call `listener` with every later change, inside the call that makes it."""
        self._listeners.append(listener)

    def announce(self, change: Change) -> None:
        """Tell gateway and page of a change, in the order of the changes."""
        for listener in self._listeners:
            listener(change)

    def channel(self, channel_id: int) -> Channel:
        """The channel, or Discord's refusal 10003."""
        channel = self.channels.get(channel_id)
        if channel is None:
            raise unknown_channel()
        return channel

    def message(self, channel_id: int, message_id: int) -> Message:
        """The message, ephemeral ones included, or Discord's refusal 10008."""
        message = self.channel(channel_id).messages.get(message_id)
        if message is None:
            raise unknown_message()
        return message

    def post(self, message: Message) -> None:
        """Add a message to its channel; the one longest untouched is forgotten beyond the bound."""
        channel = self.channel(message.channel_id)
        if channel.publishes:
            message.flags |= MessageFlag.CROSSPOSTED
        channel.messages[message.id] = message
        if message.ephemeral_for is None:
            channel.last_message_id = message.id
        while len(channel.messages) > MESSAGES_PER_CHANNEL:
            channel.messages.popitem(last=False)
        self._bound_attachments()
        self.announce(MessageChange(Deed.CREATE, message))

    def touch(self, message: Message, *, edited: bool) -> None:
        """Tell everybody that a message changed; `edited` marks it as such."""
        if edited:
            message.edited_at = self.clock.now()
        self.channel(message.channel_id).messages.move_to_end(message.id)
        self._bound_attachments()
        self.announce(MessageChange(Deed.UPDATE, message))

    def remove(self, message: Message) -> None:
        """Delete a message; one that is gone is announced all the same."""
        self.channel(message.channel_id).messages.pop(message.id, None)
        self.announce(MessageChange(Deed.DELETE, message))

    def direct_channel(self, user: User) -> Channel:
        """The conversation between the bot and a user, opened on first use."""
        for channel in self.channels.values():
            if channel.recipient == user:
                return channel
        name, kind = f"dm-{user.name}", ChannelKind.DIRECT
        channel = Channel(self.snowflakes.next(), name, "Direct messages", recipient=user, kind=kind)
        self.channels[channel.id] = channel
        self.announce(DirectChannelOpened(channel))
        return channel

    def add_channel(self, name: str, kind: ChannelKind, parent_id: int | None = None) -> Channel:
        """Open a channel, or a thread or forum post under its parent, whose overwrites it shares."""
        channel = Channel(self.snowflakes.next(), name, position=len(self.channels), kind=kind, parent_id=parent_id)
        if parent_id is not None and channel.is_thread:
            channel.overwrites = self.channel(parent_id).overwrites
        self.channels[channel.id] = channel
        self.announce(ChannelChange(Deed.CREATE, channel))
        return channel

    def change_thread(self, thread_id: int, *, archived: bool | None = None, locked: bool | None = None) -> None:
        """Archive (50083 to edits), lock (160005), or lift either; None leaves it."""
        thread = self.channel(thread_id)
        thread.archived = thread.archived if archived is None else archived
        thread.locked = thread.locked if locked is None else locked
        self.announce(ChannelChange(Deed.UPDATE, thread))

    def deny(self, channel_id: int, denied: Permission) -> None:
        """Take the bot's permissions in a channel (of a thread in its parent); `Permission(0)` gives all back."""
        channel = self.channel(channel_id)
        if channel.is_thread and channel.parent_id is not None:
            channel = self.channel(channel.parent_id)
        channel.overwrites[self.bot.id] = Overwrite(1, deny=int(denied))
        self.announce(ChannelChange(Deed.UPDATE, channel))

    def set_bot_role(self, permissions: Permission) -> None:
        """Change the permissions of the bot's own role; everyone's stay."""
        (role_id,) = self.bot_member.role_ids
        role = self.guild.roles[role_id] = replace(self.guild.roles[role_id], permissions=int(permissions))
        self.announce(RoleUpdated(role))

    def time_out_bot(self, seconds: float) -> None:
        """Let the bot only read for some seconds (50013); 0 lifts it, and its own end tells nobody."""
        until = self.clock.now() + timedelta(seconds=seconds) if seconds else None
        member = self.guild.members[self.bot.id] = replace(self.bot_member, timed_out_until=until)
        self.announce(MemberUpdated(member))

    def call_bot(self, nick: str | None) -> Member:
        """Give the bot a nickname, or take it away."""
        member = self.guild.members[self.bot.id] = replace(self.bot_member, nick=nick)
        self.announce(MemberUpdated(member))
        return member

    def rename(self, channel: Channel, name: str) -> None:
        """Call a channel something else."""
        channel.name = name
        self.announce(ChannelChange(Deed.UPDATE, channel))

    def leave(self) -> None:
        """Throw the bot out of the guild; its channels are 50001 from then on."""
        self.bot_is_member = False
        self.announce(GuildLeft())

    def join(self) -> None:
        """Invite it again."""
        self.bot_is_member = True
        self.announce(GuildJoined())

    def delete_channel(self, channel_id: int) -> None:
        """Delete a channel with its messages."""
        channel = self.channel(channel_id)
        del self.channels[channel_id]
        self.announce(ChannelChange(Deed.DELETE, channel))

    def messages(self) -> Iterable[Message]:
        """Every message of every channel."""
        for channel in self.channels.values():
            yield from channel.messages.values()

    def _bound_attachments(self) -> None:
        held = [message for message in self.messages() if message.attachments]
        total = sum(len(attachment.data) for message in held for attachment in message.attachments)
        for message in sorted(held, key=lambda message: message.id)[:-1]:
            if total <= ATTACHMENT_BYTES:
                return
            total -= sum(len(attachment.data) for attachment in message.attachments)
            message.attachments = [replace(attachment, data=b"") for attachment in message.attachments]


def _guild(bot: User) -> Guild:
    guild_id = fixed_id(10)
    everyone = Role(guild_id, "@everyone", int(EVERYONE), 0)
    managed = Role(fixed_id(11), bot.display_name, int(ORDINARY_BOT), 1, managed=True)
    owner, guest = User(fixed_id(2), "owner", "Owner"), User(fixed_id(3), "guest", "Guest")
    members = {
        owner.id: Member(owner),
        guest.id: Member(guest),
        bot.id: Member(bot, (managed.id,)),
    }
    return Guild(guild_id, "Gexcord demo", owner.id, {everyone.id: everyone, managed.id: managed}, members)


def _personas(guild: Guild) -> dict[str, Persona]:
    people = [member for member in guild.members.values() if not member.user.bot]
    return {
        member.user.name: Persona(member.user.name, member, operator=member.user.id == guild.owner_id)
        for member in people
    }


def _topic(name: str) -> str:
    ticker = name.removeprefix("gex-").upper()
    return f"Live gamma exposure of {ticker}"
