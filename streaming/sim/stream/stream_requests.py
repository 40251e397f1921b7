"""What clients of the streamer send: commands, several in an envelope or a bare one. Pure.

See specs/schwab-wire.md §2.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Request:
    """One command; ids are None when the client left them out."""

    service: str
    command: str
    request_id: str
    customer_id: str | None
    correl_id: str | None
    parameters: Mapping[str, str]


def parse_requests(text: str | bytes) -> list[Request]:
    """The commands of a message: an envelope, or one bare request. Raises on anything else."""
    body: Any = msgspec.json.decode(text)
    items = body.get("requests", [body])
    return [
        Request(
            service=str(item["service"]).upper(),
            command=str(item["command"]).upper(),
            request_id=str(item["requestid"]),
            customer_id=item.get("SchwabClientCustomerId"),
            correl_id=item.get("SchwabClientCorrelId"),
            parameters={name: str(value) for name, value in (item.get("parameters") or {}).items()},
        )
        for item in items
    ]
