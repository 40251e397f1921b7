"""What pages list of figures and alerts is what `streaming.figures` and the kinds of alerts say."""

import re
from pathlib import Path

from bot.alerts.kinds.registry import KINDS
from streaming.figures import BOARD, FIGURES

SPECS = Path(__file__).resolve().parents[2] / "specs"


def cells(page, heading, column):
    """A column of the first table under a heading, without its head."""
    text = (SPECS / page).read_text().partition(f"{heading}\n")[2].partition("\n#")[0]
    rows = [line.split("|")[column].strip() for line in text.splitlines() if line.startswith("|")]
    return rows[2:]


def test_the_option_of_explain_lists_every_figure():
    [listed] = re.findall(r"^Figures: ([^.]+)\.$", (SPECS / "commands.md").read_text(), flags=re.MULTILINE)
    assert listed.replace("\n", " ").split(", ") == [figure.name for figure in FIGURES.values()]


def test_the_lines_of_the_board_are_those_of_the_table():
    listed = [name for cell in cells("gex-method.md", "## 2. What the board shows", 1) for name in cell.split(", ")]
    assert listed == [FIGURES[name].title.lower() for name in BOARD if name != "spot"]


def test_every_kind_of_alert_is_listed_as_it_is_offered():
    listed = " ".join(cells("alerts.md", "## What can be asked for", 1))
    offered = [kind.choice.removesuffix(" (value)").removeprefix("spot crosses ") for kind in KINDS.values()]
    assert [words for words in offered if words not in listed] == []
