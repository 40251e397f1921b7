"""The rules that the wire tests trust: they see what the local Discord alone lets through."""

from typing import Any

import pytest

from tests.support.discord_bodies import problems

CREATE = ("POST", "/channels/{channel_id}/messages")
EDIT = ("PATCH", "/channels/{channel_id}/messages/{message_id}")
COMMANDS = ("PUT", "/applications/{application_id}/commands")
CALLBACK = ("POST", "/interactions/{interaction_id}/{interaction_token}/callback")


@pytest.mark.parametrize(
    ("where", "body"),
    [
        (CREATE, {"content": "x" * 2_000, "tts": False, "attachments": [{"id": 0, "filename": "a"}]}),
        (EDIT, {"content": "x", "tts": False}),
        (COMMANDS, [{"name": "gex", "description": "d", "type": 1, "nsfw": False, "options": []}]),
        (CALLBACK, {"type": 4, "data": {"content": "x", "flags": 64, "tts": False}}),
        (CALLBACK, {"type": 8, "data": {"choices": [{"name": "n", "value": "v"}]}}),
    ],
)
def test_what_the_library_sends_passes(where: tuple[str, str], body: Any) -> None:
    assert problems(*where, body) == []


@pytest.mark.parametrize(
    ("where", "body"),
    [
        (CREATE, {"content": "x" * 2_001}),
        (CREATE, {"content": "x", "colour": 1}),
        (CREATE, {"content": 5}),
        (CREATE, {"embeds": [{"title": "x" * 257}]}),
        (CREATE, {"embeds": [{"title": "t", "subtitle": "s"}]}),
        (EDIT, {"content": "x" * 3_000}),
        (COMMANDS, [{"name": "Gex", "description": "d"}]),
        (COMMANDS, [{"name": "gex", "description": ""}]),
        (COMMANDS, [{"name": "gex", "description": "d", "options": [{"type": 3, "name": "Big", "description": "d"}]}]),
        (COMMANDS, [{"name": "gex", "description": "d", "colour": 1}]),
        (CALLBACK, {"type": 4, "data": {"content": "x" * 2_001}}),
        (CALLBACK, {"type": 9, "data": {"custom_id": "m"}}),
    ],
)
def test_what_discord_would_not_take_is_named(where: tuple[str, str], body: Any) -> None:
    assert problems(*where, body)


def test_a_route_that_discord_does_not_have_is_an_error() -> None:
    with pytest.raises(KeyError):
        problems("POST", "/nowhere", {})
