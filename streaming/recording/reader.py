"""A recording read back line by line, past torn ends and foreign lines, which are counted."""

import gzip
import heapq
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Final

from streaming.errors import ContractError, RequestError
from streaming.process.packed import open_unpacked
from streaming.recording.record_lines import RecordedLine, parse_line
from streaming.recording.recording_files import KINDS, Part, parts_of

LONGEST_LINE: Final = 16 << 20
"""Far more than a snapshot takes; what goes on longer is cut into lines that are none of a recording."""


@dataclass(slots=True)
class ReadCounts:
    """What was met on the way."""

    lines: int = 0
    foreign: int = 0
    """Lines that are none of a recording."""
    torn: int = 0
    """Parts that end in the middle of a line or a member, as a crash leaves them."""


def read_parts(parts: Sequence[Part], counts: ReadCounts) -> Iterator[RecordedLine]:
    """The lines of all parts in the order in which they were recorded.

    RequestError for a file that cannot be opened at all.
    """
    ways = [_one_kind([part for part in parts if part.kind == kind], counts) for kind in KINDS]
    return heapq.merge(*ways, key=attrgetter("at"))


def holds_recording(path: Path) -> bool:
    """Whether a file is called or begins like one of a recording; False for one that cannot be read."""
    try:
        (part,) = parts_of(path)
        if part.day:
            return True
        parse_line(next(_raw_lines(path, ReadCounts()), b""))
    except (ContractError, RequestError):
        return False
    return True


def _one_kind(parts: Sequence[Part], counts: ReadCounts) -> Iterator[RecordedLine]:
    """Parts in turn; an entry of the tick stream that a restart wrote again comes once."""
    last = (0, 0)
    for part in parts:
        for raw in _raw_lines(part.path, counts):
            try:
                line = parse_line(raw)
            except ContractError:
                counts.foreign += 1
                continue
            counts.lines += 1
            place = _place(line.id)
            if place is not None:
                if place <= last:
                    continue
                last = place
            yield line


def _raw_lines(path: Path, counts: ReadCounts) -> Iterator[bytes]:
    try:
        with open_unpacked(path) as source:
            while line := source.readline(LONGEST_LINE):
                if line.endswith(b"\n") or len(line) == LONGEST_LINE:
                    yield line
                else:
                    counts.torn += 1
    except (EOFError, zlib.error, gzip.BadGzipFile):
        counts.torn += 1
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}.") from error


def _place(entry_id: str | None) -> tuple[int, int] | None:
    """The two numbers of an id in a Redis stream; None for what is none."""
    milliseconds, _, number = (entry_id or "").partition("-")
    return (int(milliseconds), int(number)) if milliseconds.isdecimal() and number.isdecimal() else None
