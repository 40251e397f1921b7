"""Lines that wait for the disk, within a bound; what does not fit is counted and becomes a gap. Pure."""

from typing import Final

from streaming.recording.lines import Gap, gap_line
from streaming.recording.parts import KINDS, Kind
from streaming.recording.writer import PartKey

MAX_BYTES: Final = 64 << 20


class LineBuffer:
    """Takes lines in order and hands them over all at once."""

    def __init__(self, *, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._lines: dict[PartKey, list[bytes]] = {}
        self._size = 0
        self._overflow: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        self._days: dict[Kind, str] = {}
        self.gaps = 0
        self.lost = 0

    @property
    def crowded(self) -> bool:
        """Whether a source that can wait should."""
        return self._size > self._max_bytes // 2

    def add(self, kind: Kind, day: str, line: bytes) -> bool:
        """Keep a line; False when there is no room."""
        if self._size + len(line) > self._max_bytes:
            self._overflow[kind] += 1
            return False
        self._days[kind] = day
        self._lines.setdefault((kind, day), []).append(line)
        self._size += len(line)
        return True

    def add_gap(self, at_ms: int, day: str, gap: Gap) -> None:
        """Say that something is missing: in the part that the last line of that kind went to, or in that of `day`."""
        kind: Kind = "ticks" if gap.of == "ticks" else "snapshots"
        self.gaps += 1
        self.lost += gap.lost or 0
        self._lines.setdefault((kind, self._days.get(kind, day)), []).append(gap_line(at_ms, gap))

    def take(self, at_ms: int, day: str) -> dict[PartKey, list[bytes]]:
        """Everything kept since the last time, with a line for what did not fit."""
        for kind, count in self._overflow.items():
            if count:
                self.add_gap(at_ms, day, Gap(of=kind, reason="the disk was too slow", lost=count))
        self._overflow = dict.fromkeys(KINDS, 0)
        taken, self._lines, self._size = self._lines, {}, 0
        return taken
