"""specs/ and the pages beside README.md: what they name exists."""

import re
from pathlib import Path

import pytest

from bot.settings import BotSettings
from streaming import errors
from streaming.bus import keys
from streaming.commands import cli
from streaming.settings import StreamSettings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*(ROOT / "specs").rglob("*.md"), *ROOT.glob("*.md")])
CODE = [path for place in ("bot", "cogs", "streaming", "tests") for path in (ROOT / place).rglob("*.py")]
TESTS = "\n".join(path.read_text() for path in CODE if path.name.startswith("test_"))
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def quoted(page):
    """Everything in single backticks, outside blocks of code."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL))


def one_by_one(quote):
    """`bot/feed/board, ledger` names two modules of a room, `tests/conformance/test_stream_07, 11` two files alike."""
    first, *others = quote.split(", ")
    room = first.rpartition("/")[0]
    return [re.sub(r"(?<=_)\d+$", r"\g<0>…", first), *(f"{room}/{name}" for name in others if name[:1].isalpha())]


def is_there(name):
    """Whether a path, perhaps a pattern or the first of several ("08…10"), names a file, a folder or a module."""
    pattern = re.sub("….*", "*", name).rstrip("/")
    return any(any(ROOT.glob(pattern + ending)) for ending in ("", ".py"))


@each_page
def test_every_file_of_the_project_that_a_page_names_is_there(page):
    known = {path.name for path in CODE}
    place = r"(bot|cogs|specs|streaming|tests)/\S+|test_\w+\.py"
    named = [name for quote in quoted(page) for name in one_by_one(quote) if re.fullmatch(place, name)]
    assert [name for name in named if not (is_there(name) if "/" in name else name in known)] == []


@each_page
def test_every_test_that_a_page_names_is_there(page):
    names = {name.partition("::")[2] or name for name in quoted(page) if re.fullmatch(r"(\S+::)?test_\w+\*?", name)}
    assert [name for name in names if f"def {name.rstrip('*')}" not in TESTS] == []


@each_page
def test_every_link_of_a_page_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_the_index_leads_to_every_page_and_schema():
    index = ROOT / "specs" / "README.md"
    linked = {(index.parent / link).resolve() for link in re.findall(r"\]\(([^)#\s]+)", index.read_text())}
    pages = {path for kind in ("*.md", "*.json") for path in index.parent.rglob(kind)} - {index}
    assert pages - linked == set()


@each_page
def test_every_setting_that_a_page_names_exists(page):
    known = {name.upper() for settings in (BotSettings, StreamSettings) for name in settings.model_fields}
    known.update(
        re.findall(r'"([A-Z][A-Z_]+)"', (ROOT / "streaming" / "schwab" / "login" / "other_programs.py").read_text())
    )
    named = {name.partition("=")[0] for name in quoted(page)}
    settings = {
        name for name in named if re.fullmatch(r"(GEX|SCHWAB|DISCORD|REDIS|ALERTS|GEXBOT|CBOE|API)_[A-Z_]+", name)
    }
    assert settings - known == set()


def test_the_contract_names_every_key_on_the_bus():
    contract = (ROOT / "specs" / "redis-contract.md").read_text()
    fixed = [value for name, value in vars(keys).items() if name.isupper()]
    of_a_ticker = [name("<TICKER>") for name in (keys.snapshot, keys.asked, keys.history, keys.replay_history)]
    named = [*fixed, *of_a_ticker, keys.source_lease("<source>", "<TICKER>")]
    assert [name for name in named if f"`{name}" not in contract] == []


def test_every_ticked_task_names_what_shows_it():
    tasks = [line for page in PAGES if page.name == "tasks.md" for line in page.read_text().splitlines()]
    ticked = [line for line in tasks if line.startswith("- [x]")]
    assert ticked
    assert [line for line in ticked if "→" not in line or not re.search(r"`[^`]+`", line.partition("→")[2])] == []


def test_the_table_of_exit_statuses_has_each_that_an_error_ends_with():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.GexcordError)]
    table = (ROOT / "specs" / "operations.md").read_text().partition("## Exit statuses")[2].partition("\n## ")[0]
    listed = {int(row) for row in re.findall(r"^\| (\d+) \|", table, flags=re.MULTILINE)}
    assert {kind.exit_status for kind in kinds} - listed == set()


def test_every_command_of_the_streamer_that_a_page_names_exists(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    offered = capsys.readouterr().out
    text = "\n".join(page.read_text() for page in PAGES)
    named = set(re.findall(r"python -m streaming ([a-z][a-z-]*)", text))
    assert len(named) > 5
    assert [name for name in named if not re.search(rf"^    {name}\b", offered, flags=re.MULTILINE)] == []
