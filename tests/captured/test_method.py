"""specs/gex-method.md: the figures it quotes of captured chains are those of the command it names."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from streaming.chains.files import load_chain
from streaming.commands.gex_report import chain_report
from tests.support.method_tables import METHOD, chains_of, check_row, rows_of, shown

CHAINS = chains_of(METHOD)
SURPRISES = rows_of(METHOD, cells=4)


@cache
def report(folder: Path, name: str, options: tuple[str, ...]) -> dict[str, Any]:
    names = {"--forward": "forward", "--iv": "volatility", "--bad-iv": "bad_iv"}
    chosen: dict[str, Any] = {names[key]: value for key, value in zip(options[::2], options[1::2], strict=True)}
    return chain_report(load_chain(folder / f"{name}.gz"), **chosen)


def test_all_chains_are_in_the_table(captured_data: Path):
    names = {path.name.removesuffix(".gz") for path in (captured_data / "gex").glob("*.gz")}
    assert set(CHAINS) == names
    assert len(SURPRISES) > 20


@pytest.mark.parametrize("name", CHAINS)
def test_the_row_of_each_chain_is_true(captured_data: Path, name: str):
    check_row(report(captured_data / "gex", name, ()), CHAINS[name])


@pytest.mark.parametrize("row", SURPRISES, ids=lambda row: f"{row[0]} {row[1]}".replace("`", ""))
def test_each_surprising_figure_is_true(captured_data: Path, row: list[str]):
    name, *options = row[0].strip("`").split()
    value: Any = report(captured_data / "gex", name, tuple(options))["scopes"]
    for step in row[1].strip("`").split("."):
        value = value[step]
    assert shown(value, row[2]) == row[2]
