"""Messages from request bodies: checked, stored, changed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.sandbox.rest.component_rules import GALLERY, every_component
from bot.sandbox.rest.message_rules import check_message
from bot.sandbox.rest.uploads import Upload
from bot.sandbox.world.api_errors import ApiError, FormErrors, empty_message
from bot.sandbox.world.payloads import attachment_url
from bot.sandbox.world.records import Attachment, Channel, Json, Message, MessageFlag, MessageKind, MessageOrigin
from bot.sandbox.world.world import World

_SETTABLE: Final = MessageFlag.SUPPRESS_EMBEDS | MessageFlag.SUPPRESS_NOTIFICATIONS | MessageFlag.COMPONENTS_V2
_INLINE: Final = "attachment://"
_NONCE_KEPT: Final = timedelta(minutes=5)


class Posts:
    """Turns checked bodies into messages of the world; `origin` is where attachments are served."""

    def __init__(self, world: World, origin: str) -> None:
        self._world = world
        self._origin = origin

    def create(
        self,
        channel: Channel,
        body: Json,
        uploads: Sequence[Upload],
        *,
        origin: MessageOrigin | None = None,
        ephemeral_for: int | None = None,
        path: tuple[str | int, ...] = (),
    ) -> Message:
        """Post the bot's message; raises 50035 or 50006 when Discord would refuse it."""
        check_message(body, uploads, path=path)
        if body.get("enforce_nonce") and (known := self._posted_as(channel, body.get("nonce"))) is not None:
            return known
        message = self._blank(channel, origin, ephemeral_for)
        self._fill(message, body, uploads)
        if is_empty(message):
            raise empty_message()
        require_pictures(message, path)
        self._world.post(message)
        return message

    def _posted_as(self, channel: Channel, nonce: str | int | None) -> Message | None:
        """The message of the last minutes that was posted under the same nonce, if there is one."""
        if nonce is None:
            return None
        oldest = self._world.clock.now() - _NONCE_KEPT
        recent = (message for message in reversed(channel.messages.values()) if message.created_at >= oldest)
        return next((message for message in recent if str(message.nonce) == str(nonce)), None)

    def create_loading(self, channel: Channel, origin: MessageOrigin, ephemeral_for: int | None) -> Message:
        """Post the placeholder that a deferred answer shows."""
        message = self._blank(channel, origin, ephemeral_for)
        message.flags |= MessageFlag.LOADING
        self._world.post(message)
        return message

    def edit(
        self, message: Message, body: Json, uploads: Sequence[Upload], *, path: tuple[str | int, ...] = ()
    ) -> Message:
        """Change what the body names; fills a placeholder without marking it edited."""
        kept = [attachment.id for attachment in message.attachments]
        check_message(body_after(message, body, path), uploads, kept, path=path)
        before = replace(message)
        was_loading = bool(message.flags & MessageFlag.LOADING)
        message.flags &= ~MessageFlag.LOADING
        self._fill(message, body, uploads)
        try:
            if is_empty(message):
                raise empty_message()
            require_pictures(message, path)
        except ApiError:
            _restore(message, before)
            raise
        self._world.touch(message, edited=not was_loading)
        return message

    def _blank(self, channel: Channel, origin: MessageOrigin | None, ephemeral_for: int | None) -> Message:
        kind = MessageKind.DEFAULT if origin is None or not origin.name else MessageKind.CHAT_INPUT_COMMAND
        return Message(
            id=self._world.snowflakes.next(),
            channel_id=channel.id,
            author=self._world.bot,
            kind=kind,
            created_at=self._world.clock.now(),
            origin=origin,
            ephemeral_for=ephemeral_for,
            flags=0 if ephemeral_for is None else MessageFlag.EPHEMERAL,
        )

    def _fill(self, message: Message, body: Json, uploads: Sequence[Upload]) -> None:
        message.attachments = self._attachments(message, body, uploads)
        if "content" in body:
            message.content = (body["content"] or "").strip()
        if "embeds" in body:
            message.embeds = [{"type": "rich", **embed} for embed in body["embeds"] or []]
        if "components" in body:
            message.components = numbered(body["components"] or [])
        if "flags" in body:
            message.flags = (message.flags & ~_SETTABLE) | ((body["flags"] or 0) & _SETTABLE)
        message.tts = bool(body.get("tts", message.tts))
        message.nonce = body.get("nonce", message.nonce)
        reference = body.get("message_reference")
        if isinstance(reference, dict) and str(reference.get("message_id")).isdecimal():
            message.reply_to, message.kind = int(reference["message_id"]), MessageKind.REPLY
        self._show_inline(message)

    def _attachments(self, message: Message, body: Json, uploads: Sequence[Upload]) -> list[Attachment]:
        described = {int(item["id"]): item for item in body.get("attachments") or ()}
        kept = [
            replace(attachment, description=described.get(attachment.id, {}).get("description", attachment.description))
            for attachment in message.attachments
            if body.get("attachments") is None or attachment.id in described
        ]
        return kept + [self._attachment(upload, described.get(upload.index, {})) for upload in uploads]

    def _attachment(self, upload: Upload, described: Json) -> Attachment:
        width, height = upload.size_px or (None, None)
        return Attachment(
            id=self._world.snowflakes.next(),
            filename=described.get("filename") or upload.filename,
            data=upload.data,
            content_type=upload.content_type,
            description=described.get("description"),
            width=width,
            height=height,
        )

    def _show_inline(self, message: Message) -> None:
        by_name = {attachment.filename: attachment for attachment in message.attachments}
        shown: set[int] = set()
        for picture in _pictures(message.embeds):
            attachment = by_name.get(str(picture.get("url", "")).removeprefix(_INLINE))
            if attachment is not None and str(picture["url"]).startswith(_INLINE):
                picture["url"] = attachment_url(attachment, self._origin)
                shown.add(attachment.id)
        message.attachments = [
            replace(attachment, inline=attachment.inline or attachment.id in shown)
            for attachment in message.attachments
        ]


