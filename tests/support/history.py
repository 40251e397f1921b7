"""Sessions made up for tests: a path of spot, and snapshots of our own shape along it."""

from datetime import date, datetime, time, timedelta
from itertools import pairwise

from msgspec.structs import replace

from streaming.bus.codec import encode_snapshot
from streaming.calendar import NEW_YORK, next_session, session_on
from streaming.clock import epoch_ms
from streaming.history.closing import DayClosing
from streaming.history.day_rows import Course, DayRow
from streaming.history.grades import Grade, SpotAt
from streaming.history.history_files import DayReport, HistoryFiles
from streaming.recording.record_lines import parse_line, snapshot_line
from streaming.recording.writer import RecordWriter
from tests.support.snapshots import snapshot

DAY = date(2026, 11, 20)
SESSION = session_on(DAY)


def at(text, day=DAY):
    """The instant of a New York hour such as 09:35 or 09:35:30, in ms."""
    return epoch_ms(datetime.combine(day, time.fromisoformat(text), NEW_YORK))


def path(*places, step_s=5, day=DAY):
    """Spot on straight lines through (hour, price), one value every `step_s`."""
    legs = [
        SpotAt(ms, first + (last - first) * (ms - at(begin, day)) / (at(end, day) - at(begin, day)))
        for (begin, first), (end, last) in pairwise(places)
        for ms in range(at(begin, day), at(end, day), step_s * 1000)
    ]
    return [*legs, SpotAt(at(places[-1][0], day), places[-1][1])]


def session_of(spots, *, day=DAY, **fields):
    """A snapshot of our own engine's shape for each of a path."""
    begun = datetime.combine(day, time(9, 30), NEW_YORK)
    for number, seen in enumerate(spots):
        asof = begun + timedelta(milliseconds=seen.at_ms - epoch_ms(begun))
        yield replace(snapshot("SPX", asof=asof, seq=number + 1, spot=seen.spot), **fields)


def closed_days(folder, paths, **fields):
    """A history of SPX: a closed session for each day and its path of spot."""
    files = HistoryFiles(folder / "history")
    for day, spots in paths.items():
        seen = session_of(spots, day=day, **fields)
        lines = (parse_line(snapshot_line(one.asof_ms + 200, encode_snapshot(one))) for one in seen)
        with DayClosing(files, day, over=True) as closing:
            closing.take(lines, lambda _: None)
            closing.finish()
    return files


def recorded(folder, snapshots):
    """What a recorder would have written of them."""
    lines = [snapshot_line(seen.asof_ms + 200, encode_snapshot(seen)) for seen in snapshots]
    with RecordWriter(folder, max_mb=100) as writer:
        writer.write({("snapshots", DAY.isoformat()): lines})
    return folder


def day_row(day="2026-11-20", *, close=6400.0, net=1e9, **changes):
    """A whole session's row by open interest."""
    same = Course(close, close, close, close)
    fields = {"ticker": "SPX", "day": day, "scope": "full", "weight": "oi", "published": True, "source": "schwab"}
    fields |= {"snapshots": 23400, "first_ms": 1, "last_ms": 2, "whole": True, "realised_range_pct": 0.8, "spot": same}
    places = {"zero_gamma": -50.0, "call_wall": 100.0, "put_wall": -100.0}
    levels = {name: Course(*[close + far] * 4) for name, far in places.items()}
    figures = {
        "net_gex": Course(net, net, net, net),
        "gross_gex": Course(*[9e9] * 4),
        "distance_pct": Course(*[0.5] * 4),
    }
    return DayRow(**(fields | levels | figures | changes))


def graded(day="2026-11-20", *, level="call_wall", weight="oi", held=True, touched=True, **changes):
    """A level's grade."""
    fields = {"ticker": "SPX", "day": day, "level": level, "weight": weight, "scope": "full" if weight else None}
    fields |= {"price": 6450.0, "spot": 6400.0, "frozen_ms": 1, "source": "schwab"}
    if touched:
        broke_ms = None if held else 1_000_000 + 600_000
        fields |= {"touched_ms": 1_000_000, "held": held, "broke_ms": broke_ms, "beyond_pct": 0.04, "back_pct": 0.21}
    return Grade(**(fields | changes))


def reports(count, *, begin=date(2026, 9, 1), rows=day_row, grades=lambda day, number: ()):
    """Of that many sessions in a row; `rows` and `grades` make what is in each."""
    day, found = begin, []
    for number in range(count):
        day = next_session(day).date
        iso = day.isoformat()
        made = {"rows": (rows(iso, net=(number + 1) * 1e8),), "grades": tuple(grades(iso, number))}
        found.append(DayReport(ticker="SPX", day=iso, **made))
    return found
