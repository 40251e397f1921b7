"""The real bot in the demo: every command answered, every body one that Discord takes, chains of files shown."""

import json
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, expect, sync_playwright

from tests.data_builders.chains import made
from tests.e2e.conftest import URL, Home, Program
from tests.e2e.test_page import ARGS, PHONE, WIDE
from tests.e2e.test_process import await_both_boards, page_state
from tests.support.discord_bodies import problems_of
from tests.support.feed import without_colours

CHAINS = ("spx_intraday.csv", "ndx_schwab.json")


def page_of(program: Program) -> str:
    return URL.search(program.output).group(1)


def subcommand(url: str, persona: str, name: str) -> tuple[str, list[dict[str, Any]]]:
    """Command id and options of `gex status`, as the persona or the owner is offered it."""
    group, _, leaf = name.partition(" ")
    command = next(item for item in page_state(url, "owner")["commands"] if item["name"] == group)
    return command["id"], [{"type": 1, "name": leaf, "options": []}]


def order(url: str, persona: str, name: str, *, force: bool = False, **given: str) -> int:
    """Use a slash command and return the HTTP status of the page's API."""
    command_id, options = subcommand(url, persona, name)
    options[0]["options"] = [{"name": key, "type": 3, "value": value} for key, value in given.items()]
    body = {
        "as": persona,
        "type": "command",
        "channel_id": page_state(url)["channels"][0]["id"],
        "command_id": command_id,
        "options": options,
        "force": force,
    }
    request = urllib.request.Request(
        f"{url}api/page/interact", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def private_answers(url: str, persona: str) -> list[dict[str, Any]]:
    posts = [post for posts in page_state(url, persona)["messages"].values() for post in posts]
    return [post for post in posts if post["page"]["ephemeral_for"] == persona and not post["page"]["deferred"]]


def await_answer(url: str, persona: str, known: int, *, within_s: float = 45.0) -> dict[str, Any]:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        answers = private_answers(url, persona)
        if len(answers) > known:
            return max(answers, key=lambda post: int(post["id"]))
        time.sleep(0.1)
    raise AssertionError(f"no answer among {len(private_answers(url, persona))}")


def answer_to(url: str, name: str) -> dict[str, Any]:
    """What the owner is answered."""
    known = len(private_answers(url, "owner"))
    assert order(url, "owner", name) == 202
    return await_answer(url, "owner", known)


COMMANDS = (
    "gex status",
    "gex levels",
    "gex chart",
    "gex history",
    "stream status",
    "token status",
    "token refresh",
    "token login",
    "token doctor",
    "stream start",
)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_owner_gets_a_private_answer_to(demo: tuple[Home, Program], name: str):
    url = page_of(demo[1])
    await_both_boards(url, within_s=20.0)
    answer = answer_to(url, name)
    for _ in range(20):
        if "no history of this day yet" not in json.dumps(answer):  # there is one five seconds after the first figures
            break
        time.sleep(1.0)
        answer = answer_to(url, name)
    assert answer["content"] or answer["embeds"] or answer["attachments"]
    assert "went wrong" not in json.dumps(answer)
    assert "FAIL" not in answer["content"]
    if name in {"gex chart", "gex history"}:
        (picture,) = answer["attachments"] or [embed["image"] for embed in answer["embeds"]]
        with urllib.request.urlopen(urljoin(url, picture["url"]), timeout=5) as file:
            assert file.read(8) == b"\x89PNG\r\n\x1a\n"


def test_a_live_message_gets_the_picture_and_the_weight_that_its_admin_orders(demo: tuple[Home, Program]):
    url = page_of(demo[1])
    await_both_boards(url, within_s=20.0)
    assert order(url, "owner", "feed set", picture="strikes", weight="vol") == 202
    channel_id, deadline = page_state(url)["channels"][0]["id"], time.monotonic() + 20.0
    while not (live := page_state(url)["messages"][channel_id][-1])["attachments"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert "by vol, " in live["content"]
    assert "by today's volume" in live["attachments"][0]["description"]
    assert order(url, "owner", "feed set", picture="none", weight="mixed") == 202


@pytest.mark.parametrize("name", ["stream stop", "token refresh"])
def test_a_guest_is_not_offered_operator_commands_and_is_refused_by_the_bot_itself(
    demo: tuple[Home, Program], name: str
):
    url = page_of(demo[1])
    await_both_boards(url, within_s=20.0)
    assert {command["name"] for command in page_state(url, "guest")["commands"]} == {"gex", "alert", "about", "help"}
    assert order(url, "guest", name) == 403
    known = len(private_answers(url, "guest"))
    assert order(url, "guest", name, force=True) == 202
    assert "operator" in json.dumps(await_answer(url, "guest", known)).lower()
    assert len(await_both_boards(url, within_s=5.0)) == 2


def traffic_of_commands(url: str) -> dict[str, Any]:
    """What the bot has sent, four commands included."""
    for name in COMMANDS[:4]:
        known = len(private_answers(url, "owner"))
        order(url, "owner", name)
        await_answer(url, "owner", known)
    with urllib.request.urlopen(f"{url}api/page/traffic?requests=1", timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def test_every_body_the_bot_has_sent_is_one_that_discord_takes(demo: tuple[Home, Program]):
    traffic = traffic_of_commands(page_of(demo[1]))
    records = [SimpleNamespace(**request) for request in traffic["requests"]]
    assert len(records) > 5
    assert problems_of(records) == []
    assert traffic["violations"] == 0
    assert "429" not in traffic["statuses"]


def check_market_of(home: Home, chain: Path, ticker: str) -> None:
    """The demo on a chain's file shows its ticker, dated, beside a simulated one."""
    program = home.bot("--demo", "--chain", str(chain))
    url = program.wait_for(URL, within_s=60.0).group(1)
    texts = await_both_boards(url, within_s=25.0)
    assert f"gex-{ticker}" in texts
    assert re.search(rf"GEX: {ticker.upper()}\s+\d", texts[f"gex-{ticker}"])
    (other,) = texts.keys() - {f"gex-{ticker}"}
    assert re.search(r"FILE OF \d+ \w{3} 20\d\d", without_colours(texts[f"gex-{ticker}"]))
    assert "SIMULATED" in texts[other]
    assert not any("· live" in text for text in texts.values())
    assert program.stop() == 0


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_of_a_file_becomes_the_market_of_the_demo(home: Home, name: str):
    check_market_of(home, made(name).write(home.path / name), name.partition("_")[0])


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield browser.new_page(viewport=WIDE)
        browser.close()


def type_command(page: Page, text: str) -> None:
    page.get_by_role("combobox").last.fill(text)
    page.keyboard.press("Enter")


def test_in_a_browser_the_board_ticks_and_gex_status_is_answered(demo: tuple[Home, Program], browser_page: Page):
    url = page_of(demo[1])
    await_both_boards(url, within_s=20.0)
    browser_page.goto(f"{url}?as=owner")
    board = browser_page.get_by_text("net gex").first
    expect(board).to_be_visible(timeout=10_000)
    before = browser_page.locator("main").inner_text()
    browser_page.wait_for_timeout(2500)
    assert browser_page.locator("main").inner_text() != before
    type_command(browser_page, "/gex status")
    expect(browser_page.get_by_text("Only you can see this").last).to_be_visible(timeout=10_000)


def test_in_a_browser_a_guest_is_refused_and_a_phone_shows_the_board(demo: tuple[Home, Program], browser_page: Page):
    url = page_of(demo[1])
    browser_page.set_viewport_size(PHONE)
    browser_page.goto(f"{url}?as=guest")
    expect(browser_page.get_by_text("net gex").first).to_be_visible(timeout=10_000)
    assert browser_page.evaluate("document.documentElement.scrollWidth") <= 390
    type_command(browser_page, "/stream stop")
    expect(browser_page.get_by_text(re.compile("operator", re.IGNORECASE)).last).to_be_visible(timeout=10_000)


def test_in_a_browser_the_owner_logs_in_at_the_simulated_schwab(demo: tuple[Home, Program], browser_page: Page):
    page = browser_page
    page.set_viewport_size(WIDE)
    page.goto(f"{page_of(demo[1])}?as=owner")
    expect(page.get_by_text("net gex").first).to_be_visible(timeout=10_000)
    links = page.get_by_role("link", name="Open Schwab's login page")
    known = links.count()
    type_command(page, "/token login")
    expect(links).to_have_count(known + 1, timeout=8000)
    assert page.context.browser is not None
    schwab = page.context.browser.new_page()
    ended_at: list[str] = []
    schwab.on("request", lambda request: ended_at.append(request.url))
    with suppress(PlaywrightError):  # the callback is a page of this machine that nothing serves, as with Schwab
        schwab.goto(links.last.get_attribute("href") or "")
    schwab.close()
    assert ended_at[-1].startswith("https://127.0.0.1:8182/?code=")
    page.get_by_role("button", name="Paste the redirect URL").last.click()
    form = page.get_by_role("dialog")
    form.get_by_role("textbox").fill(ended_at[-1])
    form.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("You are logged in at Schwab.")).to_be_visible(timeout=8000)
    expect(page.get_by_text("Schwab login: good").last).to_be_visible()
    expect(links).to_have_count(known)


AT_ONCE = ("gateway", "socket", "token", "redis")
LASTING = ("429", "5xx", "ban_page", "chain", "engine")


def test_in_a_browser_every_button_makes_trouble_and_the_bot_recovers(demo: tuple[Home, Program], browser_page: Page):
    url = page_of(demo[1])
    await_both_boards(url, within_s=20.0)
    browser_page.set_viewport_size(WIDE)
    browser_page.goto(f"{url}?as=owner")
    buttons = browser_page.locator("#levers [data-trouble]")
    expect(buttons).to_have_count(len(AT_ONCE) + len(LASTING))
    for name in AT_ONCE:
        browser_page.locator(f"[data-trouble='{name}']").click()
        came = browser_page.locator(f"#trials [data-trial='{name}']")
        expect(came).to_have_attribute("data-state", "recovered", timeout=10_000)
    for name in LASTING:
        browser_page.locator(f"[data-trouble='{name}']").click()
    expect(browser_page.locator("#trials [data-state=on]")).to_have_count(len(LASTING))
    browser_page.wait_for_timeout(1000)
    browser_page.locator("#end-trouble").click()
    recovered = browser_page.locator("#trials [data-state=recovered]")
    expect(recovered).to_have_count(len(AT_ONCE) + len(LASTING), timeout=20_000)
    gauges = browser_page.locator("#gauges")
    expect(gauges).to_contain_text(re.compile(r"last figures took\s*[\d.]+ ms"))
    expect(gauges).to_contain_text(re.compile(r"sessions resumed\s*[1-9]"))


OPEN = re.compile(r"Open (http://127\.0\.0\.1:\d+/)")


def test_in_a_browser_the_bot_that_leads_of_two_stands_still_and_the_other_goes_on(home: Home, browser_page: Page):
    program = home.bot("--demo", "--two")
    url = program.wait_for(OPEN, within_s=30.0).group(1)
    await_both_boards(url, within_s=30.0)
    browser_page.set_viewport_size(WIDE)
    browser_page.goto(f"{url}?as=owner")
    leads = browser_page.locator("#gauges").get_by_text(re.compile(r"^bot [12]$"))
    expect(leads).to_be_visible(timeout=10_000)
    led = leads.inner_text()
    browser_page.locator("[data-trouble='leader']").click()
    expect(browser_page.locator("#trials [data-trial='leader']")).to_have_attribute("data-state", "on")
    before = page_state(url)["messages"]
    expect(leads).to_have_text({"bot 1": "bot 2", "bot 2": "bot 1"}[led], timeout=15_000)
    deadline = time.monotonic() + 15.0
    while (posts := page_state(url)["messages"]) == before or any(len(each) > 1 for each in posts.values()):
        assert time.monotonic() < deadline, "nothing was edited, or a second message was posted and stays"
        time.sleep(0.1)
