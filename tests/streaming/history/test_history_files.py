from pathlib import Path

import pytest

from streaming.errors import OperatorError, TransientError
from streaming.history.history_files import DayFile, DayReport, HistoryFiles, clearance


@pytest.fixture
def files(tmp_path):
    return HistoryFiles(tmp_path / "history")


def test_nothing_recorded_is_an_empty_history(files):
    assert files.parquet_files() == []
    assert files.tickers() == []
    assert files.reports("SPX") == []
    assert files.report("SPX", "2026-11-20") is None


def test_a_report_is_written_once_and_private(files):
    assert files.add_report(DayReport(ticker="SPX", day="2026-11-20"))
    assert not files.add_report(DayReport(ticker="SPX", day="2026-11-20", rows=()))
    (path,) = [path for path in files.root.rglob("*") if path.is_file()]
    assert path.stat().st_mode & 0o777 == 0o600
    assert files.root.stat().st_mode & 0o777 == 0o700


def test_reports_come_by_day(files):
    for day in ("2026-11-20", "2026-11-18", "2026-11-19"):
        files.add_report(DayReport(ticker="NQ_NDX", day=day))
    assert [report.day for report in files.reports("NQ_NDX")] == ["2026-11-18", "2026-11-19", "2026-11-20"]
    assert files.tickers() == ["NQ_NDX"]


def test_one_process_writes_at_a_time_and_clears_up_after_one_that_was_killed(files):
    left = files.root / "levels" / "SPX" / ".2026-11-20.parquet.77.0"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    with files.alone():
        assert not left.exists()
        with pytest.raises(TransientError, match="Another process writes"), HistoryFiles(files.root).alone():
            pass
    with files.alone():
        pass


def test_a_folder_that_cannot_be_used_is_a_sentence_with_a_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OperatorError, match="cannot be used") as caught:
        HistoryFiles(tmp_path / "file").add_report(DayReport(ticker="SPX", day="2026-11-20"))
    assert "GEX_HISTORY_PATH" in caught.value.remedy


def day_file(day, table="levels", size=10):
    return DayFile(day, "SPX", table, Path(f"{table}{day}"), size)


def test_the_oldest_curves_go_first_then_the_oldest_levels_and_never_the_newest_day():
    files = [day_file(f"2026-11-{n}", table) for n in (18, 19, 20) for table in ("levels", "curves")]
    assert clearance(files, most_bytes=60) == []
    gone = [(file.table, file.day[-2:]) for file in clearance(files, most_bytes=25)]
    assert gone == [("curves", "18"), ("curves", "19"), ("levels", "18"), ("levels", "19")]
    assert len(clearance(files, most_bytes=0)) == 4


def test_room_is_made_on_the_disk_and_reports_stay(files):
    for day in ("2026-11-19", "2026-11-20"):
        place = files.parquet("levels", "SPX", day)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(bytes(600_000))
        files.add_report(DayReport(ticker="SPX", day=day))
    assert [file.day for file in files.make_room(1)] == ["2026-11-19"]
    assert [file.day for file in files.parquet_files()] == ["2026-11-20"]
    assert len(files.reports("SPX")) == 2
