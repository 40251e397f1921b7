"""The checker that the wire tests trust: it sees what Discord's description alone lets through."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.openapi import DiscordSpec, load_spec

CREATE = ("POST", "/channels/{channel_id}/messages")
EDIT = ("PATCH", "/channels/{channel_id}/messages/{message_id}")
COMMANDS = ("PUT", "/applications/{application_id}/commands")
CALLBACK = ("POST", "/interactions/{interaction_id}/{interaction_token}/callback")


@pytest.fixture
def spec(shared_data: Path) -> DiscordSpec:
    return load_spec(shared_data / "discord-openapi.json")


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
def test_what_the_library_sends_passes(spec: DiscordSpec, where: tuple[str, str], body: Any) -> None:
    assert spec.problems(*where, body) == []


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
def test_what_discord_would_not_take_is_named(spec: DiscordSpec, where: tuple[str, str], body: Any) -> None:
    assert spec.problems(*where, body)


def test_a_route_that_discord_does_not_have_is_an_error(spec: DiscordSpec) -> None:
    with pytest.raises(KeyError):
        spec.problems("POST", "/nowhere", {})
