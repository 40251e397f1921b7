"""DuckDB, imported when it is first needed: it takes 40 MB that a bot without a question never pays."""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_OPTIONS: Final[dict[str, Any]] = {
    "threads": 2,
    "memory_limit": "1GB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


def open_duckdb() -> "DuckDBPyConnection":
    """A database in memory that fetches nothing from the network; close it."""
    import duckdb

    return duckdb.connect(config=_OPTIONS)


def quoted(text: object) -> str:
    """Text as SQL has it."""
    return "'" + str(text).replace("'", "''") + "'"
