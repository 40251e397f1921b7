"""The page in a real browser, on the local Discord, with a real discord.py bot behind it."""

import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Locator, Page, ViewportSize, async_playwright, expect
from pydantic import SecretStr

from bot.render.card import card_text, layout_of
from bot.sandbox.local_discord import Sandbox, open_sandbox
from bot.sandbox.visitor.backstage import Gauge, GaugeLine
from streaming.clock import SystemClock
from streaming.errors import GexcordError
from streaming.process.http_bodies import open_client
from streaming.process.loopback import loopback_port
from streaming.schwab.login.auth_client import SchwabAuthClient
from streaming.schwab.login.callback_port import serve_callback
from streaming.schwab.login.listener import server_context
from streaming.schwab.login.served_callback import ServedCallback
from streaming.schwab.login.token_store import TokenStore
from streaming.sim.local_schwab import open_sim
from streaming.sim.world.market import Market
from tests.support.page_bot import REFUSAL, PageBot, open_page_bot

pytestmark = pytest.mark.asyncio(loop_scope="module")

ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)
GREEN, RED = "rgb(133, 153, 0)", "rgb(220, 50, 47)"
HEADLINE = "GEX: NQ_NDX  25061.25  Δ +12.50 +0.05%   schwab · live"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("no Chromium on this machine")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with open_sandbox(answer_within_s=1.0) as sandbox:
        yield sandbox


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(sandbox: Sandbox) -> AsyncIterator[PageBot]:
    async with open_page_bot(sandbox) as bot:
        yield bot


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, sandbox: Sandbox, bot: PageBot) -> AsyncIterator[Page]:
    page, errors = await open_page(browser, sandbox.page_url)
    yield page
    await page.context.close()
    assert errors == []


@pytest_asyncio.fixture(loop_scope="module")
async def phone(browser: Browser, sandbox: Sandbox, bot: PageBot) -> AsyncIterator[Page]:
    page, errors = await open_page(browser, sandbox.page_url, PHONE)
    yield page
    await page.context.close()
    assert errors == []


async def open_page(browser: Browser, url: str, viewport: ViewportSize = WIDE) -> tuple[Page, list[str]]:
    """A page that has read the state, and what its scripts complained of."""
    context = await browser.new_context(viewport=viewport, locale="en-US", has_touch=viewport is PHONE)
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(url)
    await live(page)
    return page, errors


async def live(page: Page) -> None:
    await expect(page.locator("#app")).to_have_attribute("data-live", "true")


async def become(page: Page, persona: str) -> None:
    await page.locator(f"[data-persona={persona}]").click()
    await expect(page.locator(f"[data-persona={persona}]")).to_have_attribute("aria-pressed", "true")
    await live(page)


async def run(page: Page, text: str) -> None:
    await page.get_by_role("combobox").last.fill(text)
    await page.keyboard.press("Enter")


async def ask(page: Page, command: str) -> Locator:
    """Run a command and wait for the answer that was not there before."""
    before = await answers(page, command).count()
    await run(page, f"/{command}")
    await expect(answers(page, command)).to_have_count(before + 1)
    return answers(page, command).nth(before)


def answers(page: Page, command: str) -> Locator:
    """The bot's answers to one command, oldest first."""
    used = page.locator(".used-name", has_text=re.compile(f"^{command}$"))
    return page.locator(".message", has=used).filter(has_not=page.locator(".pending, .failed"))


def ansi(*lines: str) -> str:
    return "\n".join(("```ansi", *lines, "```"))


async def test_a_typed_command_is_answered_for_the_person_alone(page: Page) -> None:
    answer = await ask(page, "gex status")
    await expect(answer).to_contain_text("All is well")
    await expect(answer.locator(".embed strong")).to_have_text("open")
    await expect(answer.locator(".field-name")).to_have_text(["stream", "redis"])
    await expect(answer.locator(".only-you")).to_contain_text("Only you can see this")
    await expect(answer.locator(".app-tag")).to_have_text("APP")
    await expect(page.locator(".pending")).to_have_count(0)


