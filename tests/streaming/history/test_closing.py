from datetime import date, timedelta

import duckdb
import pytest
from msgspec.structs import replace

from streaming.bus.codec import encode_snapshot
from streaming.errors import OperatorError
from streaming.history.closing import DayClosing, read_recorded
from streaming.history.history_files import DayReport, HistoryFiles
from streaming.model import ReplayMark, ScopeFigures, WeightFigures
from streaming.recording.record_lines import parse_line, snapshot_line
from tests.support.history import DAY, SESSION, at, path, session_of
from tests.support.snapshots import snapshot

ISO = DAY.isoformat()
QUIET = path(("09:30", 6400.0), ("12:00", 6455.0), ("16:00", 6380.0), step_s=60)


def lines(snapshots):
    for seen in snapshots:
        yield parse_line(snapshot_line(seen.asof_ms + 200, encode_snapshot(seen)))


def close(files, snapshots, *, day=DAY, over=True):
    with DayClosing(files, day, over=over) as closing:
        closing.take(lines(snapshots), lambda _: None)
        return closing.finish()


@pytest.fixture
def files(tmp_path):
    return HistoryFiles(tmp_path / "history")


def select(query):
    return duckdb.sql(query).fetchall()


def test_every_snapshot_becomes_a_row_for_each_scope_and_weight(files):
    closed = close(files, session_of(QUIET))
    assert (closed.snapshots, closed.left_out, closed.graded) == (len(QUIET), 0, ["SPX"])
    place = files.parquet("levels", "SPX", ISO)
    assert select(f"SELECT count(*), count(DISTINCT asof_ms), min(ticker), min(day) FROM '{place}'") == [
        (2 * len(QUIET), len(QUIET), "SPX", DAY)
    ]
    (row,) = duckdb.sql(f"SELECT * FROM '{place}' WHERE weight = 'oi' LIMIT 1").fetchall()
    seen = dict(zip(duckdb.sql(f"SELECT * FROM '{place}'").columns, row, strict=True))
    assert seen["spot"] == 6400.0
    assert seen["net_gex_usd_per_1pct"] == 1.25e9
    assert seen["zero_gamma"] == 6385.5
    assert seen["call_wall_gross"] is None
    assert (seen["scope"], seen["published_scope"], seen["source"]) == ("full", "full", "test")


def test_the_report_has_rows_and_grades_and_is_never_written_again(files):
    close(files, session_of(QUIET))
    report = files.report("SPX", ISO)
    assert [(row.weight, row.spot.high) for row in report.rows] == [("oi", 6455.0), ("vol", 6455.0)]
    walls = {grade.weight: grade for grade in report.grades if grade.level == "call_wall"}
    assert walls["oi"].held is True
    assert walls["oi"].frozen_ms == at("09:35")
    again = close(files, session_of(path(("09:30", 9000.0), ("16:00", 9100.0), step_s=300)))
    assert again.graded == []
    assert files.report("SPX", ISO) == report


def test_the_session_before_lends_its_high_and_low(files):
    thursday = DAY - timedelta(days=1)
    earlier = [replace(seen, asof_ms=seen.asof_ms - 86_400_000) for seen in session_of(QUIET)]
    close(files, earlier, day=thursday)
    close(files, session_of(QUIET))
    prices = {grade.level: grade.price for grade in files.report("SPX", ISO).grades}
    assert (prices["previous_high"], prices["previous_low"]) == (6455.0, 6380.0)
    assert "previous_high" not in {grade.level for grade in files.report("SPX", thursday.isoformat()).grades}


def test_a_day_that_is_not_over_has_no_report_yet(files):
    close(files, session_of(QUIET[:200]), over=False)
    assert files.parquet("levels", "SPX", ISO).exists()
    assert files.report("SPX", ISO) is None


def test_a_day_without_a_session_has_rows_of_levels_and_no_report(files):
    saturday = date(2026, 11, 21)
    close(files, [replace(snapshot(), asof_ms=at("12:00", saturday))], day=saturday)
    assert files.parquet("levels", "SPX", "2026-11-21").exists()
    assert files.report("SPX", "2026-11-21") is None


def test_a_day_closed_again_takes_what_is_new_of_it_once(files):
    close(files, session_of(QUIET[:150]))
    close(files, session_of(QUIET[100:]))
    place = files.parquet("levels", "SPX", ISO)
    assert select(f"SELECT count(*), count(DISTINCT asof_ms) FROM '{place}'") == [(2 * len(QUIET), len(QUIET))]
    rows = [row[0] for row in select(f"SELECT asof_ms FROM '{place}' WHERE weight = 'oi'")]
    assert rows == sorted(rows)


def test_one_quote_time_counts_once(files):
    seen = snapshot(asof=SESSION.open_at)
    closed = close(files, [seen, seen, replace(seen, spot=1.0)])
    assert (closed.snapshots, closed.left_out) == (1, 2)


