"""specs/gex-method.md: the figures it quotes of captured chains are those of the command it names."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from streaming.chains.files import load_chain
from streaming.commands.gex_report import chain_report

ROOT = Path(__file__).resolve().parents[2]
METHOD = (ROOT / "specs" / "gex-method.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in METHOD.splitlines() if line.startswith("| `")]
CHAINS = [row for row in ROWS if len(row) == 9]
SURPRISES = [row for row in ROWS if len(row) == 4 and re.search(r"\.(csv|json)", row[0])]


@cache
def report(folder: Path, name: str, options: tuple[str, ...]) -> dict[str, Any]:
    chosen = {
        key.removeprefix("--").replace("-", "_"): value for key, value in zip(options[::2], options[1::2], strict=True)
    }
    return chain_report(load_chain(folder / f"{name}.gz"), **chosen)


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


def test_all_chains_are_in_the_table(captured_data: Path):
    names = {path.name.removesuffix(".gz") for path in (captured_data / "gex").glob("*.gz")}
    assert {row[0].strip("`") for row in CHAINS} == names
    assert len(SURPRISES) > 20


@pytest.mark.parametrize("row", CHAINS, ids=lambda row: row[0].strip("`"))
def test_the_row_of_each_chain_is_true(captured_data: Path, row: list[str]):
    found = report(captured_data / "gex", row[0].strip("`"), ())
    full = found["scopes"]["full"]
    oi, vol = full["oi"], full["vol"]
    assert found["asof"][:16] == row[1].replace(" ", "T")
    figures = [
        oi["net_gex_usd_per_1pct"] / 1e9, vol["net_gex_usd_per_1pct"] / 1e9, oi["zero_gamma"], vol["zero_gamma"],
        vol["zero_gamma_ladder"], full["weight_mirrored_oi"], full["weight_unpriced_oi"],
    ]  # fmt: skip
    assert [shown(figure, text) for figure, text in zip(figures, row[2:], strict=True)] == row[2:]


@pytest.mark.parametrize("row", SURPRISES, ids=lambda row: f"{row[0]} {row[1]}".replace("`", ""))
def test_each_surprising_figure_is_true(captured_data: Path, row: list[str]):
    name, *options = row[0].strip("`").split()
    value: Any = report(captured_data / "gex", name, tuple(options))["scopes"]
    for step in row[1].strip("`").split("."):
        value = value[step]
    assert shown(value, row[2]) == row[2]
