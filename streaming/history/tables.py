"""Snapshots as columns, and columns as one Parquet file that appears whole.

A table is gathered in pieces of bounded size beside its target, so that a day of ladders (40 million rows) needs no
memory of that size, and joined with what the file of that day held already.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from streaming.errors import OperatorError
from streaming.figures import read_levels
from streaming.history.day_rows import scopes_of
from streaming.history.history_files import TableName
from streaming.model import FLOW_SPANS, WEIGHTS, FlowSum, GexSnapshot, ScopeFigures, WeightFigures, WeightName
from streaming.process.private_files import fresh_file, open_folder, put_in_place

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_OPTIONS: Final[dict[str, Any]] = {
    "threads": 2,
    "memory_limit": "1GB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
ColumnKind = Literal["VARCHAR", "BIGINT", "DOUBLE"]
_LARGEST: Final = 1e18
FIGURES: Final = tuple(
    field.name for field in msgspec.structs.fields(WeightFigures) if field.type in {float | None, int | None}
)
"""Of `WeightFigures`: each is a column of levels."""
OF_SCOPE: Final = ("rr25", "put_call_oi", "put_call_vol", "max_pain")
"""Of `ScopeFigures`, the same under both weights."""
CURVES: Final = ("ladder", "profile")


@dataclass(frozen=True, slots=True)
class ParquetTable:
    """One kind of Parquet file: its columns besides `ticker` and `day`, which every row of a file has alike."""

    name: TableName
    columns: Mapping[str, ColumnKind]
    piece_rows: int
    """How many wait in memory at most: levels wait as Python's own numbers, curves as arrays."""
    order: str = ""
    """By what the rows of a file are sorted; as they came without."""


LEVELS: Final = ParquetTable(
    "levels",
    {
        "asof_ms": "BIGINT",
        "computed_ms": "BIGINT",
        "seq": "BIGINT",
        "source": "VARCHAR",
        "state": "VARCHAR",
        "spot": "DOUBLE",
        "basis": "DOUBLE",
        "expected_move_points": "DOUBLE",
        "expected_sigma_points": "DOUBLE",
        **{f"flow_{span}_usd_per_1pct": "DOUBLE" for span in FLOW_SPANS},
        **{f"signed_day_{name}": "DOUBLE" for name in FlowSum.__struct_fields__},
        "published_scope": "VARCHAR",
        "scope": "VARCHAR",
        "weight": "VARCHAR",
        **dict.fromkeys(OF_SCOPE, "DOUBLE"),
        **dict.fromkeys(FIGURES, "DOUBLE"),
    },
    piece_rows=40_000,
    order="asof_ms, scope, weight",
)
CURVE_POINTS: Final = ParquetTable(
    "curves",
    {"asof_ms": "BIGINT", "scope": "VARCHAR", "curve": "VARCHAR", "price": "DOUBLE", "vol": "DOUBLE", "oi": "DOUBLE"},
    piece_rows=500_000,
)
ALL: Final[Mapping[TableName, ParquetTable]] = {table.name: table for table in (LEVELS, CURVE_POINTS)}
Columns = Mapping[str, NDArray[Any]]


def level_rows(snapshot: GexSnapshot) -> Iterator[tuple[Any, ...]]:
    """A row for each scope and weight in the order of `LEVELS`; a snapshot of classic figures gives its own scope's."""
    move, signed = snapshot.expected_move, snapshot.signed_flow
    flow = {one.span: one.usd_per_1pct for one in snapshot.flow}
    head = (
        snapshot.asof_ms,
        snapshot.computed_ms,
        snapshot.seq,
        snapshot.source,
        snapshot.state,
        snapshot.spot,
        snapshot.basis,
        None if move is None else move.straddle_points,
        None if move is None else move.sigma_points,
        *(flow.get(span) for span in FLOW_SPANS),
        *(None if signed is None else getattr(signed.day, name) for name in FlowSum.__struct_fields__),
        snapshot.scope,
    )
    for scope in scopes_of(snapshot):
        own = None if scope is None else snapshot.scopes.get(scope)
        of_scope = [None if own is None else getattr(own, name) for name in OF_SCOPE]
        for weight in WEIGHTS:
            figures = _classic(snapshot, weight) if own is None else own.by(weight)
            yield (*head, scope, weight, *of_scope, *(getattr(figures, name) for name in FIGURES))


def _classic(snapshot: GexSnapshot, weight: WeightName) -> WeightFigures:
    seen = read_levels(snapshot, None, weight)
    return WeightFigures(
        net_gex_usd_per_1pct=seen.net_gex_usd_per_1pct,
        ladder_split=snapshot.ladder_split if weight == "vol" else None,
        call_wall=seen.call_wall,
        put_wall=seen.put_wall,
    )


class LevelRows:
    """Rows of levels on their way into columns."""

    def __init__(self) -> None:
        self._rows: list[tuple[Any, ...]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, snapshot: GexSnapshot) -> None:
        """Take a snapshot's rows."""
        self._rows += level_rows(snapshot)

    def take(self) -> Columns:
        """All rows so far, as columns; none are left."""
        values, self._rows = list(zip(*self._rows, strict=True)), []
        return {
            name: _column(kind, column) for (name, kind), column in zip(LEVELS.columns.items(), values, strict=True)
        }


