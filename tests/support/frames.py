"""Frames for tests: captured ones by file, made ones by service and rows."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def captured(shared_data: Path, name: str) -> list[bytes]:
    """All frames of one captured file, such as `rth_2026-08-20_levelone_equities`."""
    return (shared_data / "schwab" / "stream" / f"{name}.jsonl").read_bytes().splitlines()


def all_captured(shared_data: Path) -> list[bytes]:
    """Every captured frame there is."""
    files = sorted((shared_data / "schwab" / "stream").glob("*.jsonl"))
    return [line for file in files for line in file.read_bytes().splitlines()]


def data_frame(service: str, *rows: Mapping[str, Any], timestamp: int = 1787233769963) -> bytes:
    """A data frame with rows of one service."""
    block = {"service": service, "timestamp": timestamp, "command": "SUBS", "content": list(rows)}
    return json.dumps({"data": [block]}).encode()


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
