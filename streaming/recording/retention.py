"""Which days of a recording have to go so that it keeps within its bound. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from streaming.recording.parts import Part


@dataclass(frozen=True, slots=True)
class Clearance:
    """What to remove, and what is left then."""

    remove: tuple[Part, ...]
    left_bytes: int


def clearance(parts: Sequence[Part], *, room_bytes: int, keep: Collection[str]) -> Clearance:
    """Whole days, oldest first, until all parts fit `room_bytes`; never one of the days to `keep`."""
    left = sum(part.size for part in parts)
    removed: list[Part] = []
    for day in sorted({part.day for part in parts} - set(keep)):
        if left <= room_bytes:
            break
        of_day = [part for part in parts if part.day == day]
        removed += of_day
        left -= sum(part.size for part in of_day)
    return Clearance(tuple(removed), left)
