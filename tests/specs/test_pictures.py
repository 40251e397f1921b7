"""The pictures of the pages are those that `python -m tests.pictures` makes, each shown, each there, none too large."""

import re
import struct
from pathlib import Path

import pytest

from tests.pictures.scrapes import Scrapes, legend, worded
from tests.pictures.wanted import FOLDER, MOST_BYTES, MOST_PIXELS, PICTURES

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "specs").rglob("*.md")]


def shown():
    """The file of every picture that a page shows, as Markdown or as HTML."""
    for page in PAGES:
        for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)|<img src=\"([^\"]+)\"", page.read_text()):
            yield (page.parent / "".join(path)).resolve()


def test_each_picture_a_page_shows_is_made_by_the_command_and_each_it_makes_is_shown():
    assert {path.name for path in shown()} == PICTURES.keys()
    assert {path.parent for path in shown()} == {FOLDER}


def test_no_listed_picture_is_missing_and_no_other_lies_there():
    assert {path.name for path in FOLDER.iterdir()} == PICTURES.keys()


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_of_a_size_to_look_at(name):
    picture = (FOLDER / name).read_bytes()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", picture[16:24])
    assert width <= MOST_PIXELS[0] and height <= MOST_PIXELS[1]
    assert len(picture) <= MOST_BYTES


def test_every_picture_has_words_for_those_who_do_not_see_it():
    texts = "\n".join(page.read_text() for page in PAGES)
    markdown = re.findall(r"!\[([^\]]*)\]\([^)]+\)", texts)
    html = [re.search(r'alt="([^"]+)"', tag) for tag in re.findall(r"<img [^>]+>", texts)]
    assert all(words.strip() for words in markdown)
    assert all(html)


@pytest.fixture
def scrapes():
    """Of a counter that grows by 10 in 5 s, and of two states."""
    kept = Scrapes("http://127.0.0.1:1/metrics")
    for at in (0.0, 5.0, 62.0):
        kept.series["edits_total"][("ticker", "SPX"),].append((at, at * 2))
        for state, value in (("live", 1.0), ("down", 0.0)):
            kept.series["state"][("state", state),].append((at, value))
    return kept


def test_the_drawn_board_asks_as_prometheus_would(scrapes):
    spx = (("ticker", "SPX"),)
    assert scrapes.answer('rate(edits_total{instance=~"$instance"}[1m])') == {spx: [(5.0, 2.0), (62.0, 2.0)]}
    assert scrapes.answer("increase(edits_total[1m])") == {spx: [(5.0, 10.0), (62.0, 114.0)]}
    assert scrapes.answer('edits_total{ticker="NDX"}') == {}
    assert list(scrapes.answer("state == 1")) == [(("state", "live"),)]
    with pytest.raises(ValueError, match="not drawn yet"):
        scrapes.answer("sum(state)")


def test_figures_of_the_drawn_board_have_their_units():
    assert legend("{{ticker}} spot", (("ticker", "SPX"),)) == "SPX spot"
    assert [worded(*figure) for figure in ((601_200.0, "s"), (-37.3e9, "currencyUSD"), (2.0**20, "bytes"))] == [
        "6.96 days",
        "−$37.3 Bil",
        "1 MiB",
    ]
