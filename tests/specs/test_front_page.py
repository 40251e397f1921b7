"""README.md and what a stranger meets beside it: short, complete, and true of the program."""

import re
from pathlib import Path

import discord

from bot.wire.channel_access import NEEDED, missing_permissions

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
LONGEST_CELL = 350


def anchor(heading):
    """The address that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def cells(page):
    """Each cell of each table of a page."""
    rows = [line for line in page.read_text().splitlines() if line.startswith("|")]
    return [cell.strip() for row in rows for cell in re.split(r"(?<!\\)\|", row.strip("|"))]


def test_the_readme_stays_under_900_words():
    assert len(README.split()) < 900


def test_the_contents_list_leads_to_every_section_in_its_order():
    listed = re.findall(r"\]\(#([\w-]+)\)", README.partition("**Contents:**")[2].partition("\n\n")[0])
    assert listed == [anchor(heading) for heading in re.findall(r"^## (.+)$", README, flags=re.MULTILINE)]


def test_the_invite_link_asks_for_what_the_bot_needs_and_nothing_more():
    assert re.findall(r"discord\.com/oauth2/authorize\?\S*?permissions=(\d+)", README) == [str(NEEDED.value)]
    named = re.search(r"permissions=\d+`\s+\(\*([^*]+)\*\)", README)
    assert named is not None
    words = named[1].replace("View Channels", "View Channel")
    assert words.split(", ") == list(missing_permissions(discord.Permissions.none(), NEEDED))


def test_every_link_to_a_section_of_a_page_finds_its_heading():
    pages = [*ROOT.glob("*.md"), *(ROOT / "specs").rglob("*.md")]
    lost = []
    for page in pages:
        for path, section in re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", page.read_text()):
            there = page.parent / path if path else page
            headings = re.findall(r"^#+ (.+)$", there.read_text(), flags=re.MULTILINE)
            if section not in {anchor(heading) for heading in headings}:
                lost.append(f"{page.name}: {path}#{section}")
    assert lost == []


def test_no_cell_of_a_table_is_a_paragraph():
    pages = (ROOT / "README.md", *(ROOT / "specs").rglob("*.md"))
    long = [f"{page.name}: {cell[:60]}" for page in pages for cell in cells(page) if len(cell) > LONGEST_CELL]
    assert long == []


def test_whoever_reports_a_bug_or_a_figure_is_asked_for_the_output_of_check():
    forms = [path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml"]
    assert len(forms) == 3
    assert [path.name for path in forms if "run_bot.py --check" not in path.read_text()] == []
