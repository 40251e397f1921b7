"""What Discord accepts as a message, and what a channel of each kind takes from a bot with certain permissions."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from bot.sandbox.rest.component_rules import check_message_components
from bot.sandbox.rest.uploads import Upload
from bot.sandbox.world import form_checks as check
from bot.sandbox.world.api_errors import FormErrors, missing_access, missing_permissions, refusal
from bot.sandbox.world.form_checks import Path
from bot.sandbox.world.permission_bits import Permission
from bot.sandbox.world.records import Channel, ChannelKind, Json, MessageFlag

CONTENT_CHARS: Final = 2_000
EMBEDS: Final = 10
EMBED_CHARS: Final = 6_000
EMBED_FIELDS: Final = 25
FILES: Final = 10
_EMBED_TEXTS: Final = (("title", 256), ("description", 4_096))
_INNER_TEXTS: Final = (("footer", "text", 2_048), ("author", "name", 256))
_MAX_COLOUR: Final = 0xFFFFFF
_SPOKEN: Final = {ChannelKind.VOICE, ChannelKind.STAGE}
_WITHOUT_MESSAGES: Final = {ChannelKind.CATEGORY, ChannelKind.FORUM}


def check_message(body: Json, uploads: Sequence[Upload], kept_ids: Collection[int] = (), path: Path = ()) -> None:
    """Raise 50035 naming every field that breaks a limit; `kept_ids` are attachments the message already has."""
    form = FormErrors()
    check.text(form, (*path, "content"), body.get("content"), 0, CONTENT_CHARS)
    _check_embeds(form, (*path, "embeds"), body.get("embeds"))
    _check_attachments(form, (*path, "attachments"), body.get("attachments"), uploads, kept_ids)
    check.whole_number(form, (*path, "flags"), body.get("flags"), 0, 2**31 - 1)
    modern = bool(_flags(body) & MessageFlag.COMPONENTS_V2)
    if modern and (body.get("content") or body.get("embeds")):
        form.add(
            (*path, "flags"),
            "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
            "The content and embeds fields cannot be used with components of the second kind",
        )
    check_message_components(form, (*path, "components"), body.get("components"), modern=modern)
    form.raise_if_any()


def _flags(body: Json) -> int:
    flags = body.get("flags")
    return flags if isinstance(flags, int) else 0


def _check_embeds(form: FormErrors, path: Path, value: Any) -> None:
    embeds = check.objects(form, path, value, 0, EMBEDS)
    for index, embed in enumerate(embeds):
        _check_embed(form, (*path, index), embed)
    if sum(_embed_chars(embed) for embed in embeds) > EMBED_CHARS:
        form.add(path, "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {EMBED_CHARS}")


def _check_embed(form: FormErrors, path: Path, embed: Json) -> None:
    for name, high in _EMBED_TEXTS:
        check.text(form, (*path, name), embed.get(name), 0, high)
    for outer, inner, high in _INNER_TEXTS:
        if isinstance(part := embed.get(outer), dict):
            check.text(form, (*path, outer, inner), part.get(inner), 1, high)
    check.whole_number(form, (*path, "color"), embed.get("color"), 0, _MAX_COLOUR)
    for index, field in enumerate(check.objects(form, (*path, "fields"), embed.get("fields"), 0, EMBED_FIELDS)):
        check.text(form, (*path, "fields", index, "name"), field.get("name"), 1, 256)
        check.text(form, (*path, "fields", index, "value"), field.get("value"), 1, 1_024)


def _embed_chars(embed: Json) -> int:
    texts = [embed.get(name) for name, _ in _EMBED_TEXTS]
    texts += [part.get(inner) for outer, inner, _ in _INNER_TEXTS if isinstance(part := embed.get(outer), dict)]
    fields = embed.get("fields")
    for field in fields if isinstance(fields, list) else ():
        if isinstance(field, dict):
            texts += [field.get("name"), field.get("value")]
    return sum(len(text) for text in texts if isinstance(text, str))


def _check_attachments(
    form: FormErrors, path: Path, value: Any, uploads: Sequence[Upload], kept_ids: Collection[int]
) -> None:
    if len(uploads) > FILES:
        form.add(("files",), "BASE_TYPE_MAX_LENGTH", f"Must be {FILES} or fewer in length.")
    known = {*kept_ids, *(upload.index for upload in uploads)}
    for index, item in enumerate(check.objects(form, path, value, 0, FILES)):
        number = str(item.get("id", ""))
        if not number.isdecimal() or int(number) not in known:
            form.add((*path, index), "MESSAGE_ATTACHMENT_NOT_FOUND", "Attachment data not found")
        check.text(form, (*path, index, "description"), item.get("description"), 0, 1_024)


def require_visible(channel: Channel, held: int) -> None:
    """Raise 50001 for a channel the bot cannot see; the text of a voice channel needs Connect too."""
    may_connect = channel.kind not in _SPOKEN or held & Permission.CONNECT
    if not held & Permission.VIEW_CHANNEL or not may_connect:
        raise missing_access()


def require_postable(channel: Channel, held: int) -> None:
    """Raise what Discord refuses a post with; an archived thread takes one and opens again."""
    if channel.kind in _WITHOUT_MESSAGES:
        raise refusal(50008)
    if not held & (Permission.SEND_MESSAGES_IN_THREADS if channel.is_thread else Permission.SEND_MESSAGES):
        raise missing_permissions()
    _require_unlocked(channel, held)


def require_editable(channel: Channel, held: int) -> None:
    """Raise 50083 in an archived thread and 160005 in a locked one; deleting stays possible in both."""
    if channel.archived:
        raise refusal(50083)
    _require_unlocked(channel, held)


def _require_unlocked(channel: Channel, held: int) -> None:
    if channel.locked and not held & Permission.MANAGE_THREADS:
        raise refusal(160005)
