"""specs/gex-method.md: what it names exists; the figures that the builders' page quotes of made chains are true.

The method's figures of captured chains: tests/captured/test_method.py.
"""

import re
from pathlib import Path

import pytest

from streaming.chains.files.chain_files import load_chain
from streaming.commands.gex import chain_report
from tests.data_builders.chains import RECIPES, made
from tests.support.method_tables import METHOD, chains_of, check_row

ROOT = Path(__file__).resolve().parents[3]
MADE = chains_of((ROOT / "tests" / "data_builders" / "README.md").read_text())


@pytest.mark.parametrize("name", RECIPES)
def test_the_row_of_each_chain_that_can_be_made_is_true(tmp_path: Path, name: str):
    check_row(chain_report(load_chain(made(name).write(tmp_path / name))), MADE[name])


def test_every_test_and_folder_it_names_exists():
    for path in re.findall(r"`((?:tests|streaming|specs)/[\w./-]+)`", METHOD):
        assert (ROOT / path).exists(), path
    tests = (ROOT / "tests" / "streaming" / "gex" / "test_acceptance.py").read_text()
    for block in re.findall(r"`(?:test_acceptance.py`, `)?(test_block_\w_)\*`", METHOD):
        assert f"def {block}" in tests, block
