"""One text frame in, one record out, and requests the other way (specs/schwab-wire.md §2.2-2.3). Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from streaming.errors import UNREADABLE, ContractError
from streaming.schwab.origin import SCHWAB
from streaming.schwab.wire.fields import Service
from streaming.schwab.wire.rows import DataBlock
from streaming.schwab.wire.tolerant import block_from, lenient_documents, record_from


class ResponseContent(Struct, gc=False):
    """What came of a request."""

    code: int
    msg: str = ""


class Response(Struct, gc=False):
    """The answer to one request; `requestid` comes back as text."""

    content: ResponseContent
    service: str = ""
    command: str = ""
    requestid: str | int = ""


class StreamNotice(Struct, gc=False):
    """A heartbeat, or something the server wants known."""

    heartbeat: str | int | UnsetType = UNSET
    service: str = ""
    content: ResponseContent | UnsetType = UNSET


class _WireFrame(Struct, gc=False):
    data: list[DataBlock] | UnsetType = UNSET
    response: list[Response] | UnsetType = UNSET
    notify: list[StreamNotice] | UnsetType = UNSET


class Frame(Struct, frozen=True, gc=False):
    """Everything usable of one frame."""

    blocks: Sequence[DataBlock] = ()
    responses: Sequence[Response] = ()
    notices: Sequence[StreamNotice] = ()
    tolerant: bool = False
    """Whether the strict decoder refused it and the tolerant one was needed."""
    dropped: int = 0
    """Elements that even the tolerant decoder could not use."""


@dataclass(frozen=True, slots=True)
class StreamerInfo:
    """Where to connect and as whom, from `/userPreference`; the ids stay out of logs."""

    url: str
    customer_id: str = field(repr=False)
    correl_id: str = field(repr=False)
    channel: str
    function_id: str
    level2: bool = True
    """Whether the user may receive books."""
    source: str = SCHWAB
    """Schwab, or a stand-in that says so."""


T = TypeVar("T")

_STRICT: Final = msgspec.json.Decoder(_WireFrame)
_PARTS: Final = ("data", "response", "notify")


def decode_data(raw: bytes) -> Sequence[DataBlock] | None:
    """The blocks of a frame that is plain data and nothing else, as nearly all are; else None: ask `decode_frame`."""
    try:
        wire = _STRICT.decode(raw)
    except UNREADABLE:
        return None
    return wire.data if wire.data is not UNSET and wire.response is UNSET and wire.notify is UNSET else None


class _LongBlock(Struct, gc=False):
    """A block whose rows are not looked at."""

    service: str
    content: list[Raw]
    timestamp: int | float = 0
    command: str = ""


class _LongFrame(Struct, gc=False, forbid_unknown_fields=True):
    data: list[_LongBlock]


_LONG: Final = msgspec.json.Decoder(_LongFrame)
LONG_BYTES: Final = 1 << 17
"""Above this a frame is one for `in_parts`."""
_PART_BYTES: Final = 1 << 15


def in_parts(raw: bytes) -> Iterator[tuple[bytes, bool]]:
    """A frame that would hold the loop for long as several shorter ones; another one, or not of data alone, as it is.

    Beside each whether its rows are the first of their block. To find the rows costs a quarter of decoding them.
    """
    frame = _long_frame(raw)
    if frame is None:
        yield raw, True
        return
    for block in frame.data:
        head = msgspec.json.encode({"service": block.service, "timestamp": block.timestamp, "command": block.command})
        rows = max(1, len(block.content) * _PART_BYTES // len(raw))
        for at in range(0, len(block.content), rows):
            content = b",".join(block.content[at : at + rows])
            yield b'{"data":[%b,"content":[%b]}]}' % (head[:-1], content), not at


def _long_frame(raw: bytes) -> _LongFrame | None:
    try:
        return _LONG.decode(raw) if len(raw) > LONG_BYTES else None
    except UNREADABLE:
        return None


def decode_frame(raw: bytes) -> Frame:
    """Decode one text frame; ContractError when nothing in it can be used."""
    try:
        wire = _STRICT.decode(raw)
    except UNREADABLE:
        return _decode_tolerantly(raw)
    if wire.data is not UNSET:
        return Frame(wire.data, wire.response or (), wire.notify or ())
    if wire.response is UNSET and wire.notify is UNSET:
        raise ContractError("A frame from Schwab has neither data, response nor notify.")
    return Frame((), wire.response or (), wire.notify or ())


def _decode_tolerantly(raw: bytes) -> Frame:
    """All that can be understood of one document, or of several that came in one frame."""
    documents, whole = lenient_documents(raw)
    if not documents:
        raise ContractError(f"A frame of {len(raw)} bytes from Schwab is not JSON.")
    parts = [document for document in documents if isinstance(document, dict) and _holds_parts(document)]
    if not parts:
        raise ContractError("A frame from Schwab has neither data, response nor notify.")
    lost = len(documents) - len(parts) + (not whole)
    blocks: list[DataBlock] = []
    for item in _elements(parts, "data"):
        block, dropped = block_from(item) if isinstance(item, dict) else (None, 0)
        lost += dropped + (block is None)
        if block is not None:
            blocks.append(block)
    responses, unread = _records(_elements(parts, "response"), Response)
    notices, unheard = _records(_elements(parts, "notify"), StreamNotice)
    return Frame(blocks, responses, notices, tolerant=True, dropped=lost + unread + unheard)


def _holds_parts(document: Mapping[str, Any]) -> bool:
    """Whether any part is an array, or an object in place of an array of one."""
    return any(isinstance(held, list) or (isinstance(held, dict) and held) for held in map(document.get, _PARTS))


def _elements(documents: Iterable[Mapping[str, Any]], part: str) -> list[object]:
    """What the documents hold under one key; something else than an array is its only element."""
    held = [document[part] for document in documents if document.get(part) is not None]
    return [item for value in held for item in (value if isinstance(value, list) else [value])]


def _records(items: Sequence[object], kind: type[T]) -> tuple[list[T], int]:
    """The records of the items that can be read, and how many cannot."""
    made = [record_from(item, kind) if isinstance(item, dict) else None for item in items]
    records = [record for record in made if record is not None]
    return records, len(items) - len(records)


def encode_request(
    info: StreamerInfo, *, service: Service, command: str, requestid: int, parameters: Mapping[str, str]
) -> str:
    """One request as text, with both client ids, which every request needs (§2.2)."""
    request = {
        "service": service.value,
        "requestid": str(requestid),
        "command": command,
        "SchwabClientCustomerId": info.customer_id,
        "SchwabClientCorrelId": info.correl_id,
        "parameters": dict(parameters),
    }
    return msgspec.json.encode({"requests": [request]}).decode()


def encode_login(info: StreamerInfo, access_token: str, requestid: int) -> str:
    """The LOGIN request; the token goes in bare, without `Bearer`."""
    parameters = {
        "Authorization": access_token,
        "SchwabClientChannel": info.channel,
        "SchwabClientFunctionId": info.function_id,
    }
    return encode_request(info, service=Service.ADMIN, command="LOGIN", requestid=requestid, parameters=parameters)
