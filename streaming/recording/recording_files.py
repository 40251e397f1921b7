"""The files of a recording: their names, and which of them there are."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal, get_args

from streaming.errors import RequestError

Kind = Literal["snapshots", "ticks"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_NAME: Final = re.compile(r"(snapshots|ticks)-(\d{4}-\d\d-\d\d)\.(\d{3,9})\.jsonl\.gz")


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One file; parts of a day and kind follow one another by number."""

    day: str
    """ISO date in New York of the quotes in it."""
    kind: Kind
    number: int
    path: Path
    size: int


def part_name(kind: Kind, day: str, number: int) -> str:
    """Such as `snapshots-2026-11-20.001.jsonl.gz`."""
    return f"{kind}-{day}.{number:03d}.jsonl.gz"


def parts_in(folder: Path) -> list[Part]:
    """Every part in a folder, by day, kind and number; other files are nobody's business. OSError as it comes."""
    found = (_part(path) for path in folder.iterdir())
    return sorted(part for part in found if part is not None)


def _part(path: Path) -> Part | None:
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    kind: Kind = "ticks" if match[1] == "ticks" else "snapshots"
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return None
    return Part(match[2], kind, int(match[3]), path, size)


def parts_of(path: Path, day: date | None = None) -> list[Part]:
    """The parts that a file or a folder stands for: of `day`, or of the newest day of a folder.

    RequestError when there is nothing to play, or not on that day.
    """
    try:
        if path.is_file():
            return [_part(path) or Part("", "snapshots", 1, path, path.stat().st_size)]
        found = parts_in(path)
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}.") from error
    days = sorted({part.day for part in found})
    if not days:
        raise RequestError(f"{path} holds no recording.", remedy="Give a folder that GEX_RECORD wrote to, or a file.")
    wanted = days[-1] if day is None else day.isoformat()
    if wanted not in days:
        raise RequestError(f"{path} holds no recording of {wanted}.", remedy=f"There are: {_few(days)}.")
    return [part for part in found if part.day == wanted]


def _few(days: Iterable[str]) -> str:
    *_, last = shown = list(days)[-5:]
    return ", ".join(shown) if len(shown) > 1 else last
