"""The second try at a frame that the strict decoder refused: keep what can be understood. Pure.

Seen in the wild: `"NaN"` and numbers as text, null where a number belongs, rows without a key, services
nobody has heard of (schwab-api.md §2.3, §2.15). One odd value costs that value, not the frame.
"""

import json
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeVar, cast, get_args, get_origin

import msgspec

from streaming.schwab.rows import BLOCKS, DataBlock

T = TypeVar("T")
_BLOCK_OF: Final = {kind.__struct_config__.tag: kind for kind in BLOCKS}


def lenient_json(raw: bytes) -> object:
    """The tree of a JSON text with stray control bytes, NaN or broken UTF-8 in it; None when it is no JSON at all."""
    try:
        return json.loads(raw.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return None


def mappings_in(items: object) -> list[Mapping[str, Any]]:
    """The JSON objects of a JSON array; nothing for anything else."""
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def block_from(item: Mapping[str, Any]) -> tuple[DataBlock | None, int]:
    """One element of `data` and how many of its rows were unusable; None for a service we do not know."""
    kind: Any = _BLOCK_OF.get(_text(item.get("service")))
    if kind is None:
        return None, 0
    row_kind = _element_kind(kind)
    offered = item.get("content")
    made: list[Any] = [record_from(row, row_kind) for row in mappings_in(offered)]
    rows = [row for row in made if row is not None]
    block = kind(content=rows, timestamp=_number(item.get("timestamp")), command=_text(item.get("command")))
    return block, (len(offered) if isinstance(offered, list) else 1) - len(rows)


def record_from(item: Mapping[str, Any], kind: type[T]) -> T | None:
    """A record of `kind` with every field that can be understood; None when a required one cannot."""
    values = {}
    for name, wire_name, wanted, required in _layout(cast("Any", kind)):
        if wire_name in item:
            understood, value = _understand(item[wire_name], wanted)
            if understood:
                values[name] = value
                continue
        if required:
            return None
    return kind(**values)


def _understand(value: object, wanted: Any) -> tuple[bool, Any]:
    element = _list_element(wanted)
    if element is not None and isinstance(value, list):
        made = (record_from(row, element) for row in mappings_in(value))
        return True, [row for row in made if row is not None]
    try:
        return True, msgspec.convert(_scrub(value), wanted, strict=False)
    except (msgspec.MsgspecError, UnicodeError, OverflowError, RecursionError):
        return False, None


def _scrub(value: object) -> object:
    """Not-a-number in any spelling means unknown; half a surrogate pair, which no encoder takes, is replaced."""
    if isinstance(value, str):
        if value.strip().lower() in {"nan", "inf", "infinity", "-inf", "-infinity"}:
            return None
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return None if isinstance(value, float) and not math.isfinite(value) else value


@lru_cache(maxsize=64)
def _layout(kind: Any) -> tuple[tuple[str, str, Any, bool], ...]:
    return tuple((item.name, item.encode_name, item.type, item.required) for item in msgspec.structs.fields(kind))


@lru_cache(maxsize=64)
def _element_kind(kind: Any) -> Any:
    found = next(item.type for item in msgspec.structs.fields(kind) if item.name == "content")
    return get_args(found)[0]


def _list_element(wanted: Any) -> Any:
    candidates: Iterable[Any] = (wanted, *get_args(wanted))
    return next((get_args(item)[0] for item in candidates if get_origin(item) is list), None)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int | float:
    scrubbed = _scrub(value)
    return scrubbed if isinstance(scrubbed, (int, float)) else 0
