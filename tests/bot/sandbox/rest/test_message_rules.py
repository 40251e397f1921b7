from typing import Any

import pytest

from bot.sandbox.rest.message_rules import check_message
from bot.sandbox.rest.uploads import Upload
from bot.sandbox.world.api_errors import ApiError


def refused(body: dict[str, Any], *uploads: Upload, kept: tuple[int, ...] = ()) -> dict[str, Any]:
    """The nested errors of a refused body, {} when it passes."""
    try:
        check_message(body, uploads, kept)
    except ApiError as error:
        return error.errors or {}
    return {}


def codes(errors: dict[str, Any], *path: str) -> list[str]:
    for step in path:
        errors = errors[step]
    return [error["code"] for error in errors["_errors"]]


def test_an_ordinary_message_passes() -> None:
    assert refused({"content": "x" * 2_000, "embeds": [{"title": "t"}], "tts": False, "flags": 64}) == {}


def test_a_refusal_is_discords_invalid_form_body() -> None:
    with pytest.raises(ApiError) as raised:
        check_message({"content": 5}, ())
    assert (raised.value.status, raised.value.code, str(raised.value)) == (400, 50035, "Invalid Form Body")


def test_content_ends_at_two_thousand_characters() -> None:
    assert codes(refused({"content": "x" * 2_001}), "content") == ["BASE_TYPE_MAX_LENGTH"]


@pytest.mark.parametrize(
    ("embed", "path"),
    [
        ({"title": "x" * 257}, ("title",)),
        ({"description": "x" * 4_097}, ("description",)),
        ({"footer": {"text": "x" * 2_049}}, ("footer", "text")),
        ({"author": {"name": "x" * 257}}, ("author", "name")),
        ({"color": 0x1000000}, ("color",)),
        ({"fields": [{"name": "", "value": "v"}]}, ("fields", "0", "name")),
        ({"fields": [{"name": "n", "value": "x" * 1_025}]}, ("fields", "0", "value")),
        ({"fields": [{"name": "n", "value": "v"}] * 26}, ("fields",)),
    ],
)
def test_each_part_of_an_embed_has_its_limit(embed: dict[str, Any], path: tuple[str, ...]) -> None:
    assert codes(refused({"embeds": [embed]}), "embeds", "0", *path)


def test_all_embeds_together_hold_six_thousand_characters() -> None:
    parts = [{"description": "x" * 3_000}, {"fields": [{"name": "n" * 100, "value": "v" * 900}] * 3}]
    assert refused({"embeds": parts}) == {}
    assert codes(refused({"embeds": [*parts, {"title": "t"}]}), "embeds") == ["MAX_EMBED_SIZE_EXCEEDED"]


def test_an_eleventh_embed_is_too_many() -> None:
    assert codes(refused({"embeds": [{"title": "t"}] * 11}), "embeds") == ["BASE_TYPE_MAX_LENGTH"]


def test_attachments_name_files_that_came_along_or_are_kept() -> None:
    upload = Upload(0, "a.png", b"")
    assert refused({"attachments": [{"id": 0}, {"id": "77"}]}, upload, kept=(77,)) == {}
    assert codes(refused({"attachments": [{"id": 1}]}, upload), "attachments", "0") == ["MESSAGE_ATTACHMENT_NOT_FOUND"]
    long = {"attachments": [{"id": 0, "description": "x" * 1_025}]}
    assert codes(refused(long, upload), "attachments", "0", "description")


def test_several_wrong_fields_are_named_at_once() -> None:
    assert set(refused({"content": "x" * 2_001, "embeds": 3, "flags": "x"})) == {"content", "embeds", "flags"}


def test_components_of_the_second_kind_leave_no_room_for_content() -> None:
    text = [{"type": 10, "content": "x"}]
    assert refused({"flags": 1 << 15, "components": text}) == {}
    assert refused({"flags": 1 << 15, "components": text, "content": "x"})
    assert refused({"components": text})
    assert refused({"flags": 1 << 15, "components": [{"type": 10, "content": "x" * 2_001}] * 2})
