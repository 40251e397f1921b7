"""Request bodies against Discord's published OpenAPI description, plus what the description lets through.

The description accepts content of 2,001 to 4,000 characters, fields nobody knows, upper-case command names and
empty descriptions; Discord itself does not, so these are looked for by hand.
"""

import copy
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

DOCUMENT = "urn:discord"
COMPONENTS_V2 = 1 << 15
CONTENT_CHARS = 2_000
CHAT_INPUT, SUBCOMMAND_GROUP = 1, 2


_MEDIA_CHANNEL: Final = {"title": "GUILD_MEDIA", "const": 16}
"""In Discord's documentation and in what discord.py sends, and not yet in the description."""


class DiscordSpec:
    """Discord's description, made strict about unknown fields."""

    def __init__(self, path: Path) -> None:
        document = json.loads(path.read_text(encoding="utf-8"))
        document["components"]["schemas"]["ChannelTypes"]["oneOf"].append(_MEDIA_CHANNEL)
        self._document = _strict(document)
        resource = Resource.from_contents(self._document, default_specification=DRAFT202012)
        self._registry = Registry().with_resource(DOCUMENT, resource)

    def problems(self, method: str, path: str, body: Any) -> list[str]:
        """What is wrong with a body, one sentence each; none for requests that carry no body."""
        schema = self._schema(method, path)
        if schema is None:
            return [] if not body else [f"{method} {path} takes no body"]
        validator = Draft202012Validator({"$ref": schema}, registry=self._registry)
        errors = validator.iter_errors(_as_sent(method, path, body))
        return [*(f"{method} {path} {_sentence(error)}" for error in errors), *_missed(method, path, body)]

    def problems_of(self, requests: Iterable[Any]) -> list[str]:
        """The same for records of the local Discord that it did not refuse."""
        return [
            problem
            for request in requests
            if request.body is not None
            for problem in self.problems(request.method, request.path, request.body)
        ]

    def _schema(self, method: str, path: str) -> str | None:
        operation = self._document["paths"].get(path, {}).get(method.lower())
        if operation is None:
            raise KeyError(f"Discord's description has no {method} {path}")
        if "requestBody" not in operation:
            return None
        escaped = path.replace("~", "~0").replace("/", "~1")
        return f"{DOCUMENT}#/paths/{escaped}/{method.lower()}/requestBody/content/application~1json/schema"


@cache
def load_spec(path: Path) -> DiscordSpec:
    """The description of a file, read once per run."""
    return DiscordSpec(path)


def _strict(node: Any, *, part_of_all: bool = False) -> Any:
    """The schemas with every object closed, except parts that only hold together."""
    if isinstance(node, list):
        return [_strict(item, part_of_all=part_of_all) for item in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _strict(value, part_of_all=key == "allOf") for key, value in node.items()}
    is_schema = closed.get("type") in ("object", ["object", "null"]) and isinstance(closed.get("properties"), dict)
    if is_schema and "additionalProperties" not in closed and not part_of_all:
        closed["additionalProperties"] = False
    return closed


def _as_sent(method: str, path: str, body: Any) -> Any:
    """The body with ids as text and without what discord.py always adds and Discord's description leaves out.

    That is `tts: false` in edits and first answers, `flags` in embeds, `nsfw` in commands.
    """
    body = copy.deepcopy(body)
    for node in _objects(body):
        for attachment in node.get("attachments") or ():
            attachment["id"] = str(attachment["id"])
        for embed in node.get("embeds") or ():
            embed.pop("flags", None)
        if "recipient_id" in node:
            node["recipient_id"] = str(node["recipient_id"])
        if node.get("tts") is False and (method == "PATCH" or path.endswith("/callback")):
            del node["tts"]
    if "/commands" in path:
        for command in body if isinstance(body, list) else [body]:
            command.pop("nsfw", None)
    return body


def _missed(method: str, path: str, body: Any) -> Iterator[str]:
    if "/commands" in path:
        for command in body if isinstance(body, list) else [body]:
            yield from (f"{method} {path} {problem}" for problem in _command_problems(command))
        return
    for node in _objects(body):
        content = node.get("content")
        plain = not (node.get("flags") or 0) & COMPONENTS_V2 and "type" not in node
        if plain and isinstance(content, str) and len(content) > CONTENT_CHARS:
            yield f"{method} {path} content has {len(content)} characters"


def _command_problems(command: dict[str, Any], *, nested: bool = False) -> Iterator[str]:
    name = command.get("name", "")
    if nested or command.get("type", CHAT_INPUT) == CHAT_INPUT:
        if name != name.lower():
            yield f"name {name!r} is not lower case"
        if not command.get("description"):
            yield f"description of {name!r} is empty"
    for option in command.get("options") or ():
        yield from _command_problems(option, nested=True)


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _objects(child)


def _sentence(error: ValidationError) -> str:
    deepest = best_match([error]) or error
    return f"{deepest.json_path}: {deepest.message[:300]}"
