"""What a visitor of the page sees: the guild, its messages and commands as one persona, and every change of them."""

from bot.sandbox.world.commands import CommandBook
from bot.sandbox.world.interactions import Interaction
from bot.sandbox.world.page_events import PageHub
from bot.sandbox.world.payloads import message_json
from bot.sandbox.world.records import (
    Change,
    Channel,
    ChannelChange,
    CommandsChanged,
    Deed,
    DirectChannelOpened,
    Json,
    Message,
    MessageChange,
    MessageFlag,
    Persona,
)
from bot.sandbox.world.world import World


class PageView:
    """Describes the world to the page and tells it of changes."""

    def __init__(self, world: World, book: CommandBook, hub: PageHub) -> None:
        self._world = world
        self._book = book
        self._hub = hub
        world.listen(self._tell)

    def state(self, persona: Persona) -> Json:
        """Everything the page shows to this persona."""
        world = self._world
        channels = self._channels(persona)
        return {
            "guild": {"id": str(world.guild.id), "name": world.guild.name},
            "bot": {"id": str(world.bot.id), "name": world.bot.display_name},
            "personas": [_persona_json(other) for other in world.personas.values()],
            "as": persona.key,
            "channels": [self._channel_json(channel) for channel in channels],
            "messages": {str(channel.id): self._messages(channel, persona) for channel in channels},
            "commands": self._book.offered_to(persona.member),
        }

    def fail(self, interaction: Interaction) -> None:
        """Tell the persona that the bot did not answer in time."""
        told = {"interaction_id": str(interaction.id), "message": "The application did not respond"}
        self._hub.publish("interaction_failed", told, only_for=interaction.persona.key)

    def message(self, message: Message) -> Json:
        """A message with what only the page knows; files are paths, so that any host name works."""
        body = message_json(self._world, message, "")
        body["embeds"] = [_local_pictures(embed) for embed in body["embeds"]]
        body["page"] = {
            "ephemeral_for": self._key_of(message.ephemeral_for),
            "deferred": bool(message.flags & MessageFlag.LOADING),
        }
        return body

    def _channels(self, persona: Persona) -> list[Channel]:
        return [channel for channel in self._world.channels.values() if _sees(persona, channel)]

    def _channel_json(self, channel: Channel) -> Json:
        """A channel; `label` is what people read, which of a direct conversation is the bot's name."""
        direct = channel.recipient is not None
        label = self._world.bot.display_name if direct else channel.name
        return {"id": str(channel.id), "name": channel.name, "label": label, "topic": channel.topic, "direct": direct}

    def _tell_channels(self, opened: Channel) -> None:
        """Show a conversation that has just been opened to the persona it is with."""
        for persona in self._world.personas.values():
            if persona.member.user == opened.recipient:
                channels = [self._channel_json(channel) for channel in self._channels(persona)]
                self._hub.publish("channels", channels, only_for=persona.key)

    def _messages(self, channel: Channel, persona: Persona) -> list[Json]:
        visible = (None, persona.member.user.id)
        found = [message for message in channel.messages.values() if message.ephemeral_for in visible]
        return [self.message(message) for message in sorted(found, key=lambda message: message.id)]

    def _tell(self, change: Change) -> None:
        match change:
            case MessageChange(deed, message):
                self._tell_message(deed, message)
            case CommandsChanged():
                for persona in self._world.personas.values():
                    self._hub.publish("commands", self._book.offered_to(persona.member), only_for=persona.key)
            case DirectChannelOpened(channel):
                self._tell_channels(channel)
            case ChannelChange():
                self._hub.end_all()

    def _tell_message(self, deed: Deed, message: Message) -> None:
        if self._hub.viewers:
            gone = {"id": str(message.id), "channel_id": str(message.channel_id)}
            told = gone if deed is Deed.DELETE else self.message(message)
            self._hub.publish(f"message_{deed.lower()}", told, only_for=self._audience(message))

    def _audience(self, message: Message) -> str | None:
        if message.ephemeral_for is not None:
            return self._key_of(message.ephemeral_for)
        channel = self._world.channels.get(message.channel_id)
        return None if channel is None or channel.recipient is None else self._key_of(channel.recipient.id)

    def _key_of(self, user_id: int | None) -> str | None:
        return next((key for key, persona in self._world.personas.items() if persona.member.user.id == user_id), None)


def _persona_json(persona: Persona) -> Json:
    user = persona.member.user
    return {"key": persona.key, "id": str(user.id), "name": user.display_name, "operator": persona.operator}


def _sees(persona: Persona, channel: Channel) -> bool:
    return channel.recipient is None or channel.recipient == persona.member.user


def _local_pictures(embed: Json) -> Json:
    local = dict(embed)
    for key in ("image", "thumbnail"):
        picture = embed.get(key)
        if isinstance(picture, dict) and "/attachments/" in str(picture.get("url")):
            path = str(picture["url"]).partition("/attachments/")[2]
            local[key] = {**picture, "url": f"/attachments/{path}"}
    return local
