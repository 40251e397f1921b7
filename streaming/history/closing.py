"""A day becomes history: recorded snapshots into Parquet, the day's rows, and the grades of its morning's levels."""

import heapq
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Final, Self

from streaming.bus.codec import decode_snapshot
from streaming.bus.mishaps import breaching
from streaming.bus.snapshots.classic import MOST_BYTES, parse_snapshot
from streaming.bus.snapshots.history_entry import market_day
from streaming.bus.snapshots.sound import sound
from streaming.calendar import TradingSession, latest_session, new_york, session_on
from streaming.clock import epoch_ms
from streaming.errors import ContractError, OperatorError
from streaming.history.day_rows import DayFold
from streaming.history.grades import AFTER_CLOSE, FrozenLevel, SpotAt, freezes, frozen_levels, grade
from streaming.history.history_files import DayReport, HistoryFiles
from streaming.history.tables import CURVE_POINTS, LEVELS, CurvePoints, LevelRows, ParquetDay
from streaming.model import GexSnapshot, ScopeFigures, is_made_up
from streaming.recording.reader import ReadCounts, read_parts
from streaming.recording.record_lines import RecordedLine, levels_only
from streaming.recording.recording_files import Part

_MOST_TICKERS: Final = 256
_NO_CURVES: Final[dict[str, ScopeFigures]] = {}


@dataclass(slots=True)
class Closed:
    """What became of a day's lines."""

    day: str
    snapshots: int = 0
    left_out: int = 0
    """Played, made up, of another day, of a ticker too many, of a quote time that was there, or no snapshots.

    One that only adds its ladders and profiles to a quote time counts nowhere.
    """
    graded: list[str] = field(default_factory=list)
    """Tickers whose report was written now."""


def close_day(
    files: HistoryFiles, day: date, parts: Sequence[Part], progress: Callable[[float], None], *, now: datetime
) -> Closed:
    """Write what is recorded of a day, perhaps in several folders; it is graded when its session is over by `now`.

    `progress` hears how much of the session is done, 0 to 1. OperatorError where it cannot be written.
    """
    session = session_on(day)
    begin, end = (0, 1) if session is None else (epoch_ms(session.open_at), epoch_ms(session.close_at))
    over = session is not None and new_york(now) >= session.close_at + AFTER_CLOSE
    folders = [list(group) for _, group in groupby(parts, key=lambda part: part.path.parent)]
    try:
        with DayClosing(files, day, over=over) as closing:
            lines = heapq.merge(*(read_parts(own, ReadCounts()) for own in folders), key=attrgetter("at"))
            closing.take(lines, lambda asof_ms: progress(min(max((asof_ms - begin) / (end - begin), 0.0), 1.0)))
            return closing.finish()
    except OSError as error:
        raise OperatorError(f"The history of {day} cannot be written: {error.strerror}.") from error


class DayClosing:
    """Takes the lines of one day; `finish` writes them. A context manager that leaves nothing half done.

    A day that was closed before takes what is new of it; its report stays as it is. OSError as it comes.
    """

    def __init__(self, files: HistoryFiles, day: date, *, over: bool) -> None:
        """`over` is whether the session has ended, so that it can be graded."""
        self._files = files
        self._day = day
        self._session = session_on(day) if over else None
        self._open = ExitStack()
        self._tickers: dict[str, _TickerDay] = {}
        self.closed = Closed(day.isoformat())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def take(self, lines: Iterable[RecordedLine], progress: Callable[[int], None]) -> None:
        """Lines in order of their arrival; `progress` hears the quote time of each."""
        for line in lines:
            payload = bytes(line.snapshot)
            if not payload:
                continue
            try:
                snapshot, curves = read_recorded(payload, at_ms=line.at)
            except ContractError:
                self.closed.left_out += 1
                continue
            progress(snapshot.asof_ms)
            known = self._ticker_day(snapshot) if self._wants(snapshot) else None
            has_curves = known is not None and known.add_curves(snapshot.asof_ms, curves)
            if known is not None and known.add(snapshot):
                self.closed.snapshots += 1
            elif not has_curves:
                self.closed.left_out += 1

    def finish(self) -> Closed:
        """Write tables and reports; what was written."""
        for name, ticker in sorted(self._tickers.items()):
            ticker.finish()
            if self._session is not None and self._report(name, ticker, self._session):
                self.closed.graded.append(name)
        return self.closed

    def _wants(self, snapshot: GexSnapshot) -> bool:
        is_real = snapshot.replay is None and not is_made_up(snapshot.source)
        return is_real and market_day(snapshot.asof_ms) == self.closed.day

    def _ticker_day(self, snapshot: GexSnapshot) -> "_TickerDay | None":
        name = snapshot.ticker
        if name not in self._tickers and len(self._tickers) < _MOST_TICKERS:
            self._tickers[name] = self._open.enter_context(_TickerDay(self._files, name, self._day, self._session))
        return self._tickers.get(name)

    def _report(self, name: str, ticker: "_TickerDay", session: TradingSession) -> bool:
        rows = ticker.fold.rows() if ticker.fold is not None else ()
        if not rows:
            return False
        previous = self._files.report(name, latest_session(session.open_at - timedelta(seconds=1)).isoformat())
        frozen = frozen_of(ticker.morning, session, previous)
        grades = tuple(grade(level, ticker.path, session) for level in frozen)
        return self._files.add_report(DayReport(ticker=name, day=self.closed.day, rows=rows, grades=grades))


