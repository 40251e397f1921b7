"""specs/gex-method.md: what it names exists; its figures of captured chains: tests/captured/test_method.py."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
METHOD = (ROOT / "specs" / "gex-method.md").read_text()


def test_every_test_and_folder_it_names_exists():
    for path in re.findall(r"`((?:tests|streaming|specs)/[\w./-]+)`", METHOD):
        assert (ROOT / path).exists(), path
    tests = (ROOT / "tests" / "streaming" / "gex" / "test_acceptance.py").read_text()
    for block in re.findall(r"`(?:test_acceptance.py`, `)?(test_block_\w_)\*`", METHOD):
        assert f"def {block}" in tests, block