async def test_a_slash_offers_what_fits_and_keys_choose(page: Page) -> None:
    entry = page.locator("#entry")
    await entry.fill("/")
    rows = page.locator("#suggest [role=option]")
    await expect(rows.locator(".suggest-title")).to_contain_text(
        ["/gex status", "/gex levels", "/gex chart", "/stream start", "/note", "/slow"]
    )
    await entry.fill("/ge")
    await expect(rows).to_have_count(3)
    await page.keyboard.press("ArrowDown")
    await expect(rows.nth(1)).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Tab")
    await expect(page.locator(".command-name")).to_have_text("/gex levels")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await expect(entry).to_be_visible()


async def test_options_are_completed_by_the_bot_and_checked_before_sending(page: Page, bot: PageBot) -> None:
    entry = page.locator("#entry")
    await entry.press_sequentially("/gex levels ")
    await expect(page.locator("#suggest [role=option]")).to_have_text(["SPX", "SPY", "NDX", "NQ_NDX"])
    await page.keyboard.type("nq")
    await expect(page.locator("#suggest [role=option]")).to_have_text(["NQ_NDX"])
    await page.keyboard.press("Enter")
    await page.keyboard.type("weight:")
    await page.locator("#suggest [role=option]", has_text="open interest").click()
    await page.keyboard.type("strikes:400")
    await page.keyboard.press("Enter")
    await expect(page.locator("#problem")).to_have_text("strikes must be at most 60.")
    for _ in range(3):
        await page.keyboard.press("Backspace")
    await page.keyboard.type("40")
    await page.keyboard.press("Enter")
    await expect(answers(page, "gex levels").last).to_contain_text("levels of NQ_NDX")
    assert bot.asked[-1] == {"symbol": "NQ_NDX", "weight": "oi", "strikes": 40}


async def test_a_missing_required_option_is_asked_for(page: Page, bot: PageBot) -> None:
    asked = len(bot.asked)
    await run(page, "/gex levels")
    await expect(page.locator(".pill-name")).to_have_text(["symbol"])
    await page.keyboard.press("Escape")
    await page.locator(".send").click()
    await expect(page.locator("#problem")).to_have_text("This option is required.")
    assert len(bot.asked) == asked


async def test_a_guest_is_not_offered_operator_commands_and_is_refused_by_the_bot(page: Page) -> None:
    await become(page, "guest")
    await page.locator("#entry").fill("/")
    await expect(page.locator("#suggest .suggest-title", has_text="/gex status")).to_be_visible()
    await expect(page.locator("#suggest .suggest-title", has_text="/stream")).to_have_count(0)
    await run(page, "/stream start")
    await expect(page.locator(".failed").last).to_contain_text("guest is not offered /stream", ignore_case=True)
    await expect(answers(page, "stream start").last).to_contain_text(REFUSAL)
    await become(page, "owner")
    await run(page, "/stream start")
    await expect(answers(page, "stream start").last).to_contain_text("started")


async def test_a_private_answer_is_seen_by_nobody_else_and_can_be_dismissed(page: Page) -> None:
    await expect(await ask(page, "gex status")).to_be_visible()
    await become(page, "guest")
    await expect(answers(page, "gex status")).to_have_count(0)
    await become(page, "owner")
    before = await answers(page, "gex status").count()
    await answers(page, "gex status").last.get_by_role("button", name="Dismiss message").click()
    await expect(answers(page, "gex status")).to_have_count(before - 1)
    await page.reload()
    await live(page)
    await expect(answers(page, "gex status")).to_have_count(before - 1)


async def test_an_edit_changes_only_its_message_and_never_scrolls_the_reader(
    page: Page, bot: PageBot, sandbox: Sandbox
) -> None:
    channel = bot.board(sandbox.channel_ids["gex-spx"])
    message = await channel.send("\n".join(f"line {number}" for number in range(60)))
    row = page.locator(f"article[data-message='{message.id}']")
    await expect(row).to_contain_text("line 59")
    await row.evaluate("node => { window.marked = node; }")
    await page.locator("#scroller").evaluate("node => { node.scrollTop -= 300; }")
    await expect(page.locator("#jump")).to_be_visible()
    top = await page.locator("#scroller").evaluate("node => node.scrollTop")
    await message.edit(content="\n".join(f"row {number}" for number in range(70)))
    await expect(row).to_contain_text("row 69")
    await expect(row.locator(".edited")).to_have_text("(edited)")
    assert await row.evaluate("node => window.marked === node && node.isConnected")
    assert await page.locator("#scroller").evaluate("node => node.scrollTop") == top
    await page.locator("#jump").click()
    await message.edit(content="\n".join(f"end {number}" for number in range(90)))
    await expect(row).to_contain_text("end 89")
    gap = "node => node.scrollHeight - node.clientHeight - node.scrollTop"
    assert await page.locator("#scroller").evaluate(gap) < 2
    await message.delete()
    await expect(row).to_have_count(0)


