"""Pictures as a newcomer looks at them: in the demo, in a browser, by their buttons."""

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.e2e.conftest import Home, Program
from tests.e2e.test_demo import page_of, type_command
from tests.e2e.test_page import ARGS, PHONE, WIDE
from tests.e2e.test_process import await_both_boards


@pytest.fixture
def page(demo: tuple[Home, Program]) -> Iterator[Page]:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("no Chromium on this machine")
    url = page_of(demo[1])
    await_both_boards(url, within_s=20.0)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        page = browser.new_page(viewport=WIDE)
        page.goto(f"{url}?as=owner&channel=gex-spx")
        expect(page.get_by_text("net gex").first).to_be_visible(timeout=10_000)
        yield page
        browser.close()


def answer_of(page: Page, command: str) -> Locator:
    """The newest message that answers a command, once it is there."""
    used = page.locator(".used-name", has_text=re.compile(f"^{command}$"))
    messages = page.locator(".message", has=used)
    before = messages.count()
    type_command(page, f"/{command}")
    expect(messages).to_have_count(before + 1, timeout=10_000)
    return messages.nth(before)


def shows(message: Locator, words: str) -> None:
    """The one picture of a message is loaded, at its full size, and says in words what it is."""
    picture = message.locator("img[alt]:not([alt=''])").last
    expect(picture).to_have_attribute("alt", re.compile(words), timeout=15_000)
    expect(picture).to_be_visible()
    assert picture.evaluate(
        "async node => { await node.decode(); return [node.naturalWidth, node.naturalHeight]; }"
    ) == [
        1440,
        960,
    ]


def test_every_button_changes_the_picture_in_place(page: Page):
    message = answer_of(page, "gex chart")
    shows(message, "^SPX: net GEX by strike, by open interest, expiries up to 90 days")
    shown = "Strikes"
    for label, words in (
        ("Zero", "by strike, by open interest, the nearest expiry"),
        ("Profile", "if spot moved, by open interest, the nearest expiry"),
        ("Volume", "if spot moved, by today's volume, the nearest expiry"),
        ("Ladder", "calls and puts by strike, by today's volume, the nearest expiry"),
        ("History", "spot and levels of the day, by today's volume, the nearest expiry"),
        ("Map", "if price and time get there, by today's volume, the nearest expiry"),
        ("Heatmap", "by strike and time, by today's volume, expiries up to 90 days"),
    ):
        if label == "Volume":
            message.get_by_role("button", name=label, exact=True).click()
        else:
            menu = "Full" if label == "Zero" else shown
            message.get_by_role("button", name=menu, exact=True).click()
            page.get_by_role("option", name=re.compile(f"^{label}")).click()
            shown = shown if label == "Zero" else label
        shows(message, words)
    expect(message.get_by_role("button", name="Full", exact=True)).to_be_disabled()
    message.get_by_role("button", name="Light", exact=True).click()
    expect(message.get_by_role("button", name="Dark", exact=True)).to_be_visible(timeout=15_000)
    message.get_by_role("button", name="SPX", exact=True).click()
    page.get_by_role("option", name="NDX", exact=True).click()
    shows(message, "^NDX: net GEX by strike and time")


def test_a_history_is_a_table_over_its_picture_on_a_phone(page: Page):
    page.set_viewport_size(PHONE)
    message = answer_of(page, "gex history")
    shows(message, "^SPX: spot and levels of the day, by open interest")
    table = message.locator("pre")
    expect(table).to_contain_text("net GEX in $")
    assert table.evaluate("node => node.scrollWidth <= node.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
