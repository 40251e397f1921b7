"""An alert as a newcomer tries it: in the demo, in a browser, by direct message."""

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.e2e.conftest import Home, Program
from tests.e2e.test_demo import page_of, type_command
from tests.e2e.test_page import ARGS, WIDE
from tests.e2e.test_process import await_both_boards


@pytest.fixture
def page() -> Iterator[Page]:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield browser.new_page(viewport=WIDE)
        browser.close()


def test_a_guest_adds_an_alert_and_finds_it_in_the_direct_messages(demo: tuple[Home, Program], page: Page):
    url = page_of(demo[1])
    await_both_boards(url, within_s=20.0)
    page.goto(f"{url}?as=guest&channel=gex-spx")
    expect(page.get_by_text("net gex").first).to_be_visible(timeout=10_000)
    expect(page.get_by_text("Direct messages", exact=True)).to_be_hidden()
    type_command(page, "/alert add kind:zero_gamma symbol:SPX")
    expect(page.get_by_text(re.compile(r"Alert \d+ is set, by direct message"))).to_be_visible(timeout=10_000)
    page.locator("#direct").get_by_role("button", name="Gexcord").click()
    expect(page.get_by_text(re.compile(r"Alert \d+ is set: SPX: spot crosses zero gamma"))).to_be_visible(timeout=5_000)
    expect(page.get_by_role("heading", name="Gexcord", exact=True).first).to_be_visible()
    type_command(page, "/alert list")
    expect(page.get_by_text(re.compile("armed|cooling down|waiting for data"))).to_be_visible(timeout=10_000)
