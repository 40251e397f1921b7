"""REST of channels and messages."""

from typing import Final

from bot.sandbox.rest.calls import NO_CONTENT, Call, HttpReply, RestRoute
from bot.sandbox.rest.message_rules import require_editable, require_postable, require_visible
from bot.sandbox.rest.posts import Posts, require_object
from bot.sandbox.rest.rate_limits import (
    CREATE_MESSAGE,
    DELETE_OLD_MESSAGE,
    DELETE_YOUNG_MESSAGE,
    EDIT_MESSAGE,
    READ_MESSAGES,
    EditRations,
    Quota,
    RenameRations,
)
from bot.sandbox.world import form_checks as check
from bot.sandbox.world.api_errors import FormErrors, empty_message, missing_permissions, not_the_author, refusal
from bot.sandbox.world.api_errors import unknown_message as unknown_message_error
from bot.sandbox.world.payloads import channel_json, message_json
from bot.sandbox.world.permission_bits import Permission
from bot.sandbox.world.records import Channel, Message
from bot.sandbox.world.snowflakes import created_at
from bot.sandbox.world.world import World

MAX_ID: Final = 2**63 - 1
_NAME_CHARS: Final = 100
_YOUNG_S: Final = 10.0
_ONE: Final = "/channels/{channel_id}/messages/{message_id}"
_ALL: Final = "/channels/{channel_id}/messages"


