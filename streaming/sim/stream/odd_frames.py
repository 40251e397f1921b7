"""Frames as they should not be, on order: oddities of servers and proxies, and messages in several pieces. Pure."""

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

import msgspec

Tree = dict[str, Any]

_BLANKS: Final = ("", "-", "N/A", None)
_PRICES: Final[Mapping[str, tuple[str, ...]]] = {
    "LEVELONE_EQUITIES": ("1", "2"),
    "LEVELONE_OPTIONS": ("2", "3", "10"),
    "LEVELONE_FUTURES": ("1", "2"),
}
"""Service -> bid, ask and the options' volatility, as numbered on the wire."""
_NO_ROWS: Final[tuple[Any, ...]] = (None, 7, "row", {}, {"1": 5.0}, {"key": "<@everyone>", "1": 5.0})
_FINAL: Final = 0x80
_TEXT: Final = 0x1
_CONTINUES: Final = 0x0
_SHORT: Final = 125
_MEDIUM: Final = 0xFFFF


def distorted(frame: bytes, oddities: Collection[str]) -> bytes:
    """One frame with these oddities (names of `ODDITIES`); as it is where there is nothing to distort."""
    if not oddities:
        return frame
    tree: Tree = msgspec.json.decode(frame)
    for name, distort in ODDITIES.items():
        if name in oddities and distort is not None:
            distort(tree)
    documents = list(_halves(tree)) if "two_documents" in oddities else [tree]
    mark = b"\xef\xbb\xbf" if "byte_order_mark" in oddities else b""
    return mark + b"\n".join(msgspec.json.encode(document) for document in documents)


def _null_messages(tree: Tree) -> None:
    for item in (*tree.get("response", ()), *tree.get("notify", ())):
        if "content" in item:
            item["content"]["msg"] = None


def _blank_prices(tree: Tree) -> None:
    for block in tree.get("data", ()):
        names = _PRICES.get(block["service"], ())
        for number, row in enumerate(block["content"]):
            blanks = itertools.islice(itertools.cycle(_BLANKS), number % len(_BLANKS), None)
            row |= {name: blank for name, blank in zip(names, blanks, strict=False) if name in row}


def _texts(tree: Tree) -> None:
    for block in tree.get("data", ()):
        block["content"] = [
            {name: str(value) if type(value) in {int, float} else value for name, value in row.items()}
            for row in block["content"]
        ]


def _odd_rows(tree: Tree) -> None:
    for block in tree.get("data", ()):
        block["content"] = [*_NO_ROWS, *block["content"]]


def _objects(tree: Tree) -> None:
    for block in tree.get("data", ()):
        block["content"] = _alone(block["content"])
    tree |= {name: _alone(items) for name, items in tree.items()}


def _alone(items: Any) -> Any:
    return items[0] if isinstance(items, list) and len(items) == 1 else items


def _halves(tree: Tree) -> Iterator[Tree]:
    """A data frame with its first row in a document of its own; a frame without rows to part has a heartbeat behind."""
    data = tree.get("data")
    blocks = [data] if isinstance(data, dict) else data
    if blocks and isinstance(blocks[0]["content"], list) and len(blocks[0]["content"]) > 1:
        first, *rest = blocks[0]["content"]
        yield {"data": [blocks[0] | {"content": [first]}]}
        yield {"data": [blocks[0] | {"content": rest}, *blocks[1:]]}
    else:
        yield tree
        yield {"notify": [{"heartbeat": "0"}]}


ODDITIES: Final[Mapping[str, Callable[[Tree], None] | None]] = {
    "null_messages": _null_messages,
    "blank_prices": _blank_prices,
    "texts": _texts,
    "odd_rows": _odd_rows,
    "objects": _objects,
    "two_documents": None,
    "byte_order_mark": None,
}
"""By name, in the order in which they are applied; None for what happens to the finished text."""


def in_pieces(payload: bytes, size: int = 0) -> bytes:
    """An unmasked, uncompressed text message in frames of at most `size` bytes; 0 for one frame."""
    step = size or max(len(payload), 1)
    starts = range(0, max(len(payload), 1), step)
    frames = []
    for start in starts:
        part = payload[start : start + step]
        opcode = _CONTINUES if start else _TEXT
        final = _FINAL if start + step >= len(payload) else 0
        frames.append(bytes((final | opcode,)) + _length(len(part)) + part)
    return b"".join(frames)


def _length(size: int) -> bytes:
    if size <= _SHORT:
        return bytes((size,))
    if size <= _MEDIUM:
        return b"\x7e" + size.to_bytes(2)
    return b"\x7f" + size.to_bytes(8)
