"""The second try at a frame that the strict decoder refused: keep what can be understood. Pure.

Seen in the wild: `"NaN"` and numbers as text, null where a number belongs, an object instead of a list of one, rows
without a key, a byte order mark, services nobody has heard of (specs/schwab-wire.md §2.3, §2.15). One odd value costs
that value, not the frame; what is named and cannot be read is unknown, never what it was before.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeVar, cast, get_args, get_origin

import msgspec

from streaming.schwab.wire.rows import DataBlock
from streaming.schwab.wire.service_table import SERVICES

T = TypeVar("T")
_BLOCK_OF: Final[Mapping[str, Any]] = {one.service: one.block for one in SERVICES}
_DECODER: Final = json.JSONDecoder(strict=False)
_AROUND: Final = " \t\r\n\0\x1e\ufeff"
"""What may stand before, between and after documents: white space, NUL, record separators, byte order marks."""
_MOST_DOCUMENTS: Final = 64


def lenient_documents(raw: bytes) -> tuple[list[object], bool]:
    """The JSON documents of a text, one after another, and whether they are all of it.

    Stray control bytes, NaN and broken UTF-8 are survived; after a document that is cut or no JSON nothing is read.
    """
    text = raw.decode("utf-8", "replace")
    documents: list[object] = []
    rest = text.lstrip(_AROUND)
    while rest and len(documents) < _MOST_DOCUMENTS:
        try:
            document, end = _DECODER.raw_decode(rest)
        except (ValueError, RecursionError):
            break
        documents.append(document)
        rest = rest[end:].lstrip(_AROUND)
    return documents, not rest


def lenient_json(raw: bytes) -> object:
    """The tree of a text that is one JSON document; None when it is none, or more than one."""
    documents, whole = lenient_documents(raw)
    return documents[0] if whole and len(documents) == 1 else None


def mappings_in(items: object) -> list[Mapping[str, Any]]:
    """The JSON objects of a JSON array; an object that stands where an array belongs counts as its only element."""
    if isinstance(items, dict):
        return [items] if items else []
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def block_from(item: Mapping[str, Any]) -> tuple[DataBlock | None, int]:
    """One element of `data` and how many of its rows were unusable; None for a service we do not know."""
    kind = _BLOCK_OF.get(_text(item.get("service")))
    if kind is None:
        return None, 0
    row_kind = _element_kind(kind)
    offered = item.get("content")
    made: list[Any] = [record_from(row, row_kind) for row in mappings_in(offered)]
    rows = [row for row in made if row is not None]
    block = kind(content=rows, timestamp=_number(item.get("timestamp")), command=_text(item.get("command")))
    return block, (len(offered) if isinstance(offered, list) else 1) - len(rows)


def record_from(item: Mapping[str, Any], kind: type[T]) -> T | None:
    """A record of `kind` with every field that can be understood; None when a required one cannot.

    A field that cannot, and may be null, is null; any other has its default, as when it is not there.
    """
    values = {}
    for slot in _layout(cast("Any", kind)):
        if slot.wire_name in item:
            value = _understood(item[slot.wire_name], slot)
            if value is not None or slot.nullable:
                values[slot.name] = value
                continue
        if slot.required:
            return None
    return kind(**values)


@dataclass(frozen=True, slots=True)
class _Slot:
    """One field of a record, as its values are read."""

    name: str
    wire_name: str
    kind: Any
    required: bool
    nullable: bool
    element: Any
    """The record that its list holds, if it holds one."""
    record: Any
    """The record that it holds itself, if any."""


def _understood(value: object, slot: _Slot) -> Any:
    """The value as the slot wants it; None when it is null or cannot be read."""
    if slot.element is not None and isinstance(value, (list, dict)):
        made = (record_from(row, slot.element) for row in mappings_in(value))
        return [row for row in made if row is not None]
    if slot.record is not None:
        return next((record_from(row, slot.record) for row in mappings_in(value)), None)
    try:
        return msgspec.convert(_scrub(value), slot.kind, strict=False)
    except (msgspec.MsgspecError, UnicodeError, OverflowError, RecursionError):
        return None


def _scrub(value: object) -> object:
    """Not-a-number in any spelling means unknown; half a surrogate pair, which no encoder takes, is replaced."""
    if isinstance(value, str):
        if value.strip().lower() in {"nan", "inf", "infinity", "-inf", "-infinity"}:
            return None
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return None if isinstance(value, float) and not math.isfinite(value) else value


@lru_cache(maxsize=64)
def _layout(kind: Any) -> tuple[_Slot, ...]:
    return tuple(_slot(item) for item in msgspec.structs.fields(kind))


def _slot(field: msgspec.structs.FieldInfo) -> _Slot:
    choices = (field.type, *get_args(field.type))
    return _Slot(
        name=field.name,
        wire_name=field.encode_name,
        kind=field.type,
        required=field.required,
        nullable=type(None) in choices,
        element=next((get_args(choice)[0] for choice in choices if get_origin(choice) is list), None),
        record=next((choice for choice in choices if _is_record(choice)), None),
    )


def _is_record(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


@lru_cache(maxsize=64)
def _element_kind(kind: Any) -> Any:
    found = next(item.type for item in msgspec.structs.fields(kind) if item.name == "content")
    return get_args(found)[0]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int | float:
    scrubbed = _scrub(value)
    return scrubbed if isinstance(scrubbed, (int, float)) else 0
