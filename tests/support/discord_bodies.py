"""Our own rules for what is sent to Discord: every field one that Discord has, of its type and within its limits.

Fields and types stand in the table below; lengths, counts and names are those that the local Discord keeps.
`tests/captured` compares them with Discord's published description.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from bot.sandbox.rest.component_rules import check_modal
from bot.sandbox.rest.message_rules import check_message
from bot.sandbox.world.api_errors import ApiError, FormErrors
from bot.sandbox.world.command_rules import check_choices, check_command, check_commands

TEXT: Final = (str,)
WHOLE: Final = (int,)
FLAG: Final = (bool,)
NUMBER: Final = (int, float)
ID: Final = (int, str)
"""A snowflake, as a number or in digits."""
ANY: Final = (object,)
Shape = Mapping[str, Any]
"""Field -> types, the most characters of a text, or the shape of an object; in a list of one, that of each entry."""


def _fields(kind: object, names: str) -> dict[str, Any]:
    return dict.fromkeys(names.split(), kind)


MEDIA: Final[Shape] = _fields(TEXT, "url proxy_url content_type") | _fields(WHOLE, "width height")
EMBED: Final[Shape] = _fields(TEXT, "type url title timestamp description") | {
    "color": WHOLE,
    "flags": WHOLE,
    "author": _fields(TEXT, "name url icon_url proxy_icon_url"),
    "footer": _fields(TEXT, "text icon_url proxy_icon_url"),
    "provider": _fields(TEXT, "name url"),
    "fields": [{"name": TEXT, "value": TEXT, "inline": FLAG}],
    **_fields(MEDIA, "image thumbnail video"),
}
EMOJI: Final[Shape] = {"id": ID, "name": 32, "animated": FLAG}
CHOICE: Final[Shape] = {"name": TEXT, "name_localizations": ANY, "value": (str, int, float)}
COMPONENT: Final[dict[str, Any]] = (
    _fields(TEXT, "custom_id label url placeholder value title content description")
    | _fields(WHOLE, "type id style min_values max_values min_length max_length accent_color spacing")
    | _fields(FLAG, "disabled required divider spoiler")
    | {
        "emoji": EMOJI,
        "sku_id": ID,
        "options": [_fields(TEXT, "label value description") | {"emoji": EMOJI, "default": FLAG}],
        "default_values": [{"id": ID, "type": TEXT}],
        "channel_types": [WHOLE],
        "items": [{"media": _fields(TEXT, "url"), "description": 1_024, "spoiler": FLAG}],
    }
)
COMPONENT["components"], COMPONENT["component"], COMPONENT["accessory"] = [COMPONENT], COMPONENT, COMPONENT
MESSAGE: Final[Shape] = {
    "content": TEXT,
    "embeds": [EMBED],
    "allowed_mentions": {"parse": [TEXT], "users": [ID], "roles": [ID], "replied_user": FLAG},
    "components": [COMPONENT],
    "attachments": [_fields(1_024, "filename description title") | {"id": ID, "is_remix": FLAG}],
    "flags": WHOLE,
    "tts": FLAG,
    "sticker_ids": [ID],
    "poll": ANY,
}
NEW_MESSAGE: Final[Shape] = MESSAGE | {
    "nonce": 25,
    "enforce_nonce": FLAG,
    "message_reference": {
        "message_id": ID,
        "channel_id": ID,
        "guild_id": ID,
        "fail_if_not_exists": FLAG,
        "type": WHOLE,
    },
}
OPTION: Final[dict[str, Any]] = (
    _fields(TEXT, "name description")
    | _fields(ANY, "name_localizations description_localizations")
    | {"channel_types": [WHOLE]}
    | _fields(FLAG, "required autocomplete")
    | _fields(NUMBER, "min_value max_value")
    | _fields(WHOLE, "type min_length max_length")
    | {"choices": [CHOICE]}
)
OPTION["options"] = [OPTION]
COMMAND: Final[Shape] = (
    _fields(TEXT, "name description")
    | _fields(ANY, "name_localizations description_localizations")
    | {"contexts": [WHOLE], "integration_types": [WHOLE]}
    | _fields(FLAG, "dm_permission nsfw")
    | {"type": WHOLE, "handler": WHOLE, "id": ID, "default_member_permissions": ID, "options": [OPTION]}
)
MODAL: Final[Shape] = {"custom_id": TEXT, "title": TEXT, "components": [COMPONENT]}
MESSAGE_ANSWERS: Final = (4, 5, 6, 7)
AUTOCOMPLETE_ANSWER: Final = 8
MODAL_ANSWER: Final = 9
_ANSWERS: Final[dict[int, Shape]] = {
    **dict.fromkeys(MESSAGE_ANSWERS, MESSAGE),
    AUTOCOMPLETE_ANSWER: {"choices": [CHOICE]},
    MODAL_ANSWER: MODAL,
}
Body = Any


def problems(method: str, path: str, body: Body) -> list[str]:
    """What is wrong with a body, one sentence each; KeyError for a route that takes none as far as we know."""
    shape, limits = _ROUTES[method, path]
    found = [*_misshapen("$", body, shape(body) if callable(shape) else shape)]
    if not found:
        found = [*_refused(limits, body)]
    return [f"{method} {path} {problem}" for problem in found]


def problems_of(requests: Iterable[Any]) -> list[str]:
    """The same for records of the local Discord that it did not refuse."""
    return [
        problem
        for request in requests
        if request.body is not None
        for problem in problems(request.method, request.path, request.body)
    ]


def _misshapen(path: str, value: Any, shape: Any) -> Iterator[str]:
    """What is not as the table says; null is nothing said, which is always allowed."""
    if value is None:
        return
    if isinstance(shape, list):
        yield from _odd_entries(path, value, shape[0])
    elif isinstance(shape, Mapping):
        yield from _odd_fields(path, value, shape)
    elif not _is_a(value, shape):
        yield f"{path} is {value!r:.80}"


def _odd_entries(path: str, value: Any, shape: Any) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path} is no list"
        return
    for index, item in enumerate(value):
        yield from _misshapen(f"{path}[{index}]", item, shape)


def _odd_fields(path: str, value: Any, shape: Shape) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path} is no object"
        return
    for name, inner in value.items():
        if name in shape:
            yield from _misshapen(f"{path}.{name}", inner, shape[name])
        else:
            yield f"{path}.{name} is a field that Discord does not have"


def _is_a(value: Any, kind: int | tuple[type, ...]) -> bool:
    if isinstance(kind, int):
        return isinstance(value, str) and len(value) <= kind
    if isinstance(value, bool):
        return bool in kind or object in kind
    return isinstance(value, kind) and (kind is not ID or str(value).isdecimal())


def _refused(limits: Callable[[Body], None], body: Body) -> Iterator[str]:
    try:
        limits(body)
    except ApiError as refusal:
        yield f"{refusal}: {refusal.errors}"


def _callback_shape(body: Body) -> Shape:
    kind = body.get("type") if isinstance(body, dict) else None
    return {"type": WHOLE, "data": _ANSWERS.get(kind, {}) if isinstance(kind, int) else {}}


def _check_callback(body: Body) -> None:
    data, kind, form = body.get("data") or {}, body.get("type"), FormErrors()
    if kind in MESSAGE_ANSWERS:
        _check_message(data)
    elif kind == AUTOCOMPLETE_ANSWER:
        choices = data.get("choices")
        numbers = any(not isinstance(item.get("value"), str) for item in choices or ())
        check_choices(form, ("data", "choices"), choices, *([10] if numbers else []))
    elif kind == MODAL_ANSWER:
        check_modal(form, ("data",), data)
    else:
        form.add(("type",), "BASE_TYPE_CHOICES", f"{kind!r} is no kind of answer")
    form.raise_if_any()


def _check_message(body: Body) -> None:
    """A message whose files exist, for they travel beside the body."""
    numbers = [int(item["id"]) for item in body.get("attachments") or () if str(item.get("id", "")).isdecimal()]
    check_message(body, (), numbers)


def _check_letter(_body: Body) -> None:
    """Nothing but who it is for."""


_ONE = "/channels/{channel_id}/messages/{message_id}"
_HOOK = "/webhooks/{webhook_id}/{webhook_token}"
_ROUTES: Final[dict[tuple[str, str], tuple[Any, Callable[[Body], None]]]] = {
    ("POST", "/channels/{channel_id}/messages"): (NEW_MESSAGE, _check_message),
    ("PATCH", _ONE): (MESSAGE, _check_message),
    ("POST", _HOOK): (MESSAGE, _check_message),
    ("PATCH", f"{_HOOK}/messages/@original"): (MESSAGE, _check_message),
    ("PATCH", f"{_HOOK}/messages/{{message_id}}"): (MESSAGE, _check_message),
    ("POST", "/interactions/{interaction_id}/{interaction_token}/callback"): (_callback_shape, _check_callback),
    ("PUT", "/applications/{application_id}/commands"): ([COMMAND], check_commands),
    ("PUT", "/applications/{application_id}/guilds/{guild_id}/commands"): ([COMMAND], check_commands),
    ("POST", "/applications/{application_id}/commands"): (COMMAND, check_command),
    ("PATCH", "/applications/{application_id}/commands/{command_id}"): (COMMAND, check_command),
    ("POST", "/users/@me/channels"): ({"recipient_id": ID}, _check_letter),
}
"""Route -> the shape of its body, or what tells it from the body, and what checks its limits."""