async def test_ansi_colours_reach_the_screen_and_nothing_becomes_markup(
    page: Page, bot: PageBot, sandbox: Sandbox
) -> None:
    channel = bot.board(sandbox.channel_ids["gex-spx"])
    board = ansi("\x1b[2;32mup\x1b[0m \x1b[1;31mdown\x1b[0m", "<b>plain</b>")
    text = f"{board}\n**bold** `code` <img src=x onerror=alert(1)> <t:0:R> [x](javascript://alert(1)) ||hidden||"
    message = await channel.send(text)
    row = page.locator(f"article[data-message='{message.id}']")
    await expect(row.locator("pre span", has_text="up")).to_have_css("color", GREEN)
    down = row.locator("pre span", has_text="down")
    await expect(down).to_have_css("color", RED)
    await expect(down).to_have_css("font-weight", "700")
    await expect(row.locator("pre")).to_contain_text("<b>plain</b>")
    await expect(row.locator("strong")).to_have_text("bold")
    await expect(row.locator("time[data-relative]")).to_contain_text("years ago")
    await expect(row.locator("img:not(.avatar img), a, b")).to_have_count(0)
    spoiler = row.locator(".spoiler")
    await spoiler.click()
    await expect(spoiler).to_have_attribute("aria-expanded", "true")
    await message.delete()


async def test_a_reload_keeps_messages_channel_and_persona(page: Page, bot: PageBot, sandbox: Sandbox) -> None:
    message = await bot.board(sandbox.channel_ids["gex-ndx"]).send("still here")
    await expect(page.locator(".channel.unread")).to_have_text("gex-ndx")
    await page.locator(".channel", has_text="gex-ndx").click()
    await become(page, "guest")
    await page.reload()
    await live(page)
    await expect(page.locator("#channel-name")).to_have_text("gex-ndx")
    await expect(page.locator("[data-persona=guest]")).to_have_attribute("aria-pressed", "true")
    await expect(page.locator(f"article[data-message='{message.id}']")).to_contain_text("still here")


async def test_a_button_and_a_select_change_their_message(page: Page) -> None:
    answer = await ask(page, "gex status")
    await answer.get_by_role("button", name="Refresh").click()
    await expect(answer).to_contain_text("refreshed 1")
    await answer.get_by_role("button", name="Choose a scope").click()
    await page.get_by_role("option", name="full").click()
    await expect(answer).to_contain_text("scope full")
    await expect(answer.get_by_role("button", name="Off")).to_be_disabled()
    await answer.get_by_role("button", name="Silent").click()
    await expect(answer.locator(".failure")).to_have_text("The application did not respond")


async def test_a_modal_checks_its_fields_and_reaches_the_bot(page: Page) -> None:
    await run(page, "/note")
    dialog = page.get_by_role("dialog", name="Leave a note")
    await dialog.get_by_role("button", name="Submit").click()
    await expect(dialog.locator(".field-problem").first).to_have_text("This field is required.")
    await dialog.get_by_label("Subject").fill("ab")
    await dialog.get_by_role("button", name="Submit").click()
    await expect(dialog.locator(".field-problem").first).to_have_text("Must be 3 or more in length.")
    await dialog.get_by_label("Subject").fill("gamma")
    await dialog.get_by_label("Words").fill("is short")
    await dialog.get_by_role("button", name="Submit").click()
    await expect(dialog).to_have_count(0)
    await expect(page.locator(".message", has_text="noted gamma is short")).to_be_visible()


