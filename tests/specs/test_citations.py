"""What code and pages cite is in this repository: each book, and each section of it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = [path for place in ("bot", "cogs", "streaming", "tests") for path in sorted((ROOT / place).rglob("*.py"))]
CODE = {path.relative_to(ROOT).as_posix(): path.read_text() for path in FILES if path.name != Path(__file__).name}
BOOKS = {f"specs/{name}": (ROOT / "specs" / name).read_text() for name in ("gex-method.md", "schwab-wire.md")}
OF_OTHERS = re.compile(r"RFC \d+ §[\d.]+")
"""Standards are cited by their own number."""
CITED = re.compile(r"(specs/[\w/-]+\.md)|§(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?")
PAGE = re.compile(r"[\w./-]*\w\.md\b")


def sections(text):
    """The numbers of a book's headings: 3, 3.1, …"""
    return set(re.findall(r"^#+ (\d+(?:\.\d+)?)\.? ", text, flags=re.MULTILINE))


def range_of(first, last):
    """§2.6-2.13 is a claim about every section between."""
    if not last:
        return [first]
    chapter, _, start = first.rpartition(".")
    end = int(last.rpartition(".")[2])
    return [f"{chapter}.{number}" if chapter else str(number) for number in range(int(start), end + 1)]


def citations(text, book=None):
    """(book, section) of each citation: a section is of the book named last before it, else of `book`."""
    for named, first, last in CITED.findall(OF_OTHERS.sub("", text)):
        book = named or book
        for number in range_of(first, last) if first else ():
            yield book, number


def unresolved(text, book=None):
    found = {name: sections(content) for name, content in BOOKS.items()}
    return [(name, number) for name, number in citations(text, book) if number not in found.get(name, ())]


@pytest.mark.parametrize("path", [path for path, text in CODE.items() if "§" in text])
def test_every_section_that_code_cites_exists(path):
    assert unresolved(CODE[path]) == []


@pytest.mark.parametrize("book", BOOKS)
def test_every_section_that_a_book_cites_exists(book):
    assert unresolved(BOOKS[book], book) == []


@pytest.mark.parametrize("book", BOOKS)
def test_the_sections_of_a_book_follow_one_another(book):
    numbers = re.findall(r"^## (\d+)\. ", BOOKS[book], flags=re.MULTILINE)
    assert numbers == [str(place) for place in range(1, len(numbers) + 1)]


def test_no_page_is_named_that_is_not_here():
    places = [*(ROOT / "specs").rglob("*.md"), *(ROOT / "tests").rglob("*.md"), *ROOT.glob("*.md")]
    pages = {page.relative_to(ROOT).as_posix(): page for page in places}
    texts = CODE | {name: page.read_text() for name, page in pages.items()}
    named = {(path, name) for path, text in texts.items() for name in PAGE.findall(text)}
    assert [found for found in sorted(named) if not any(page.endswith(found[1].lstrip("./")) for page in pages)] == []
