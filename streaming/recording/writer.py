"""Lines onto the disk: each batch as a gzip member of its own at the end of a private file, forced to the disk.

A kill at any instant leaves whole members and at most one torn one at the end of a part. The next process cuts
that off, since `zcat` stops at one, and begins a part of the next number.
"""

import errno
import logging
import os
import zlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from streaming.errors import OperatorError
from streaming.process.packed import GZIP_WINDOW
from streaming.process.private_files import PRIVATE_BYTES, settle, take_lock
from streaming.recording.recording_files import Kind, Part, part_name, parts_in

_LOG: Final = logging.getLogger(__name__)
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_FILE_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700
_POSITION: Final = "ticks.position"
_MEGABYTE: Final = 1_000_000
PartKey = tuple[Kind, str]
"""(kind, ISO date)."""


class FolderTakenError(OperatorError):
    """Another process records into the folder."""


class RecordWriter:
    """Writes the parts of one folder, alone; a context manager. All methods block: call them from a thread.

    OperatorError when the folder belongs to another writer or cannot be written, when the disk is full, and
    when `max_mb` is reached though nothing but the days being written is left.
    """

    def __init__(self, folder: Path, *, max_mb: int, settings: str = "GEX_RECORD") -> None:
        """`settings` is how the names of those begin that a remedy names."""
        self.folder = folder
        self._settings = settings
        self._max_bytes = max_mb * _MEGABYTE
        self._lock: int | None = None
        self._parts: dict[PartKey, Path] = {}
        self.left_at: dict[PartKey, int] = {}
        """When earlier writers wrote last, in ms."""
        self.total_bytes = 0
        """Of all recordings in the folder."""
        self.written_bytes = 0
        """By this writer."""

    def __enter__(self) -> Self:
        try:
            self.folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            self._lock = os.open(self.folder / "recorder.lock", os.O_RDWR | os.O_CREAT | PRIVATE_BYTES, _FILE_MODE)
            self._take_lock(self._lock)
            self._mend()
            self.total_bytes = sum(part.size for part in parts_in(self.folder))
        except OSError as error:
            self._drop_lock()
            raise self._refused(error) from error
        except OperatorError:
            self._drop_lock()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._drop_lock()

    def write(self, batch: Mapping[PartKey, Sequence[bytes]], *, today: Collection[str] = ()) -> int:
        """Append each list of lines to its part and force it to the disk; the bytes that took.

        `today` names days to keep besides those that are written.
        """
        before = self.written_bytes
        for key, lines in batch.items():
            if lines:
                self._append(key, pack(b"".join(lines)), today)
        return self.written_bytes - before

    def remove(self, parts: Sequence[Part]) -> None:
        """Remove parts that have not grown since; the others stay."""
        try:
            for part in parts:
                if part.path.stat().st_size == part.size:
                    part.path.unlink()
                    self._parts = {key: path for key, path in self._parts.items() if path != part.path}
                    self.total_bytes -= part.size
        except OSError as error:
            raise self._refused(error) from error

    def save_position(self, position: bytes) -> None:
        """Remember how far the tick stream was read; a lost one only means that some ticks are written twice."""
        fresh = self.folder / f"{_POSITION}.new"
        try:
            fresh.touch(mode=_FILE_MODE)
            fresh.write_bytes(position)
            fresh.replace(self.folder / _POSITION)
        except OSError as error:
            raise self._refused(error) from error

    def position(self) -> bytes | None:
        """What `save_position` saved last, or None."""
        try:
            return (self.folder / _POSITION).read_bytes()
        except OSError:
            return None

    def _mend(self) -> None:
        newest = {(part.kind, part.day): part for part in parts_in(self.folder)}
        self.left_at = {key: part.path.stat().st_mtime_ns // 1_000_000 for key, part in newest.items()}
        for part in newest.values():
            cut = cut_torn_end(part.path)
            if cut:
                _LOG.warning("%s ended in the middle of a write; %d bytes of it were cut off", part.path.name, cut)

    def _append(self, key: PartKey, member: bytes, today: Collection[str]) -> None:
        self._make_room(len(member), {*today, key[1]})
        try:
            handle = self._open(key)
            try:
                self._write_whole(handle, member)
            finally:
                os.close(handle)
        except OSError as error:
            raise self._refused(error) from error
        self.total_bytes += len(member)
        self.written_bytes += len(member)

    def _open(self, key: PartKey) -> int:
        path = self._parts.get(key)
        if path is not None:
            return os.open(path, os.O_WRONLY | os.O_APPEND | PRIVATE_BYTES | os.O_CREAT, _FILE_MODE)
        kind, day = key
        numbers = [part.number for part in parts_in(self.folder) if (part.kind, part.day) == key]
        path = self.folder / part_name(kind, day, max(numbers, default=0) + 1)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | PRIVATE_BYTES | os.O_CREAT | os.O_EXCL, _FILE_MODE)
        self._parts[key] = path
        settle(self.folder)
        return handle

    def _write_whole(self, handle: int, member: bytes) -> None:
        """All of it or, when the disk refuses, nothing of it."""
        size = os.fstat(handle).st_size
        left = memoryview(member)
        try:
            while left:
                left = left[os.write(handle, left) :]
            os.fsync(handle)
        except OSError:
            with suppress(OSError):
                os.ftruncate(handle, size)
            raise

    def _make_room(self, wanted: int, keep: Collection[str]) -> None:
        if self.total_bytes + wanted <= self._max_bytes:
            return
        try:
            found = clearance(parts_in(self.folder), room_bytes=self._max_bytes - wanted, keep=keep)
            for part in found.remove:
                part.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._refused(error) from error
        days = sorted({part.day for part in found.remove})
        if days:
            _LOG.info("the recording of %s was removed to keep within %s_MAX_MB", ", ".join(days), self._settings)
        self.total_bytes = found.left_bytes
        if found.left_bytes + wanted > self._max_bytes:
            most_mb = self._max_bytes // _MEGABYTE
            raise OperatorError(
                f"Recording stopped: today alone fills the {most_mb} MB that {self.folder} may hold.",
                remedy=f"Raise {self._settings}_MAX_MB, then restart; what was recorded is intact.",
            )

    def _take_lock(self, handle: int) -> None:
        try:
            take_lock(handle)
        except BlockingIOError:
            holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
            raise FolderTakenError(
                f"Another process{f' ({holder})' if holder else ''} records into {self.folder} already.",
                remedy=f"Stop that one, or set {self._settings}_PATH to another folder.",
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)

    def _drop_lock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _refused(self, error: OSError) -> OperatorError:
        if error.errno in _FULL:
            return OperatorError(
                f"Recording stopped: the disk under {self.folder} is full.",
                remedy=f"Free some, or set {self._settings}_PATH to another disk, then restart; "
                "what was recorded is intact.",
            )
        return OperatorError(
            f"Recording into {self.folder} failed: {error.strerror or type(error).__name__}.",
            remedy=f"Correct the folder's owner or mode, or set {self._settings}_PATH to another folder, then restart.",
        )


