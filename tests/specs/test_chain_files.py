"""specs/chain-files.md: its examples are read, and its columns are those that are."""

import ast
import re
from datetime import datetime
from pathlib import Path

import pytest

from streaming.calendar import NEW_YORK
from streaming.chains.files.chain_files import load_chain
from streaming.chains.files.plain_table import NEEDED, OPTIONAL
from streaming.model import ChainQuality

PAGE = (Path(__file__).resolve().parents[2] / "specs" / "chain-files.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(
    ("place", "roots", "spot", "quoted"),
    [(0, {"SPY"}, 681.25, "2026-11-27T11:30"), (1, {"SPX", "SPXW"}, 6812.5, "2026-11-27T11:15")],
    ids=["yfinance", "OpenBB"],
)
def test_what_the_libraries_write_is_read(tmp_path: Path, place: int, roots: set[str], spot: float, quoted: str):
    path = tmp_path / "chain.csv"
    path.write_text(blocks("csv")[place])
    chain = load_chain(path)
    assert (chain.ticker, set(chain.root.tolist()), chain.spot, len(chain)) == (min(roots), roots, spot, 4)
    assert chain.asof == datetime.fromisoformat(quoted).replace(tzinfo=NEW_YORK)
    assert chain.quality == ChainQuality()
    assert (chain.open_interest > 0.0).all() and (chain.iv < 0.2).all() and (chain.ask > chain.bid).all()


def test_the_lines_that_make_them_are_python_of_at_most_eight_lines():
    for code in blocks("python"):
        assert len([line for line in ast.unparse(ast.parse(code)).splitlines() if line]) <= 8


def test_the_columns_of_the_page_are_those_that_are_read():
    rows = PAGE.split("## The plain CSV")[1].splitlines()
    cells = [row.split("|")[1] for row in rows if row.startswith("| `")]
    named = [name for cell in cells for name in re.findall(r"`([a-z ]+)`", cell)]
    assert sorted(named) == sorted((*NEEDED, *OPTIONAL))
