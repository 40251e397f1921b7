"""Discord's own published description: what the bot sends is within it, and our rules are as strict as it is."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.e2e.conftest import Home, Program
from tests.e2e.test_demo import page_of, traffic_of_commands
from tests.e2e.test_process import await_both_boards
from tests.support.discord_bodies import problems
from tests.support.openapi import DiscordSpec, load_spec

CREATE = ("POST", "/channels/{channel_id}/messages")
EDIT = ("PATCH", "/channels/{channel_id}/messages/{message_id}")
COMMANDS = ("PUT", "/applications/{application_id}/commands")
CALLBACK = ("POST", "/interactions/{interaction_id}/{interaction_token}/callback")
FOLLOW_UP = ("POST", "/webhooks/{webhook_id}/{webhook_token}")
ORIGINAL = ("PATCH", "/webhooks/{webhook_id}/{webhook_token}/messages/@original")
LETTER = ("POST", "/users/@me/channels")
BUTTON = {"type": 2, "style": 1, "label": "Refresh", "custom_id": "r", "disabled": False, "emoji": {"name": "x"}}
SELECT = {
    "type": 3, "custom_id": "s", "placeholder": "Scope", "min_values": 1, "max_values": 1,
    "options": [{"label": "zero", "value": "zero", "description": "nearest", "default": True}],
}  # fmt: skip
ROWS = [{"type": 1, "components": [BUTTON]}, {"type": 1, "components": [SELECT]}]
EMBED = {
    "title": "t", "description": "d", "color": 255, "type": "rich", "url": "https://example.com",
    "fields": [{"name": "n", "value": "v", "inline": True}], "footer": {"text": "f"}, "author": {"name": "a"},
    "image": {"url": "attachment://a.png"}, "timestamp": "2026-08-20T14:30:00+00:00",
}  # fmt: skip
MESSAGE = {
    "content": "x", "embeds": [EMBED], "components": ROWS, "flags": 64, "allowed_mentions": {"parse": []},
    "attachments": [{"id": 0, "filename": "a.png", "description": "d"}],
}  # fmt: skip
FORM = {"type": 1, "components": [{"type": 4, "custom_id": "i", "style": 1, "label": "Level", "min_length": 2}]}
OPTION = {
    "type": 3, "name": "symbol", "description": "which", "required": False,
    "choices": [{"name": "SPX", "value": "SPX"}],
}  # fmt: skip
COMMAND = {
    "name": "gex", "description": "d", "type": 1,
    "options": [{"type": 1, "name": "levels", "description": "d", "options": [OPTION]}],
}  # fmt: skip
BODIES = (
    (CREATE, MESSAGE | {"tts": False, "nonce": "5"}),
    (EDIT, MESSAGE | {"tts": False}),
    (FOLLOW_UP, MESSAGE | {"tts": False}),
    (ORIGINAL, {"content": "x", "attachments": [{"id": 0, "filename": "a.png"}]}),
    (CALLBACK, {"type": 4, "data": {"content": "x", "embeds": [EMBED], "flags": 64, "tts": False}}),
    (CALLBACK, {"type": 5, "data": {"flags": 64}}),
    (CALLBACK, {"type": 6}),
    (CALLBACK, {"type": 7, "data": {"content": "x", "components": ROWS[:1]}}),
    (CALLBACK, {"type": 8, "data": {"choices": [{"name": "n", "value": "v"}]}}),
    (CALLBACK, {"type": 9, "data": {"custom_id": "m", "title": "t", "components": [FORM]}}),
    (COMMANDS, [COMMAND]),
    (LETTER, {"recipient_id": 5}),
)
BY_OURS_ALONE = ("timestamp", "url", "recipient_id")
"""Fields whose text the description wants in a form that we leave to the library: dates, addresses, ids."""


@pytest.fixture
def spec(captured_data: Path) -> DiscordSpec:
    return load_spec(captured_data / "discord-openapi.json")


def test_what_the_library_sends_passes_both(spec: DiscordSpec) -> None:
    for where, body in BODIES:
        assert (spec.problems(*where, body), problems(*where, body)) == ([], []), where


def places(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every value in a body."""
    for key, child in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield (*path, key)
        yield from places(child, (*path, key))


def spoiled(body: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """The body with one thing wrong: a value of another type, one far too long, a field that does not exist."""
    for place in places(body):
        *outer, last = place
        for odd in (True, "x" * 5_000, {"x": 1}, -1):
            one = copy.deepcopy(body)
            node = one
            for key in outer:
                node = node[key]
            if type(node[last]) is type(odd) and not isinstance(odd, str):
                continue
            node[last] = odd
            yield (*place, repr(odd)[:20]), one
        one = copy.deepcopy(body)
        node = one
        for key in place:
            node = node[key]
        if isinstance(node, dict):
            node["colour"] = 1
            yield (*place, "unknown field"), one


@pytest.mark.parametrize(("where", "body"), BODIES, ids=lambda item: item[1][-20:] if isinstance(item, tuple) else "")
def test_what_the_description_refuses_our_rules_refuse(spec: DiscordSpec, where: tuple[str, str], body: Any) -> None:
    missed, refused = [], 0
    for place, one in spoiled(body):
        if any(name in BY_OURS_ALONE for name in place):
            continue
        try:
            theirs = bool(spec.problems(*where, one))
        except (AttributeError, TypeError, KeyError):
            theirs = True  # the checker itself stumbles over it
        refused += theirs
        if theirs and not problems(*where, one):
            missed.append(place)
    assert not missed, str(missed)
    assert refused > 0 or body in ({"type": 6}, {"recipient_id": 5})


def test_every_body_the_bot_has_sent_is_within_discords_description(demo: tuple[Home, Program], spec: DiscordSpec):
    url = page_of(demo[1])
    await_both_boards(url, within_s=20.0)
    traffic = traffic_of_commands(url)
    records = [SimpleNamespace(**request) for request in traffic["requests"]]
    assert len(records) > 5
    assert spec.problems_of(records) == []
    assert json.dumps(traffic["requests"])