@pytest.mark.parametrize(
    "changes",
    [{"source": "simulated"}, {"source": "file:2022-05-20"}, {"replay": ReplayMark(of="x", speed=1.0, sent_ms=1)},
     {"asof_ms": at("12:00", date(2026, 11, 19))}],
)  # fmt: skip
def test_what_is_made_up_played_or_of_another_day_is_left_out(files, changes):
    closed = close(files, [replace(snapshot(asof=SESSION.open_at), **changes)])
    assert (closed.snapshots, closed.left_out) == (0, 1)
    assert files.parquet_files() == []


def test_ladders_and_profiles_become_curves(files):
    ladder, profile = ((6390.0, 1e9, -1e9), (6400.0, 2e9, 3e9)), ((6300.0, -2e9, -1e9),)
    curves = ScopeFigures(ladder=ladder, profile=profile, oi=WeightFigures(zero_gamma=1.0))
    close(files, [replace(seen, scopes={"full": curves}) for seen in session_of(QUIET[:2])])
    place = files.parquet("curves", "SPX", ISO)
    assert select(f"SELECT scope, curve, price, vol, oi FROM '{place}' WHERE asof_ms = {at('09:30')}") == [
        ("full", "ladder", 6390.0, 1e9, -1e9),
        ("full", "ladder", 6400.0, 2e9, 3e9),
        ("full", "profile", 6300.0, -2e9, -1e9),
    ]
    assert select(f"SELECT count(*) FROM '{place}'") == [(6,)]


def test_a_recording_beside_the_journal_adds_its_curves_and_nothing_is_counted_twice(files):
    figures = {"full": replace(snapshot().scopes["full"], ladder=((6400.0, 1.0, 2.0),))}
    lean, whole = session_of(QUIET[:3]), session_of(QUIET[:3], scopes=figures)
    closed = close(files, [one for both in zip(lean, whole, strict=True) for one in both])
    assert (closed.snapshots, closed.left_out) == (3, 0)
    assert select(f"SELECT count(*) FROM '{files.parquet('curves', 'SPX', ISO)}'") == [(3,)]
    assert select(f"SELECT count(*) FROM '{files.parquet('levels', 'SPX', ISO)}'") == [(6,)]


def test_a_spoilt_table_is_a_sentence_that_names_it_and_stays(files):
    place = files.parquet("levels", "SPX", ISO)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"spoilt")
    with pytest.raises(OperatorError, match=r"2026-11-20\.parquet cannot be written") as caught:
        close(files, session_of(QUIET[:2]))
    assert "move the file away" in caught.value.remedy
    assert place.read_bytes() == b"spoilt"
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_without_ladders_there_is_no_file_of_curves(files):
    close(files, session_of(QUIET[:2]))
    assert [file.table for file in files.parquet_files()] == ["levels"]


def test_another_producers_classic_figures_are_rows_of_their_own_scope(files):
    close(files, [replace(seen, scopes={}, scope=None) for seen in session_of(QUIET[:1])])
    place = files.parquet("levels", "SPX", ISO)
    found = select(f"SELECT scope, weight, call_wall, ladder_split, zero_gamma FROM '{place}'")
    assert sorted(found) == [(None, "oi", 6500.0, None, None), (None, "vol", 6450.0, 6380.0, None)]


def test_a_line_that_is_no_snapshot_is_counted(files):
    with DayClosing(files, DAY, over=True) as closing:
        closing.take(
            [parse_line(b'{"at":1,"snapshot":{"x":1}}\n'), parse_line(b'{"at":1,"id":"1-0","tick":{}}\n')], print
        )
        closed = closing.finish()
    assert (closed.snapshots, closed.left_out) == (0, 1)


def test_nothing_half_done_is_left_when_a_closing_breaks(files):
    def breaking():
        yield from lines(session_of(QUIET[:2]))
        raise RuntimeError

    with pytest.raises(RuntimeError), DayClosing(files, DAY, over=True) as closing:
        closing.take(breaking(), lambda _: None)
    assert [path for path in files.root.rglob("*") if path.is_file()] == []


def test_a_ticker_with_odd_characters_stays_inside_the_folder(files):
    for name in ("..", "BRK.B", "a/b"):
        close(files, [replace(snapshot(asof=SESSION.open_at), ticker=name)])
    assert sorted(file.ticker for file in files.parquet_files()) == ["..", "A.B", "BRK.B"]
    assert all(files.root in file.path.resolve().parents for file in files.parquet_files())


def test_values_of_our_own_shape_are_bounded_without_looking_at_every_cell():
    odd = ScopeFigures(ladder=((1e300, 1.0, 1.0),), oi=WeightFigures(zero_gamma=1e300, call_wall=6400.0))
    seen, curves = read_recorded(encode_snapshot(replace(snapshot(), scopes={"full": odd, "none": odd})), at_ms=1)
    assert seen.scopes["full"].oi == WeightFigures(call_wall=6400.0)
    assert list(curves) == ["full"]


def test_reports_survive_a_file_that_is_none(files, caplog):
    files.add_report(DayReport(ticker="SPX", day="2026-11-19"))
    (files.root / "days" / "SPX" / "2026-11-20.json").write_text("{")
    assert [report.day for report in files.reports("SPX")] == ["2026-11-19"]
    assert "is no report" in caplog.text
