"""Where the history lies: a Parquet file per table, ticker and day, and one small report of each day that is kept.

    levels/SPX/2026-11-20.parquet    every snapshot's figures
    curves/SPX/2026-11-20.parquet    its ladders and profiles, where they were recorded
    days/SPX/2026-11-20.json         the day's rows and grades
    journal/                         what is not in Parquet yet, as `streaming.recording` writes it

Files are private, appear whole or not at all, and a report that is there is never written again.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote, unquote

import msgspec

from streaming.clock import date_of
from streaming.errors import UNREADABLE, OperatorError, TransientError
from streaming.history.day_rows import DayRow
from streaming.history.grades import Grade
from streaming.process.private_files import PRIVATE_BYTES, fresh_file, open_folder, settle, take_lock

_LOG: Final = logging.getLogger(__name__)
TableName = Literal["levels", "curves"]
TABLES: Final[tuple[TableName, ...]] = ("levels", "curves")
_FILE_MODE: Final = 0o600
_MEGABYTE: Final = 1_000_000


class DayReport(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a session for ever."""

    ticker: str
    day: str
    """ISO date in New York."""
    rows: tuple[DayRow, ...] = ()
    grades: tuple[Grade, ...] = ()
    """Empty where no snapshot froze the morning's levels."""


_REPORT: Final = msgspec.json.Decoder(DayReport)


@dataclass(frozen=True, slots=True, order=True)
class DayFile:
    """A Parquet file of the history."""

    day: str
    ticker: str
    table: TableName
    path: Path
    size: int


class HistoryFiles:
    """The folder `root`. All methods block; OperatorError where it cannot be read or written."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While no other process writes here; what one that was killed left half done is removed.

        TransientError while another one does.
        """
        with _refusing(self.root):
            open_folder(self.root)
            lock = os.open(self.root / "history.lock", os.O_RDWR | os.O_CREAT | PRIVATE_BYTES, _FILE_MODE)
        try:
            try:
                take_lock(lock)
            except BlockingIOError:
                raise TransientError(f"Another process writes into {self.root}.", remedy="Try again later.") from None
            with _refusing(self.root):
                for left in self.root.glob("*/*/.*"):
                    left.unlink(missing_ok=True)
            yield
        finally:
            os.close(lock)

    @property
    def journal(self) -> Path:
        """The folder of the recorder that keeps the levels of the days that are not closed."""
        return self.root / "journal"

    def parquet(self, table: TableName, ticker: str, day: str) -> Path:
        """The place of a day's table."""
        return self.root / table / _folder_name(ticker) / f"{day}.parquet"

    def parquet_files(self) -> list[DayFile]:
        """Every day's table there is, oldest first."""
        with _refusing(self.root):
            return sorted(found for table in TABLES for found in self._of_table(table))

    def _of_table(self, table: TableName) -> Iterator[DayFile]:
        for path in (self.root / table).glob("*/*.parquet"):
            if date_of(path.stem) is not None:
                yield DayFile(path.stem, _ticker_name(path.parent), table, path, path.stat().st_size)

    def tickers(self) -> list[str]:
        """Those with a report of any day."""
        with _refusing(self.root):
            return sorted(_ticker_name(folder) for folder in (self.root / "days").glob("*") if folder.is_dir())

    def days(self) -> list[str]:
        """Those with a report of any ticker, oldest first."""
        with _refusing(self.root):
            found = {path.stem for path in (self.root / "days").glob("*/*.json")}
        return sorted(day for day in found if date_of(day) is not None)

    def report(self, ticker: str, day: str) -> DayReport | None:
        """Of one day; None when there is none that can be read."""
        path = self._report_path(ticker, day)
        try:
            return _REPORT.decode(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refused(self.root, error) from error
        except UNREADABLE:
            _LOG.warning("%s is no report of a day; it is left out", path)
            return None

    def reports(self, ticker: str) -> list[DayReport]:
        """Of all days, oldest first."""
        with _refusing(self.root):
            days = sorted(path.stem for path in (self.root / "days" / _folder_name(ticker)).glob("*.json"))
        found = [self.report(ticker, day) for day in days if date_of(day) is not None]
        return [report for report in found if report is not None]

    def add_report(self, report: DayReport) -> bool:
        """Keep it for ever; False, and nothing is changed, when there is one of that day."""
        path = self._report_path(report.ticker, report.day)
        with _refusing(self.root):
            open_folder(path.parent)
            with fresh_file(path) as fresh:
                fresh.write_bytes(msgspec.json.encode(report))
                try:
                    settle(fresh)
                    path.hardlink_to(fresh)
                except FileExistsError:
                    return False
            settle(path.parent)
        return True

    def make_room(self, most_mb: int) -> list[DayFile]:
        """Remove the oldest tables until they fit, curves before levels; what was removed. Reports stay."""
        found = self.parquet_files()
        doomed = clearance(found, most_bytes=most_mb * _MEGABYTE)
        with _refusing(self.root):
            for file in doomed:
                file.path.unlink(missing_ok=True)
        return doomed

    def _report_path(self, ticker: str, day: str) -> Path:
        return self.root / "days" / _folder_name(ticker) / f"{day}.json"


def clearance(files: Sequence[DayFile], *, most_bytes: int) -> list[DayFile]:
    """What has to go: curves first, each oldest first, and never anything of the newest day."""
    left = sum(file.size for file in files)
    newest = max((file.day for file in files), default="")
    doomed: list[DayFile] = []
    for file in sorted(files, key=lambda file: (-TABLES.index(file.table), file.day)):
        if left <= most_bytes:
            break
        if file.day < newest:
            doomed.append(file)
            left -= file.size
    return doomed


@contextmanager
def _refusing(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _refused(root, error) from error


def _refused(root: Path, error: OSError) -> OperatorError:
    return OperatorError(
        f"The history in {root} cannot be used: {error.strerror or type(error).__name__}.",
        remedy="Correct its owner, its mode or the space on its disk, or set GEX_HISTORY_PATH to another folder.",
    )


def _folder_name(ticker: str) -> str:
    """One component of a path, whatever a producer calls its ticker."""
    return quote(ticker, safe="").replace(".", "%2E")


def _ticker_name(folder: Path) -> str:
    return unquote(folder.name)
