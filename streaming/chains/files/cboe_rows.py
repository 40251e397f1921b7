"""The contracts of CBOE's JSON as columns, without an object for each: where all of them are written alike. Pure.

Ten megabytes of twenty fields, of which eight count. With the same fields in the same order a comma ends each, so the
place of every value is known once all commas are; where any row is written otherwise nobody reads it here.
"""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streaming.chains.files.cells import LAST, WORD, numbers, word_of, words_before
from streaming.chains.osi import Bytes, Ints, symbol_grid

Floats = NDArray[np.float64]
NAME: Final = "option"
FIGURES: Final = ("iv", "open_interest", "volume", "bid", "ask", "gamma", "vega")
_COMMA: Final = ord(",")
_QUOTE: Final = ord('"')
_ENDS: Final = ord("}")
_LONGEST_HEAD: Final = 4096
_LIST: Final = re.compile(rb'"options"\s*:\s*\[\s*(?=\{)')
_FIELD: Final = re.compile(rb'[{,]\s*"(\w+)"\s*:\s*')
_NULL: Final = b"null"
_BETWEEN: Final = b"{, \t\r\n"


@dataclass(frozen=True, slots=True, eq=False)
class FeedRows:
    """What the rows say, and the payload without them."""

    frame: bytes
    grid: Bytes
    """Their symbols as `symbol_grid` has them."""
    figures: list[Floats]
    """Of `FIGURES`; NaN where null stands."""


def read_rows(payload: bytes) -> FeedRows | None:
    """The rows of the list of options; None where they are not all alike, or anything but numbers stands in them."""
    found = _LIST.search(payload[:_LONGEST_HEAD])
    end = payload.rfind(b"}", 0, max(payload.rfind(b"]"), 0)) + 1
    if found is None or end <= found.end():
        return None
    rows = _laid_out(payload, found.end(), end)
    if rows is None or (grid := rows.symbols()) is None:
        return None
    figures = [column for name in FIGURES if (column := rows.figures(name)) is not None]
    if len(figures) < len(FIGURES):
        return None
    return FeedRows(payload[: found.end()] + payload[end:], grid, figures)


def _laid_out(payload: bytes, begin: int, end: int) -> "_AlikeRows | None":
    """The rows at `payload[begin:end]` by the example of the first of them."""
    first = payload[begin : payload.find(b"}", begin) + 1]
    fields = list(_FIELD.finditer(first))
    width = first.count(b",") + 1
    if len(fields) != width or first.count(b"{") != 1 or b"[" in first:
        return None
    data = np.frombuffer(payload, np.uint8)
    commas = np.flatnonzero(data[begin:end] == _COMMA)
    if (commas.size + 1) % width:
        return None
    edges = np.empty(commas.size + 2, np.int64)
    np.add(commas, begin, out=edges[1:-1])
    edges[0], edges[-1] = begin, end
    if commas.size >= width:  # a row begins with the comma before it
        edges[0] -= payload.find(b"{", edges[width]) - edges[width]
    before, after = edges[:-1].reshape(-1, width), edges[1:].reshape(-1, width)
    if (data[after[:, -1] - 1] != _ENDS).any():
        return None
    lengths = [len(field[0]) for field in fields]
    lengths[0] += begin - int(edges[0])
    heads = {
        field[1].decode(): _FieldHead(place, length, field[0].lstrip(_BETWEEN))
        for place, (field, length) in enumerate(zip(fields, lengths, strict=True))
    }
    return _AlikeRows(data, before, after, heads)


class _FieldHead(NamedTuple):
    """Which of the fields of a row one is, where its value begins after the comma, and its name as it stands there."""

    place: int
    length: int
    text: bytes


@dataclass(frozen=True, slots=True, eq=False)
class _AlikeRows:
    """Between which commas each field stands, shapes (rows, fields), and what is before its value, by its name."""

    data: Bytes
    before: Ints
    after: Ints
    heads: dict[str, _FieldHead]

    def symbols(self) -> Bytes | None:
        """None where one is no text."""
        found = self._values(NAME)
        if found is None:
            return None
        start, end = found
        if (self.data[start] != _QUOTE).any() or (self.data[end - 1] != _QUOTE).any():
            return None
        return symbol_grid(self.data, start + 1, end - 1)

    def figures(self, name: str) -> Floats | None:
        """None where something else than a number or null stands."""
        found = self._values(name)
        if found is None:
            return None
        start, end = found
        values = numbers(self.data, start, end)
        unknown = np.flatnonzero(np.isnan(values)).tolist()
        return values if all(self.data[start[row] : end[row]].tobytes() == _NULL for row in unknown) else None

    def _values(self, name: str) -> tuple[Ints, Ints] | None:
        """Where the values of a field begin and end; None where another field stands in its place, or none."""
        head = self.heads.get(name)
        if head is None:
            return None
        start = self.before[:, head.place] + head.length
        end = self.after[:, head.place] - (head.place == self.before.shape[1] - 1)
        if (start >= end).any():
            return None
        for cut in range(len(head.text), 0, -WORD):
            text = head.text[max(cut - WORD, 0) : cut]
            found = words_before(self.data, start - (len(head.text) - cut))
            if ((found ^ word_of(text)) & LAST[len(text)]).any():
                return None
        return start, end