async def test_a_slow_answer_is_thinking_and_then_a_picture_with_its_words(page: Page) -> None:
    answer = await ask(page, "gex chart")
    await expect(answer.locator(".thinking")).to_contain_text("is thinking…")
    picture = answer.get_by_role("img", name="Bars by strike")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("node => node.naturalWidth") == 40
    await expect(answer.locator(".embed").get_by_role("img", name="In the embed")).to_be_visible()
    await expect(answer.locator(".body > .picture")).to_have_count(1)
    await picture.click()
    await expect(page.locator(".lightbox")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator(".lightbox")).to_have_count(0)


async def test_a_bot_that_does_not_answer_is_reported(page: Page) -> None:
    await run(page, "/slow")
    await expect(page.locator(".pending")).to_be_visible()
    await expect(page.locator(".failed").last).to_have_text("The application did not respond")
    await expect(page.locator(".pending")).to_have_count(0)


async def test_a_card_shows_its_colour_its_parts_and_dots_for_its_arrows(
    page: Page, bot: PageBot, sandbox: Sandbox
) -> None:
    text = card_text([["### GEX: SPX 6900.25", "Δ +1.00 🟢▲"], ["call wall **6950**"]], "amplified")
    message = await bot.board(sandbox.channel_ids["gex-spx"]).send(view=layout_of(text))
    card = page.locator(f"article[data-message='{message.id}'] .container")
    await expect(card).to_have_css("border-left-color", "rgb(218, 55, 60)")
    await expect(card.locator("h3")).to_have_text("GEX: SPX 6900.25")
    await expect(card.locator("hr")).to_have_count(1)
    await expect(card.locator("strong")).to_have_text("6950")
    await expect(card.locator(".dot.up")).to_have_count(1)


async def test_a_phone_shows_the_board_whole_and_reaches_everything(
    phone: Page, bot: PageBot, sandbox: Sandbox
) -> None:
    message = await bot.board(sandbox.channel_ids["gex-spx"]).send(ansi(f"\x1b[1;32m{HEADLINE}\x1b[0m"))
    board = phone.locator(f"article[data-message='{message.id}'] pre")
    await expect(board).to_be_visible()
    measure = "node => [node.scrollWidth, node.clientWidth, parseFloat(getComputedStyle(node).fontSize)]"
    widths = await board.evaluate(measure)
    assert widths[0] <= widths[1]
    assert widths[2] == 14
    colours = "node => new Set([node, node.querySelector('span')].map((one) => getComputedStyle(one).color)).size"
    assert await board.evaluate(colours) == 1, "a phone colours no block"
    assert await phone.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    await expect(phone.locator("#entry")).to_be_in_viewport()
    await expect(phone.locator("#sidebar")).not_to_be_in_viewport()
    await phone.get_by_role("button", name="Channels", exact=True).tap()
    await phone.locator(".channel", has_text="gex-ndx").tap()
    await expect(phone.locator("#channel-name")).to_have_text("gex-ndx")
    await expect(phone.locator("#sidebar")).not_to_be_in_viewport()
    await phone.get_by_role("button", name="Slash commands").tap()
    await phone.locator("#suggest [role=option]", has_text="/gex status").tap()
    await phone.get_by_role("button", name="Send").tap()
    await expect(answers(phone, "gex status").last).to_contain_text("All is well")
    await message.delete()


async def test_the_page_comes_back_by_itself_after_the_server_does(browser: Browser) -> None:
    async with open_sandbox() as first:
        url = first.page_url
        page, errors = await open_page(browser, url)
    await expect(page.locator("#banner")).to_be_visible()
    async with open_sandbox(port=int(url.rsplit(":", 1)[1].strip("/"))) as second:
        await live(page)
        await expect(page.locator("#banner")).to_be_hidden()
        assert second.hub.viewers == 1
        await page.context.close()
    assert errors == []


