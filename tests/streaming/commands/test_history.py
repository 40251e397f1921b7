import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streaming.bus import keys
from streaming.bus.codec import decode_snapshot
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.commands.cli import main
from streaming.commands.history import take_in
from streaming.history.history_files import HistoryFiles
from streaming.recording.reader import ReadCounts, read_parts
from streaming.recording.recording_files import parts_in
from tests.support.history import DAY, closed_days, path, recorded, session_of
from tests.support.snapshots import ASOF, snapshot

ISO = DAY.isoformat()
ROOT = Path(__file__).resolve().parents[3]
LATER = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    spots = path(("09:30", 6400.0), ("16:00", 6455.0), step_s=600)
    return closed_days(tmp_path_factory.mktemp("history"), {DAY: spots}).root


def history(root, *arguments):
    return main(["history", "--path", str(root), *arguments])


def test_without_an_action_it_says_what_there_is(root, tmp_path, capsys):
    assert history(root) == 0
    assert capsys.readouterr().out.startswith(f"SPX: 1 day, {ISO} to {ISO}, 0.0 MB, 1 graded")
    assert history(tmp_path) == 0
    assert "holds no history yet" in capsys.readouterr().out


def test_a_question_is_answered_as_a_table_and_as_csv(root, capsys):
    question = "SELECT ticker, spot_close, whole FROM days WHERE weight = 'oi'"
    assert history(root, "sql", question) == 0
    assert capsys.readouterr().out.splitlines() == ["ticker  spot_close  whole", "SPX     6455        True"]
    assert history(root, "sql", "--csv", question) == 0
    assert capsys.readouterr().out.splitlines() == ["ticker,spot_close,whole", "SPX,6455.0,True"]


def test_a_long_answer_says_that_it_is_cut(root, capsys):
    assert history(root, "sql", "SELECT * FROM range(1001)") == 0
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 1001
    assert "Only the first 1000 rows" in shown.err


def test_what_is_no_question_ends_with_65_and_a_sentence(root, capsys):
    assert history(root, "sql", "DROP TABLE days") == 65
    assert "one SELECT" in capsys.readouterr().err


def test_a_view_is_exported(root, tmp_path, capsys):
    target = tmp_path / "grades.csv"
    assert history(root, "export", "grades", "--csv", str(target), "--tickers", "spx", "--from", ISO, "--to", ISO) == 0
    assert target.read_text().startswith("ticker,day,level,weight,scope,price,spot,")
    assert "rows in" in capsys.readouterr().err
    assert history(root, "export", "days", "--csv", str(tmp_path / "no" / "x.csv")) == 70


def test_old_recordings_are_taken_in_day_by_day(tmp_path, capsys):
    folder = recorded(tmp_path / "old", session_of(path(("09:30", 6400.0), ("16:00", 6455.0), step_s=600)))
    assert history(tmp_path / "new", "import", str(folder)) == 0
    assert capsys.readouterr().err == f"{ISO}: 40 snapshots; graded: SPX.\n"
    assert history(tmp_path / "new", "import", str(folder)) == 0
    assert capsys.readouterr().err == f"{ISO}: 40 snapshots.\n"
    assert history(tmp_path / "new", "import", str(tmp_path)) == 65


def test_how_far_an_import_is_gets_told_over_all_its_days(tmp_path):
    folder = recorded(tmp_path / "old", session_of(path(("09:30", 6400.0), ("16:00", 6455.0), step_s=600)))
    told = []
    assert len(list(take_in(HistoryFiles(tmp_path / "new"), [folder], told.append, now=LATER))) == 1
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_day_that_is_not_over_is_not_graded(tmp_path):
    folder = recorded(tmp_path / "old", session_of(path(("09:30", 6400.0), ("16:00", 6455.0), step_s=600)))
    early = datetime(2026, 11, 20, 21, 29, tzinfo=UTC)
    files = HistoryFiles(tmp_path / "new")
    assert [closed.graded for closed in take_in(files, [folder], lambda _: None, now=early)] == [[]]
    late = early + timedelta(minutes=1)
    assert [closed.graded for closed in take_in(files, [folder], lambda _: None, now=late)] == [["SPX"]]


def test_closing_a_day_makes_room(tmp_path):
    files = closed_days(tmp_path, {DAY: path(("09:30", 6400.0), ("16:00", 6455.0), step_s=600)})
    old = files.parquet("levels", "SPX", "2026-11-19")
    old.write_bytes(bytes(1_100_000))
    command = [sys.executable, "-m", "streaming", "history", "--path", str(files.root), "close", ISO, "--max-mb", "1"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)  # it lowers its priority
    assert found.returncode == 0, found.stderr
    assert "1 older tables were removed" in found.stderr
    assert not old.exists()


async def test_a_kill_costs_the_kept_levels_at_most_the_last_second(redis, redis_url, tmp_path):
    command = [sys.executable, "-m", "streaming", "history", "--path", str(tmp_path / "kept"), "keep", "spx"]
    environment = {"REDIS_URL": redis_url, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    keeper = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    async with asyncio.timeout(30):
        while (await redis.pubsub_numsub(keys.SNAPSHOT_STREAM))[0][1] == 0:
            await asyncio.sleep(0.02)
    store = SnapshotStore(redis)
    for number in range(5):
        await store.put(snapshot(asof=ASOF + timedelta(seconds=number), seq=number))
    await asyncio.sleep(1.0)
    keeper.kill()
    await keeper.wait()
    lines = read_parts(parts_in(tmp_path / "kept" / "journal"), ReadCounts())
    assert [decode_snapshot(bytes(line.snapshot)).seq for line in lines] == [0, 1, 2, 3, 4]