def body_after(message: Message, body: Json, path: tuple[str | int, ...] = ()) -> Json:
    """What an edit of a message with components of the second kind has to obey, or of one that is to have them.

    What the edit leaves as it was counts too, and the flag is for good: raises 50035 where an edit clears it.
    """
    asked = body.get("flags")
    was = bool(message.flags & MessageFlag.COMPONENTS_V2)
    if was and isinstance(asked, int) and not asked & MessageFlag.COMPONENTS_V2:
        form = FormErrors()
        form.add(
            (*path, "flags"), "MESSAGE_FLAG_CANNOT_BE_REMOVED", "IS_COMPONENTS_V2 cannot be removed once it is set"
        )
        form.raise_if_any()
    if not was and not (isinstance(asked, int) and asked & MessageFlag.COMPONENTS_V2):
        return body
    flags = MessageFlag.COMPONENTS_V2 | (asked or 0)
    return {"content": message.content, "embeds": message.embeds, **body, "flags": int(flags)}


def is_empty(message: Message) -> bool:
    """Whether nothing would be shown: components of the first kind alone do not count."""
    modern = message.flags & MessageFlag.COMPONENTS_V2 and message.components
    return not (message.content or message.embeds or message.attachments or modern)


def require_pictures(message: Message, path: tuple[str | int, ...] = ()) -> None:
    """Raise 50035 for a picture of a card that is to be one of the message's files and is none."""
    form, files = FormErrors(), {attachment.filename for attachment in message.attachments}
    galleries = [one for one in every_component(message.components) if one.get("type") == GALLERY]
    for url in (str(item.get("media", {}).get("url")) for one in galleries for item in one.get("items") or ()):
        if url.startswith(_INLINE) and url.removeprefix(_INLINE) not in files:
            form.add(
                (*path, "components"),
                "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
                "The referenced attachment was not found",
            )
    form.raise_if_any()


def numbered(components: list[Json], start: int = 1) -> list[Json]:
    """Components with the ids that Discord gives those that came without one."""
    counter = iter(range(start, 10_000))

    def number(component: Json) -> Json:
        filled = {**component, "id": component.get("id") or next(counter)}
        if isinstance(filled.get("components"), list):
            filled["components"] = [number(child) for child in filled["components"]]
        for key in ("component", "accessory"):
            if isinstance(filled.get(key), dict):
                filled[key] = number(filled[key])
        return filled

    return [number(component) for component in components]


def require_object(body: object) -> Json:
    """The body as an object, or Discord's refusal of anything else."""
    if isinstance(body, dict):
        return body
    if body is None:
        return {}
    form = FormErrors()
    form.add((), "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
    form.raise_if_any()
    raise ApiError(400, 0, "400: Bad Request")


def _pictures(embeds: list[Json]) -> list[Json]:
    pictures = []
    for embed in embeds:
        for key in ("image", "thumbnail"):
            if isinstance(embed.get(key), dict):
                embed[key] = dict(embed[key])
                pictures.append(embed[key])
    return pictures


def _restore(message: Message, before: Message) -> None:
    for name in ("content", "embeds", "components", "attachments", "flags", "tts", "nonce", "reply_to", "kind"):
        setattr(message, name, getattr(before, name))
