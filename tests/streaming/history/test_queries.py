import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pytest

from streaming.errors import RequestError
from streaming.history.history_files import HistoryFiles
from streaming.history.queries import Export, asked, export, lock
from tests.support.history import DAY, closed_days, path

ISO = DAY.isoformat()
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    spots = path(("09:30", 6400.0), ("16:00", 6455.0), step_s=600)
    return closed_days(tmp_path_factory.mktemp("history"), {DAY: spots})


def answer(files, question):
    with asked(files, question, lambda _: None) as found:
        return found.columns, [row for page in found.pages for row in page]


def test_levels_days_and_grades_are_there_to_be_asked(files):
    _, rows = answer(files, "SELECT count(*), min(new_york)::VARCHAR FROM levels WHERE weight = 'oi'")
    assert rows == [(40, "2026-11-20 09:30:00")]
    _, rows = answer(files, "SELECT ticker, day, spot_open, spot_close, net_gex_close FROM days WHERE weight = 'oi'")
    assert rows == [("SPX", DAY, 6400.0, 6455.0, 1.25e9)]
    columns, rows = answer(files, "SELECT level, held FROM grades WHERE weight = 'oi' AND touched_ms IS NOT NULL")
    assert columns == ("level", "held")
    assert rows == [("call_wall", None)]
    assert answer(files, "SELECT * FROM curves")[1] == []


def test_an_empty_history_has_its_tables_all_the_same(tmp_path):
    for view in ("levels", "curves", "days", "grades"):
        columns, rows = answer(HistoryFiles(tmp_path), f"SELECT * FROM {view}")
        assert rows == []
        assert {"ticker", "day"} <= set(columns)


FORBIDDEN = {
    "copy out": "COPY levels TO '{outside}'",
    "copy in": "COPY days FROM '{secret}'",
    "attach": "ATTACH '{outside}' AS other",
    "read_text": "SELECT * FROM read_text('{secret}')",
    "read_csv": "SELECT * FROM read_csv('{secret}')",
    "read_blob": "SELECT * FROM read_blob('{secret}')",
    "file as a table": "SELECT * FROM '{secret}'",
    "glob": "SELECT * FROM glob('{folder}/*')",
    "install": "INSTALL httpfs",
    "load": "LOAD httpfs",
    "network": "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')",
    "unlock": "SET enable_external_access = true",
    "out of the folder": "SELECT * FROM read_text('{root}/levels/../../{name}')",
    "names of Python": "SELECT * FROM python_list",
}


@pytest.fixture
def places(files, tmp_path):
    secret = files.root.parent / "secret.txt"
    secret.write_text("secret")
    inside = {"folder": secret.parent, "root": files.root, "name": secret.name}
    return inside | {"secret": secret, "outside": tmp_path / "out"}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_question_reaches_nothing_but_the_history(files, places, name):
    with pytest.raises(RequestError):
        answer(files, FORBIDDEN[name].format(**places))
    assert not places["outside"].exists()


@pytest.mark.parametrize("name", FORBIDDEN)
def test_the_lock_itself_forbids_it_whatever_the_statement(files, places, name):
    python_list = {"a": np.array([1])}  # what DuckDB reads as a table where it may look at its caller's names
    with duckdb.connect() as database:
        database.execute("CREATE TABLE levels (a INT); CREATE TABLE days (a INT)")
        lock(database, files)
        with pytest.raises(duckdb.Error):
            database.execute(FORBIDDEN[name].format(**places))
    assert python_list
    assert not places["outside"].exists()


@pytest.mark.parametrize(
    "question",
    ["COPY levels TO '{root}/levels/SPX/2026-11-20.parquet'", "EXPLAIN ANALYZE SELECT 1", "SELECT 1; SELECT 2", "",
     "CREATE TABLE x AS SELECT 1", "DELETE FROM days", "PRAGMA version", "DROP VIEW levels"],
)  # fmt: skip
def test_only_a_single_select_is_answered(files, question):
    before = files.parquet("levels", "SPX", ISO).read_bytes()
    with pytest.raises(RequestError, match="one SELECT"):
        answer(files, question.format(root=files.root))
    assert files.parquet("levels", "SPX", ISO).read_bytes() == before


def test_the_questions_that_the_page_shows_are_answered(files):
    shown = re.findall(r'history sql (?:--csv )?"(.+)"', (ROOT / "specs" / "history.md").read_text())
    assert len(shown) == 2
    assert all(answer(files, question)[1] for question in shown)


def test_a_question_with_a_mistake_is_one_sentence(files):
    with pytest.raises(RequestError, match=r"^The question cannot be answered: Binder Error: .*nett.*$"):
        answer(files, "SELECT nett FROM days")


def test_a_view_is_copied_as_csv_and_as_parquet(files, tmp_path):
    rows = export(files, Export(view="days", target=tmp_path / "days.csv", form="csv"), lambda _: None)
    lines = (tmp_path / "days.csv").read_text().splitlines()
    assert (rows, len(lines)) == (2, 3)
    assert lines[0].startswith("ticker,day,scope,weight,published,source,snapshots,")
    rows = export(files, Export(view="levels", target=tmp_path / "x.parquet", form="parquet"), lambda _: None)
    assert duckdb.sql(f"SELECT count(*) FROM '{tmp_path}/x.parquet'").fetchall() == [(rows,)] == [(80,)]


@pytest.mark.parametrize(
    "choice", [{"tickers": ["NDX"]}, {"first": date(2026, 11, 21)}, {"last": date(2026, 11, 19)}, {"tickers": ["S'X"]}]
)
def test_a_copy_may_be_of_some_tickers_and_days(files, tmp_path, choice):
    assert export(files, Export(view="levels", target=tmp_path / "x.csv", form="csv", **choice), lambda _: None) == 0
    chosen = Export(view="levels", target=tmp_path / "x.csv", form="csv", tickers=["SPX"], first=DAY, last=DAY)
    assert export(files, chosen, lambda _: None) == 80


def test_how_far_a_question_is_gets_told(files):
    told = []
    with asked(files, "SELECT 1", told.append):
        pass
    assert all(0.0 <= share <= 1.0 for share in told)


def test_the_program_starts_without_duckdb():
    check = (
        "import sys, bot.app, bot.host, cogs.gex, streaming.commands.cli, streaming.history.queries, "
        "streaming.history.closing; sys.exit('duckdb' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