_WINDOW: Final = 1 << 20
_LEVEL: Final = 6


def pack(data: bytes) -> bytes:
    """One gzip member, the same bytes for the same data."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, GZIP_WINDOW)
    return packer.compress(data) + packer.flush()


_HEADER: Final = pack(b"")[:8]
"""How every member begins: magic number, method, no flags, no time."""


def cut_torn_end(path: Path) -> int:
    """Shorten a part to its last whole member, so that `zcat` reads past it; the bytes cut. OSError as it comes.

    Only what was never acknowledged as written is lost. A file that holds no member of ours is left as it is.
    """
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        window = _WINDOW
        while True:
            begin = max(size - window, 0)
            file.seek(begin)
            whole = _whole(file.read())
            if whole is not None:
                break
            if begin == 0:
                return 0
            window *= 4
        end = begin + whole
        if end < size:
            file.truncate(end)
            os.fsync(file.fileno())
        return size - end


def _whole(tail: bytes) -> int | None:
    """How many bytes of a part's tail are whole members; None when not even the beginning of one is in it."""
    at = tail.rfind(_HEADER)
    while at >= 0:
        unpacker = zlib.decompressobj(GZIP_WINDOW)
        try:
            unpacker.decompress(tail[at:])
        except zlib.error:
            at = tail.rfind(_HEADER, 0, at)
            continue
        return len(tail) - len(unpacker.unused_data) if unpacker.eof else at
    return None


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