class MessageRoutes:
    """Answers what the bot asks of channels and their messages."""

    def __init__(self, world: World, posts: Posts, origin: str) -> None:
        self._world = world
        self._posts = posts
        self._origin = origin
        self._rations = EditRations(world)
        self._renames = RenameRations(world.clock)

    def table(self) -> list[RestRoute]:
        """The routes with their buckets."""
        return [
            RestRoute("GET", "/channels/{channel_id}", self.channel, major="channel_id"),
            RestRoute("PATCH", "/channels/{channel_id}", self.change_channel, major="channel_id"),
            RestRoute("POST", "/channels/{channel_id}/typing", self.typing, major="channel_id"),
            RestRoute("GET", _ALL, self.history, READ_MESSAGES, "channel_id"),
            RestRoute("POST", _ALL, self.create, CREATE_MESSAGE, "channel_id"),
            RestRoute("POST", f"{_ALL}/bulk-delete", self.bulk_delete, major="channel_id"),
            RestRoute("GET", _ONE, self.read, READ_MESSAGES, "channel_id"),
            RestRoute("PATCH", _ONE, self.edit, EDIT_MESSAGE, "channel_id"),
            RestRoute("DELETE", _ONE, self.delete, self.delete_quota, "channel_id"),
        ]

    def channel(self, call: Call) -> HttpReply:
        """One channel that the bot can see."""
        return HttpReply(channel_json(self._world.guild, self._visible(call)))

    def change_channel(self, call: Call) -> HttpReply:
        """Rename a channel, or open and close a thread: all that a bot of ours asks for."""
        channel, body = self._visible(call), require_object(call.body)
        name, archived = body.get("name"), body.get("archived")
        if name is not None:
            self._require(channel, Permission.MANAGE_CHANNELS)
            form = FormErrors()
            check.text(form, ("name",), name, 1, _NAME_CHARS)
            form.raise_if_any()
            self._renames.spend(channel.id)
            self._world.rename(channel, name)
        if archived is not None:
            require_postable(channel, self._permissions(channel))
            self._world.change_thread(channel.id, archived=bool(archived))
        return HttpReply(channel_json(self._world.guild, channel))

    def typing(self, call: Call) -> HttpReply:
        """Refused where a message would be; nothing is shown."""
        channel = self._visible(call)
        require_postable(channel, self._permissions(channel))
        return NO_CONTENT

    def history(self, call: Call) -> HttpReply:
        """Messages newest first, at most `limit`, `before`, `after` or `around` an id; without the permission none."""
        channel = self._visible(call)
        if not self._permissions(channel) & Permission.READ_MESSAGE_HISTORY:
            return HttpReply([])
        found = [message for message in channel.messages.values() if message.ephemeral_for is None]
        found.sort(key=lambda message: message.id, reverse=True)
        return HttpReply([self._json(message) for message in _page(found, call)])

    def read(self, call: Call) -> HttpReply:
        """One message; without the right to read the history it is refused, not empty."""
        channel = self._visible(call)
        self._require(channel, Permission.READ_MESSAGE_HISTORY)
        return HttpReply(self._json(self._public(call)))

    def create(self, call: Call) -> HttpReply:
        """Post a message; a post opens an archived thread."""
        channel = self._visible(call)
        self._admit_post(channel)
        if call.uploads:
            self._require(channel, Permission.ATTACH_FILES)
        body = require_object(call.body)
        if not body and not call.uploads:
            raise empty_message()
        self._check_reference(channel, body.get("message_reference"))
        if channel.archived:
            self._world.change_thread(channel.id, archived=False)
        return HttpReply(self._json(self._posts.create(channel, body, call.uploads)))

    def edit(self, call: Call) -> HttpReply:
        """Edit a message of the bot's own, within Discord's rations."""
        message = self._own(call)
        channel = self._world.channel(message.channel_id)
        require_editable(channel, self._permissions(channel))
        self._rations.admit(message)
        return HttpReply(self._json(self._posts.edit(message, require_object(call.body), call.uploads)))

    def delete(self, call: Call) -> HttpReply:
        """Delete a message; one of others needs the right to manage messages."""
        channel = self._visible(call)
        message = self._public(call)
        if message.author.id != self._world.bot.id:
            self._require(channel, Permission.MANAGE_MESSAGES)
        self._world.remove(message)
        return NO_CONTENT

    def bulk_delete(self, call: Call) -> HttpReply:
        """Delete several; those that are gone already are passed over."""
        channel = self._visible(call)
        self._require(channel, Permission.MANAGE_MESSAGES)
        for message_id in require_object(call.body).get("messages") or ():
            message = channel.messages.get(int(message_id))
            if message is not None:
                self._world.remove(message)
        return NO_CONTENT

    def delete_quota(self, call: Call) -> Quota:
        """Young messages have a bucket of their own (discord-api-docs#8330)."""
        age_s = (self._world.clock.now() - created_at(call.id("message_id"))).total_seconds()
        return DELETE_YOUNG_MESSAGE if age_s <= _YOUNG_S else DELETE_OLD_MESSAGE

    def _visible(self, call: Call) -> Channel:
        channel = self._world.channel(call.id("channel_id"))
        require_visible(channel, self._permissions(channel))
        return channel

    def _admit_post(self, channel: Channel) -> None:
        code = None if channel.recipient is None else self._world.refused_letters.get(channel.recipient.id)
        if code is not None:
            raise refusal(code)
        require_postable(channel, self._permissions(channel))

    def _require(self, channel: Channel, needed: Permission) -> None:
        if not self._permissions(channel) & needed:
            raise missing_permissions()

    def _permissions(self, channel: Channel) -> int:
        return self._world.bot_permissions(channel)

    def _public(self, call: Call) -> Message:
        self._visible(call)
        message = self._world.message(call.id("channel_id"), call.id("message_id"))
        if message.ephemeral_for is not None:
            raise unknown_message_error()
        return message

    def _own(self, call: Call) -> Message:
        message = self._public(call)
        if message.author.id != self._world.bot.id:
            raise not_the_author()
        return message

    def _check_reference(self, channel: Channel, reference: object) -> None:
        if not isinstance(reference, dict):
            return
        known = str(reference.get("message_id", "")).isdecimal() and int(reference["message_id"]) in channel.messages
        if not known and reference.get("fail_if_not_exists", True):
            form = FormErrors()
            form.add(("message_reference",), "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
            form.raise_if_any()

    def _json(self, message: Message) -> dict[str, object]:
        return message_json(self._world, message, self._origin)


def _page(found: list[Message], call: Call) -> list[Message]:
    limit = call.number("limit", 50, 1, 100)
    if "before" in call.query:
        found = [message for message in found if message.id < call.number("before", 0, 0, MAX_ID)]
    elif "after" in call.query:
        newer = [message for message in found if message.id > call.number("after", 0, 0, MAX_ID)]
        return newer[-limit:]
    elif "around" in call.query:
        middle = call.number("around", 0, 0, MAX_ID)
        near = sorted(found, key=lambda message: abs(message.id - middle))[:limit]
        return sorted(near, key=lambda message: message.id, reverse=True)
    return found[:limit]