def _column(kind: ColumnKind, values: Sequence[Any]) -> NDArray[Any]:
    if kind == "BIGINT":
        return np.array(values, dtype=np.int64)
    if kind == "VARCHAR":
        return np.array(values, dtype=object)
    return np.array(values, dtype=np.float64)  # None becomes NaN, and NaN is NULL in the table


class CurvePoints:
    """Points of ladders and profiles on their way into columns."""

    def __init__(self) -> None:
        self._points: list[NDArray[np.float64]] = []
        self._heads: list[tuple[int, str, str, int]] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, asof_ms: int, scopes: Mapping[str, ScopeFigures]) -> None:
        """Take the curves of a snapshot; a point at a price or of a size that cannot be is left out."""
        for scope, figures in scopes.items():
            for curve, points in zip(CURVES, (figures.ladder, figures.profile), strict=True):
                if not points:
                    continue
                found = np.array(points, dtype=np.float64)
                found = found[(found[:, 0] > 0) & (np.abs(found) <= _LARGEST).all(axis=1)]
                self._points.append(found)
                self._heads.append((asof_ms, scope, curve, len(found)))
                self._count += len(found)

    def take(self) -> Columns:
        """All points so far, as columns; none are left."""
        asof_ms, scopes, curves, counts = zip(*self._heads, strict=True)
        points = np.concatenate(self._points)
        self._points, self._heads, self._count = [], [], 0
        return {
            "asof_ms": np.repeat(np.array(asof_ms, dtype=np.int64), counts),
            "scope": np.repeat(np.array(scopes, dtype=object), counts),
            "curve": np.repeat(np.array(curves, dtype=object), counts),
            "price": points[:, 0],
            "vol": points[:, 1],
            "oi": points[:, 2],
        }


class Rows(Protocol):
    """What is gathered before it becomes a piece."""

    def __len__(self) -> int: ...

    def take(self) -> Columns:
        """Everything so far, as columns; nothing is left."""
        ...


class ParquetDay:
    """Gathers `rows` of one day beside the place of their table; a context manager that leaves only what `finish` put.

    OSError as it comes; OperatorError where DuckDB cannot write, or read what is there.
    """

    def __init__(self, table: ParquetTable, rows: Rows, *, ticker: str, day: str, target: Path) -> None:
        self._table = table
        self._rows = rows
        self._constant = f"{quoted(ticker)} AS ticker, DATE {quoted(day)} AS day"
        self._target = target
        self._pieces: list[Path] = []
        self._open = ExitStack()
        self._database: DuckDBPyConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def spill(self) -> None:
        """Write a piece when enough rows wait."""
        if len(self._rows) >= self._table.piece_rows:
            self._write_piece()

    def _write_piece(self) -> None:
        open_folder(self._target.parent)
        piece = self._open.enter_context(fresh_file(self._target))
        columns = self._rows.take()
        self._write(f"SELECT {self._constant}, {', '.join(columns)} FROM columns", piece, columns)
        self._pieces.append(piece)

    def finish(self) -> bool:
        """Put everything into place, with what was there of other quote times; False where there was nothing to add."""
        if len(self._rows):
            self._write_piece()
        if not self._pieces:
            return False
        query = f"SELECT * FROM read_parquet([{', '.join(map(quoted, self._pieces))}])"
        if self._target.exists():
            held = f"read_parquet({quoted(self._target)})"
            query = f"SELECT * FROM {held} UNION ALL BY NAME {query} WHERE asof_ms NOT IN (SELECT asof_ms FROM {held})"
        if self._table.order:
            query = f"SELECT * FROM ({query}) ORDER BY {self._table.order}"
        fresh = self._open.enter_context(fresh_file(self._target))
        self._write(query, fresh, {})
        put_in_place(fresh, self._target)
        return True

    def _write(self, query: str, target: Path, columns: Columns) -> None:  # noqa: ARG002  # DuckDB finds it by its name
        if self._database is None:
            self._database = open_duckdb()
            self._open.callback(self._database.close)
        options = "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, USE_TMP_FILE false"
        import duckdb

        try:
            self._database.execute(f"COPY ({query}) TO {quoted(target)} ({options})")
        except duckdb.Error as error:
            reason = str(error).partition("\n")[0]
            remedy = "Free its disk, or move the file away if it is spoilt."
            raise OperatorError(f"{self._target} cannot be written: {reason}", remedy=remedy) from error


def open_duckdb() -> "DuckDBPyConnection":
    """A database in memory that fetches nothing from the network; close it.

    DuckDB is imported here, when it is first needed: it takes 50 MB that a bot without a question never pays.
    """
    import duckdb

    return duckdb.connect(config=_OPTIONS)


def quoted(text: object) -> str:
    """Text as SQL has it."""
    return "'" + str(text).replace("'", "''") + "'"
