"""tests/README.md: every module without a mirror test has a neighbour that proves it, and no other module is listed."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "tests" / "README.md").read_text()
LISTED = re.findall(r"^\| `([^`]+\.py)` \| `([^`]+\.py)` \|$", PAGE, flags=re.MULTILINE)
SOURCES = [
    path.relative_to(ROOT)
    for place in ("bot", "cogs", "streaming")
    for path in sorted((ROOT / place).rglob("*.py"))
    if not path.name.startswith("__")
]


def mirror(module):
    return ROOT / "tests" / module.parent / f"test_{module.name}"


@cache
def imported(path):
    """The project's files that a file imports, wherever in it; the painter it names, and the program it starts."""
    text = (ROOT / path).read_text()
    names = {f"bot.render.charts.kinds.{name}" for name in re.findall(r'painter="(\w+)\.', text)}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    names |= {"run_bot"} if "run_bot.py" in text else set()
    files = {Path(*name.split(".")).with_suffix(".py") for name in names}
    return {file for file in files if (ROOT / file).is_file()}


@cache
def reached(path):
    """Every file of the project behind a file's imports."""
    found, front = {path}, {path}
    while front:
        front = {file for one in front for file in imported(one)} - found
        found |= front
    return found


def test_the_modules_without_a_mirror_are_those_that_the_page_lists():
    listed = [module for module, _ in LISTED]
    assert listed == [module.as_posix() for module in SOURCES if not mirror(module).exists()]


@pytest.mark.parametrize(("module", "neighbour"), LISTED)
def test_a_neighbour_is_there_and_its_imports_lead_to_the_module(module, neighbour):
    assert Path(module) in reached(Path(neighbour))
