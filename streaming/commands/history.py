"""`python -m streaming history`: what is kept over days, closed, imported, copied and asked."""

import argparse
import asyncio
import csv
import logging
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, TextIO

from streaming.clock import SystemClock, date_of
from streaming.errors import RequestError
from streaming.history.closing import Closed, close_day
from streaming.history.history_files import HistoryFiles
from streaming.history.keeper import HistoryKeeper, HistoryOrder
from streaming.history.queries import VIEWS, Export, HowFar, QueryResult, asked, export
from streaming.process.flags import a_day
from streaming.process.framing import be_polite
from streaming.process.logs import say, settings_of_command
from streaming.process.progress import ProgressBar
from streaming.process.signals import run_until, stop_on_signals
from streaming.recording.recording_files import Part, parts_in
from streaming.setting_values import asked_tickers
from streaming.settings import StreamSettings
from streaming.streamer.runtime import open_bus

_POLITE: Final = 10
_MOST_ROWS: Final = 1_000
_DEFAULT_MAX_MB: Final = 20_000


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser of `python -m streaming`."""
    command = commands.add_parser("history", help="levels over days: what there is, import, export, SQL")
    command.add_argument("--path", type=Path, help="folder for the history instead of GEX_HISTORY_PATH")
    command.set_defaults(func=_show)
    parts = command.add_subparsers(title="what to do", metavar="ACTION")
    _register_export(parts)
    sql = parts.add_parser("sql", help="ask the views levels, curves, days and grades with one SELECT")
    sql.add_argument("question", metavar='"SELECT …"')
    sql.add_argument("--csv", action="store_true", help="print CSV instead of a table")
    sql.set_defaults(func=_sql)
    taken = parts.add_parser("import", help="take in days that GEX_RECORD wrote (.jsonl.gz)")
    taken.add_argument("paths", nargs="+", type=Path, metavar="FOLDER")
    taken.set_defaults(func=_import)
    close = parts.add_parser("close", help="write a day of the journal into Parquet, as the bot does after the close")
    close.add_argument("day", type=a_day, metavar="YYYY-MM-DD")
    close.add_argument("--recordings", type=Path, metavar="FOLDER", help="take ladders and profiles from here")
    close.add_argument("--max-mb", type=int, default=_DEFAULT_MAX_MB, metavar="MB", help="how much the tables may take")
    close.set_defaults(func=_close)
    keep = parts.add_parser("keep", help="keep the history without the bot, beside any producer, until told to stop")
    keep.add_argument("tickers", metavar="SPX,NDX", help="of these")
    keep.set_defaults(func=_keep)


def _register_export(parts: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = parts.add_parser("export", help="copy a view, or a part of it, into one file")
    command.add_argument("view", choices=VIEWS)
    forms = command.add_mutually_exclusive_group(required=True)
    forms.add_argument("--csv", type=Path, metavar="FILE")
    forms.add_argument("--parquet", type=Path, metavar="FILE")
    command.add_argument("--tickers", metavar="SPX,NDX", help="only these")
    command.add_argument("--from", type=a_day, dest="first", metavar="YYYY-MM-DD")
    command.add_argument("--to", type=a_day, dest="last", metavar="YYYY-MM-DD")
    command.set_defaults(func=_export)


def _files(arguments: argparse.Namespace) -> HistoryFiles:
    return HistoryFiles(arguments.path or settings_of_command().gex_history_path)


def _show(arguments: argparse.Namespace) -> int:
    for line in inventory(_files(arguments)):
        _print(line)
    return 0


def inventory(files: HistoryFiles) -> list[str]:
    """One line a ticker: its days and bytes, and how many of them are graded."""
    tables = files.parquet_files()
    names = sorted({*files.tickers(), *(file.ticker for file in tables)})
    lines: list[str] = []
    for name in names:
        own = [file for file in tables if file.ticker == name]
        reports = files.reports(name)
        days = sorted({file.day for file in own} | {report.day for report in reports})
        size = sum(file.size for file in own) / 1e6
        graded = sum(bool(report.grades) for report in reports)
        lines.append(
            f"{name}: {len(days)} day{'s' * (len(days) != 1)}, {days[0]} to {days[-1]}, {size:.1f} MB, {graded} graded"
        )
    return lines or [f"{files.root} holds no history yet. The bot keeps one with GEX_HISTORY=true."]


def _export(arguments: argparse.Namespace) -> int:
    order = Export(
        view=arguments.view,
        target=arguments.csv or arguments.parquet,
        form="csv" if arguments.csv is not None else "parquet",
        tickers=[] if arguments.tickers is None else [ticker.name for ticker in asked_tickers(arguments.tickers)],
        first=arguments.first,
        last=arguments.last,
    )
    with ProgressBar(f"export {order.view}") as bar:
        rows = export(_files(arguments), order, bar.show)
    say(f"{rows} rows in {order.target}.")
    return 0


def _sql(arguments: argparse.Namespace) -> int:
    with ProgressBar("sql") as bar, asked(_files(arguments), arguments.question, bar.show) as answer:
        bar.clear()
        if arguments.csv:
            _write_csv(answer, sys.stdout)
        else:
            _write_table(answer)
    return 0


def _write_csv(answer: QueryResult, target: TextIO) -> None:
    writer = csv.writer(target)
    writer.writerow(answer.columns)
    for page in answer.pages:
        writer.writerows(page)


def _write_table(answer: QueryResult) -> None:
    rows = next(answer.pages, ())
    cells = [answer.columns, *(tuple(map(_cell, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        _print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if next(answer.pages, ()):
        say(f"Only the first {_MOST_ROWS} rows are shown; --csv prints all.")


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.10g}" if isinstance(value, float) else str(value)


def _import(arguments: argparse.Namespace) -> int:
    files = _files(arguments)
    with files.alone(), ProgressBar("import") as bar:
        for closed in take_in(files, arguments.paths, bar.show, now=datetime.now(UTC)):
            bar.clear()
            say(_sentence(closed))
    return 0


def take_in(files: HistoryFiles, folders: Sequence[Path], progress: HowFar, *, now: datetime) -> Iterator[Closed]:
    """Close every recorded day of the folders, oldest first; RequestError where there is none."""
    parts = sorted((part for folder in folders for part in _recorded(folder)), key=attrgetter("day"))
    whole, done = sum(part.size for part in parts) or 1, 0
    for day, group in groupby(parts, key=attrgetter("day")):
        of_day = list(group)
        size = sum(part.size for part in of_day)

        def of_all(share: float, before: int = done, size: int = size) -> None:
            progress((before + share * size) / whole)

        yield close_day(files, a_day(day), of_day, of_all, now=now)
        done += size


def _recorded(folder: Path) -> list[Part]:
    try:
        found = [part for part in parts_in(folder) if part.kind == "snapshots" and date_of(part.day)]
    except OSError as error:
        raise RequestError(f"{folder} cannot be read: {error.strerror}.") from error
    if not found:
        raise RequestError(f"{folder} holds no recorded snapshots.", remedy="Give a folder that GEX_RECORD wrote to.")
    return found


def _close(arguments: argparse.Namespace) -> int:
    be_polite(_POLITE)
    files, day = _files(arguments), arguments.day.isoformat()
    folders = [files.journal, *([arguments.recordings] if arguments.recordings is not None else [])]
    parts = [part for folder in folders if folder.is_dir() for part in parts_in(folder)]
    with files.alone(), ProgressBar(f"close {day}") as bar:
        of_day = [part for part in parts if part.day == day and part.kind == "snapshots"]
        closed = close_day(files, arguments.day, of_day, bar.show, now=datetime.now(UTC))
        bar.clear()
        removed = files.make_room(arguments.max_mb)
    say(_sentence(closed) + (f" {len(removed)} older tables were removed." if removed else ""))
    return 0


def _keep(arguments: argparse.Namespace) -> int:
    settings = settings_of_command(least=logging.NOTSET)
    order = HistoryOrder(
        path=arguments.path or settings.gex_history_path,
        max_mb=settings.gex_history_max_mb,
        tickers=frozenset(ticker.name for ticker in asked_tickers(arguments.tickers)),
        recordings=settings.gex_record_path if settings.gex_record else None,
    )
    return asyncio.run(_keep_until_told(settings, order))


async def _keep_until_told(settings: StreamSettings, order: HistoryOrder) -> int:
    stop = stop_on_signals()
    async with open_bus(settings, tell=say) as redis:
        keeper = HistoryKeeper(redis, SystemClock(), order, tell=say)
        say(f"Keeping the history of {', '.join(sorted(order.tickers))} in {order.path} (Ctrl+C ends it).")
        await run_until(stop, {"history": keeper.run(lambda: None)})
    return 0


def _sentence(closed: Closed) -> str:
    left = f", {closed.left_out} left out" if closed.left_out else ""
    graded = f"; graded: {', '.join(closed.graded)}" if closed.graded else ""
    return f"{closed.day}: {closed.snapshots} snapshots{left}{graded}."


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
