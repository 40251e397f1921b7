"""Frames for tests, made by service and rows; whole recordings: tests/data_builders/frames.py."""

import json
from collections.abc import Mapping, Sequence
from typing import Any


def data_frame(service: str, *rows: Mapping[str, Any], timestamp: int = 1787233769963) -> bytes:
    """A data frame with rows of one service."""
    block = {"service": service, "timestamp": timestamp, "command": "SUBS", "content": list(rows)}
    return json.dumps({"data": [block]}, separators=(",", ":")).encode()


def response(requestid: object, command: str, code: int, *, service: str = "ADMIN", msg: str = "") -> bytes:
    """The answer to one request."""
    answer = {"service": service, "command": command, "requestid": requestid, "content": {"code": code, "msg": msg}}
    return json.dumps({"response": [answer]}).encode()


def notice(code: int, msg: str = "") -> bytes:
    """A notice such as "another connection took over"."""
    return json.dumps(
        {"notify": [{"service": "ADMIN", "timestamp": 1, "content": {"code": code, "msg": msg}}]}
    ).encode()


def rows_of(frames: Sequence[bytes]) -> list[dict[str, Any]]:
    """All rows of data frames as plain JSON."""
    return [row for raw in frames for block in json.loads(raw)["data"] for row in block["content"]]