class _TickerDay:
    """One ticker's day: rows on their way to the disk, and of the session only what rows and grades need."""

    def __init__(self, files: HistoryFiles, ticker: str, day: date, session: TradingSession | None) -> None:
        self._levels, self._curves = LevelRows(), CurvePoints()
        same = {"ticker": ticker, "day": day.isoformat()}
        self._level_table = ParquetDay(LEVELS, self._levels, **same, target=files.parquet("levels", **same))
        self._curve_table = ParquetDay(CURVE_POINTS, self._curves, **same, target=files.parquet("curves", **same))
        self._open = ExitStack()
        self._session = session
        self._last_ms = self._last_curve_ms = 0
        self.fold = None if session is None else DayFold(ticker, session)
        self.morning: GexSnapshot | None = None
        self.path: list[SpotAt] = []

    def __enter__(self) -> Self:
        self._open.enter_context(self._level_table)
        self._open.enter_context(self._curve_table)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def add(self, snapshot: GexSnapshot) -> bool:
        """Take a snapshot's levels unless its quote time has been there; whether it was new."""
        if snapshot.asof_ms <= self._last_ms:
            return False
        self._last_ms = snapshot.asof_ms
        self._levels.add(snapshot)
        self._follow(snapshot)
        self._level_table.spill()
        return True

    def add_curves(self, asof_ms: int, curves: dict[str, ScopeFigures]) -> bool:
        """The same of the curves of its scopes; False too where there are none."""
        if not curves or asof_ms <= self._last_curve_ms:
            return False
        self._last_curve_ms = asof_ms
        self._curves.add(asof_ms, curves)
        self._curve_table.spill()
        return True

    def finish(self) -> None:
        """Put the tables into place."""
        self._level_table.finish()
        self._curve_table.finish()

    def _follow(self, snapshot: GexSnapshot) -> None:
        if self._session is None or self.fold is None or snapshot.spot is None:
            return
        self.fold.add(snapshot)
        self.path.append(SpotAt(snapshot.asof_ms, snapshot.spot))
        if self.morning is None and freezes(snapshot, self._session):
            self.morning = snapshot


def frozen_of(
    morning: GexSnapshot | None, session: TradingSession, previous: DayReport | None
) -> tuple[FrozenLevel, ...]:
    """The levels of the snapshot that froze them, with the high and low of the session before."""
    if morning is None:
        return ()
    spot = previous.rows[0].spot if previous is not None and previous.rows else None
    return frozen_levels(morning, session, None if spot is None else (spot.high, spot.low))


def read_recorded(payload: bytes, *, at_ms: int) -> tuple[GexSnapshot, dict[str, ScopeFigures]]:
    """A recorded snapshot without its tables, and the scopes that have them; ContractError for what is none.

    Of our own shape only the small part is looked at value by value, which is most of the time of a day.
    """
    with breaching(payload):
        try:
            own = decode_snapshot(payload) if len(payload) <= MOST_BYTES else None
        except ContractError:
            own = None
        if own is None or not own.scopes:
            return parse_snapshot(payload, received_ms=at_ms), _NO_CURVES
        snapshot = sound(levels_only(own))
        return snapshot, {name: own.scopes[name] for name in snapshot.scopes if own.scopes[name].ladder}
