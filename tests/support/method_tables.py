"""Tables of chains in pages, and how a figure is written there."""

import re
from pathlib import Path
from typing import Any, Final

_ROOT: Final = Path(__file__).resolve().parents[2]
METHOD: Final = (_ROOT / "specs" / "gex-method.md").read_text()


def rows_of(page: str, *, cells: int) -> list[list[str]]:
    """The rows of that many cells whose first names a chain's file."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:3] == "| `"]
    return [row for row in rows if len(row) == cells and re.search(r"\.(csv|json)", row[0])]


def chains_of(page: str) -> dict[str, list[str]]:
    """The table of chains: file -> the cells after it."""
    return {row[0].strip("`"): row[1:] for row in rows_of(page, cells=9)}


def check_row(report: dict[str, Any], cells: list[str]) -> None:
    """A row of a table of chains says what the report says."""
    full = report["scopes"]["full"]
    oi, vol = full["oi"], full["vol"]
    assert report["asof"][:16] == cells[0].replace(" ", "T")
    figures = [
        oi["net_gex_usd_per_1pct"] / 1e9, vol["net_gex_usd_per_1pct"] / 1e9, oi["zero_gamma"], vol["zero_gamma"],
        vol["zero_gamma_ladder"], full["weight_quoted_oi"], full["weight_unpriced_oi"],
    ]  # fmt: skip
    assert [shown(figure, text) for figure, text in zip(figures, cells[1:], strict=True)] == cells[1:]


def shown(value: Any, like: str) -> str:
    """A figure in the manner of the text it is compared with."""
    if value is None or isinstance(value, str):
        return str(value).replace("None", "null")
    if isinstance(value, (tuple, list)):
        return ", ".join(shown(item, like.partition(", ")[0]) for item in value)
    number, unit = (value / 1e9, " Bn") if like.endswith("Bn") else (value, "")
    if like.endswith("%"):
        number, unit = 100.0 * value, " %"
    decimals = len(like.removesuffix(unit).partition(".")[2])
    sign = "−" if number < 0 else "+" if like.startswith("+") else ""
    return f"{sign}{abs(number):,.{decimals}f}{unit}"
