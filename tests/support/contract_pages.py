"""What schemas and pages repeat of the code; `python -m tests.support.contract_pages` writes it anew.

The examples of `specs/redis-contract.md` keep their values: a field that a record has got since is added to them.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from streaming.api.openapi import levels_schema
from streaming.bus import keys
from streaming.bus.events import KINDS, EventKind
from streaming.model import Candle, GexSnapshot, Level2Event, TickEvent

SPECS: Final = Path(__file__).resolve().parents[2] / "specs"
LEVELS: Final = SPECS / "schemas" / "levels.json"
CONTRACT: Final = SPECS / "redis-contract.md"
EXAMPLES: Final = {"tick": TickEvent, "book": Level2Event, "candle": Candle, "snapshot": GexSnapshot}
"""What the page shows of each: `A full tick:`, and its JSON in a block."""
ASYNCAPI: Final = SPECS / "schemas" / "asyncapi.json"
CHANNELS: Final = {kind.record.__name__.removesuffix("Event").lower(): kind.channel for kind in KINDS} | {
    "snapshot": keys.SNAPSHOT_STREAM
}
"""Each channel by the schema of its payloads."""
_WIDTH: Final = 118


def text_of(schema: dict[str, Any]) -> str:
    """As files hold it."""
    return json.dumps(schema, indent=2) + "\n"


def asyncapi() -> dict[str, Any]:
    """`specs/schemas/asyncapi.json`: the channels of Redis in the words of AsyncAPI 3."""
    kinds = {kind.channel: kind for kind in KINDS}
    told = {name: (channel, kinds.get(channel)) for name, channel in CHANNELS.items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Gexcord on Redis",
            "version": "1",
            "description": "Fields are only ever added; null is unknown, never zero. See specs/redis-contract.md.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "redis": {
                "host": "{host}:{port}",
                "protocol": "redis",
                "description": "REDIS_URL; without it, what `python -m streaming redis-url` prints.",
                "variables": {"host": {"default": "127.0.0.1"}, "port": {"default": "6379"}},
            }
        },
        "channels": {name: _channel(name, *of) for name, of in told.items()},
        "operations": {
            f"send_{name}": {"action": "send", "channel": {"$ref": f"#/channels/{name}"}} for name in CHANNELS
        },
    }


def _channel(name: str, address: str, kind: EventKind | None) -> dict[str, Any]:
    """A channel; one of market events says which stream holds the same payloads."""
    beside = {} if kind is None else {"x-stream": {"key": kind.stream, "field": "data"}}
    return {"address": address, "messages": {name: {"payload": {"$ref": f"{name}.json"}}}} | beside


def examples(page: str) -> dict[str, str]:
    """The JSON of each example, by its name."""
    return dict(re.findall(r"^A full (\w+):\n\n```json\n(.*?)\n```", page, flags=re.DOTALL | re.MULTILINE))


def written_anew(name: str, text: str) -> str:
    """An example with every field that its record has, in the record's order."""
    record = msgspec.json.decode(text, type=EXAMPLES[name])
    return "\n".join(_lines(msgspec.json.decode(msgspec.json.encode(record))))


def _lines(value: Any, room: int = _WIDTH) -> Iterator[str]:
    """JSON that fills its lines: what fits in one stays in one."""
    flat = json.dumps(value)
    if len(flat) <= room or not isinstance(value, (dict, list)) or not value:
        yield flat
        return
    begin, end = "{}" if isinstance(value, dict) else "[]"
    yield begin
    yield from (f"  {line}" for line in _filled([*_members(value, room - 3)], room - 2))
    yield end


def _members(value: Any, room: int) -> Iterator[list[str]]:
    heads = [f"{json.dumps(key)}: " for key in value] if isinstance(value, dict) else [""] * len(value)
    parts = value.values() if isinstance(value, dict) else value
    last = len(value) - 1
    for place, (head, part) in enumerate(zip(heads, parts, strict=True)):
        lines = [*_lines(part, room - len(head))]
        lines[0] = head + lines[0]
        lines[-1] += "," * (place < last)
        yield lines


def _filled(members: list[list[str]], room: int) -> Iterator[str]:
    """Members of one line share lines."""
    line = ""
    for lines in members:
        if len(lines) == 1 and len(line) + 1 + len(lines[0]) <= room:
            line = f"{line} {lines[0]}".lstrip()
            continue
        if line:
            yield line
        line, whole = (lines[0], []) if len(lines) == 1 else ("", lines)
        yield from whole
    if line:
        yield line


def _write() -> None:
    LEVELS.write_text(text_of(levels_schema()))
    ASYNCAPI.write_text(text_of(asyncapi()))
    page = CONTRACT.read_text()
    for name, text in examples(page).items():
        page = page.replace(text, written_anew(name, text))
    CONTRACT.write_text(page)


if __name__ == "__main__":
    _write()