async def test_the_panel_shows_text_as_text_and_is_a_drawer_on_a_phone(phone: Page, sandbox: Sandbox) -> None:
    async def read() -> tuple[GaugeLine, ...]:
        return (GaugeLine("<b>name</b>", "<img src=x onerror=alert(1)>"), GaugeLine("grows", 1000, counts=True))

    sandbox.backstage.add(Gauge("<i>title</i>", read))
    panel = phone.locator("#backstage")
    await expect(panel).to_be_hidden()
    await expect(phone.locator(".simulated")).to_be_visible()
    await phone.locator("#open-backstage").click()
    gauge = panel.locator(".gauge", has_text="<i>title</i>")
    await expect(gauge.locator("dt").first).to_have_text("<b>name</b>")
    await expect(gauge.locator("dd").first).to_have_text("<img src=x onerror=alert(1)>")
    await expect(gauge.locator("dd").nth(1)).to_contain_text("1,000")
    await panel.locator("#close-backstage").click()
    await expect(panel).to_be_hidden()


async def test_a_button_of_the_panel_makes_trouble_and_says_what_came_of_it(page: Page, sandbox: Sandbox) -> None:
    button = page.locator("[data-trouble='5xx']")
    await button.click()
    await expect(page.locator("#trials li").first).to_have_attribute("data-state", "on")
    await expect(button).to_have_attribute("aria-busy", "true")
    await page.locator("#end-trouble").click()
    await expect(button).to_have_attribute("aria-busy", "false")
    await expect(page.locator("#entry")).to_have_attribute("placeholder", re.compile("type / "))


@asynccontextmanager
async def tunnel(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """An https address of this machine, as a proxy or a host of static files has one."""
    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    async with loopback_port(0, whose="a test") as place:
        await place.serve(application, tls=server_context())
        yield f"https://{place.address}"


async def test_a_login_on_a_phone_needs_a_tap_behind_a_proxy_and_a_copy_without_one(
    browser: Browser, tmp_path: Path
) -> None:
    static = (Path(__file__).parents[2] / "specs" / "login" / "callback.html").read_bytes()
    clock, told, ports = SystemClock(), list[GexcordError | None](), list[int]()

    async def forward(request: web.Request) -> web.StreamResponse:
        if request.path == "/static":
            return web.Response(body=static, content_type="text/html")
        named = {"X-Forwarded-Host": request.host, "X-Forwarded-Proto": "https"}
        async with httpx.AsyncClient() as client:
            found = await client.get(f"http://127.0.0.1:{ports[-1]}{request.raw_path}", headers=named)
        return web.Response(body=found.content, status=found.status_code, content_type="text/html")

    async def done(trouble: GexcordError | None) -> None:
        told.append(trouble)

    async with (
        tunnel(forward) as https,
        open_sim(Market.generate(start_at=clock.now(), underlyings=("SPX",), seed=1), clock) as sim,
        open_client(timeout_s=5.0) as http,
    ):

        def client(path: str) -> SchwabAuthClient:
            return SchwabAuthClient(
                http,
                TokenStore(tmp_path / "token.json"),
                client_id=SecretStr("demo"),
                client_secret=SecretStr("demo-secret"),
                api_url=sim.url,
                callback_url=f"{https}{path}",
                clock=clock,
            )

        served = client("/schwab")
        callback = ServedCallback(served, f"{https}/schwab", clock, proxies=[ip_network("127.0.0.1/32")])
        context = await browser.new_context(viewport=PHONE, ignore_https_errors=True, has_touch=True)
        await context.grant_permissions(["clipboard-read", "clipboard-write"])
        phone = await context.new_page()
        async with serve_callback(callback, "127.0.0.1", 0) as port:
            ports.append(port)
            await phone.goto(callback.begin(done).url)
            await expect(phone.locator("p")).to_contain_text("You are logged in")
            assert await phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
            await phone.reload()
            await expect(phone.locator("p")).to_contain_text("You are logged in")
        assert told == [None]
        assert await served.access_token()

        pasting = client("/static")
        attempt = pasting.begin_login()
        await phone.goto(attempt.url)
        await expect(phone.locator("#good")).to_contain_text("It is good for")
        await phone.locator("#copy").tap()
        await expect(phone.locator("#copy")).to_contain_text("Copied")
        await pasting.finish_login(attempt, await phone.evaluate("navigator.clipboard.readText()"))
        width = await phone.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"]
        sim.authority.callback_url = "https://another.example"
        await phone.goto(pasting.begin_login().url)
        await expect(phone.locator("body")).to_contain_text("Whitelabel")
        await phone.goto(f"{https}/static")
        await expect(phone.locator("#bad")).to_be_visible()
        await context.close()
