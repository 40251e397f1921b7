"""Questions to the history in SQL, and copies of it for other programs. All of it blocks.

A question sees four views and no file besides those behind them: before it is read the database loses the network,
its extensions, the names of Python and the right to change that, and it has to be a single SELECT.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import msgspec
import numpy as np

from streaming.errors import OperatorError, RequestError
from streaming.history.day_rows import Course, DayRow
from streaming.history.grades import Grade
from streaming.history.history_files import TABLES, HistoryFiles, TableName
from streaming.history.tables import ALL, open_duckdb, quoted
from streaming.process.private_files import fresh_file, put_in_place

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ViewName = Literal["levels", "curves", "days", "grades"]
VIEWS: Final[tuple[ViewName, ...]] = get_args(ViewName)
_LOOK_EVERY_S: Final = 0.2
_AT_ONCE: Final = 1_000
_SQL_KINDS: Final = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN"}
_NEW_YORK: Final = "timezone('America/New_York', to_timestamp(asof_ms / 1000)) AS new_york"
HowFar = Callable[[float], None]
"""Hears now and then which share of the work is done, 0 to 1."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """A table, read a page at a time."""

    columns: tuple[str, ...]
    pages: Iterator[Sequence[tuple[Any, ...]]]


@contextmanager
def asked(files: HistoryFiles, question: str, progress: HowFar) -> Iterator[QueryResult]:
    """The answer to one SELECT over the views; RequestError for anything else, and for what DuckDB cannot do."""
    with _views(files) as database, _refusing():
        lock(database, files)
        _only_a_select(database, question)
        _run(database, question, progress)
        columns = tuple(column[0] for column in database.description or ())
        yield QueryResult(columns, iter(lambda: database.fetchmany(_AT_ONCE), []))


def lock(database: "DuckDBPyConnection", files: HistoryFiles) -> None:
    """Leave it nothing but the history's own tables; nothing takes that back."""
    places = ", ".join(quoted((files.root / table).resolve()) for table in TABLES)
    for setting in (
        f"allowed_directories = [{places}]",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        database.execute(f"SET {setting}")


def _only_a_select(database: "DuckDBPyConnection", question: str) -> None:
    """COPY could write where the lock still lets a view read."""
    import duckdb

    kinds = [statement.type for statement in database.extract_statements(question)]
    if kinds != [duckdb.StatementType.SELECT]:
        raise RequestError("The history answers one SELECT at a time, and nothing else.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What is copied, and where to."""

    view: ViewName
    target: Path
    form: Literal["csv", "parquet"]
    tickers: Collection[str] = ()
    """None are all."""
    first: date | None = None
    last: date | None = None


def export(files: HistoryFiles, order: Export, progress: HowFar) -> int:
    """Write a view, or a part of it, into one file that appears whole; the rows in it. OperatorError where not."""
    options = "FORMAT csv, HEADER" if order.form == "csv" else "FORMAT parquet, COMPRESSION zstd"
    query = f"SELECT * FROM {order.view} {_where(order)}"
    with _views(files) as database, _refusing():
        try:
            with fresh_file(order.target) as fresh:
                _run(database, f"COPY ({query}) TO {quoted(fresh)} ({options}, USE_TMP_FILE false)", progress)
                (rows,) = database.fetchone() or (0,)
                put_in_place(fresh, order.target)
        except OSError as error:
            raise OperatorError(f"{order.target} cannot be written: {error.strerror}.") from error
    return int(rows)


def _where(order: Export) -> str:
    parts = [f"ticker IN ({', '.join(map(quoted, order.tickers))})"] if order.tickers else []
    parts += [f"day >= DATE {quoted(order.first)}"] if order.first else []
    parts += [f"day <= DATE {quoted(order.last)}"] if order.last else []
    return f"WHERE {' AND '.join(parts)}" if parts else ""


@contextmanager
def _views(files: HistoryFiles) -> Iterator["DuckDBPyConnection"]:
    database = open_duckdb()
    try:
        for table in TABLES:
            _make_view(database, files, table)
        reports = [report for ticker in files.tickers() for report in files.reports(ticker)]
        _make_table(database, "days", DayRow, [row for report in reports for row in report.rows])
        _make_table(database, "grades", Grade, [grade for report in reports for grade in report.grades])
        yield database
    finally:
        database.close()


def _make_view(database: "DuckDBPyConnection", files: HistoryFiles, table: TableName) -> None:
    places = [file.path.resolve() for file in files.parquet_files() if file.table == table]
    if places:
        found = f"read_parquet([{', '.join(map(quoted, places))}], union_by_name = true)"
        columns = f"ticker, day, {_NEW_YORK}, * EXCLUDE (ticker, day)"
        database.execute(f"CREATE VIEW {table} AS SELECT {columns} FROM {found}")
        return
    columns = ", ".join(f"{name} {kind}" for name, kind in ALL[table].columns.items())
    database.execute(f"CREATE TABLE {table} (ticker VARCHAR, day DATE, new_york TIMESTAMP, {columns})")


def _make_table(
    database: "DuckDBPyConnection", name: str, kind: type[msgspec.Struct], records: Sequence[msgspec.Struct]
) -> None:
    """A table of small records; a `Course` becomes four columns, such as `spot_open`."""
    fields = dict(_flat_fields(kind))
    columns = ", ".join(f"{column} {'DATE' if column == 'day' else sql}" for column, sql in fields.items())
    database.execute(f"CREATE TABLE {name} ({columns})")
    if records:
        rows = [_flat(record) for record in records]
        found = {column: np.array([row.get(column) for row in rows], dtype=object) for column in fields}
        database.execute(f"INSERT INTO {name} SELECT {', '.join(found)} FROM found")


def _flat_fields(kind: type[msgspec.Struct]) -> Iterator[tuple[str, str]]:
    for field in msgspec.structs.fields(kind):
        of = [one for one in (get_args(field.type) or (field.type,)) if one is not type(None)]
        if Course in of:
            yield from ((f"{field.name}_{part}", "DOUBLE") for part in Course.__struct_fields__)
        else:
            yield field.name, _SQL_KINDS.get(of[0], "VARCHAR")


def _flat(record: msgspec.Struct) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if isinstance(value, Course):
            found |= {f"{name}_{part}": getattr(value, part) for part in Course.__struct_fields__}
        else:
            found[name] = value
    return found


def _run(database: "DuckDBPyConnection", query: str, progress: HowFar) -> None:
    """Execute in a thread, and look at how far it is meanwhile; an interrupt ends the query, too."""
    errors: list[BaseException] = []

    def work() -> None:
        try:
            database.execute(query)
        except BaseException as error:  # noqa: BLE001  # raised below, where somebody waits for it
            errors.append(error)

    thread = Thread(target=work, name="query")
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_LOOK_EVERY_S)
            progress(max(database.query_progress(), 0.0) / 100.0)
    except BaseException:
        database.interrupt()
        thread.join()
        raise
    if errors:
        raise errors[0]


@contextmanager
def _refusing() -> Iterator[None]:
    """DuckDB's own errors as one sentence."""
    import duckdb

    try:
        yield
    except duckdb.IOException as error:
        raise OperatorError(f"The history cannot be read or written: {_first_line(error)}") from error
    except duckdb.Error as error:
        raise RequestError(f"The question cannot be answered: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
