"""The demo in a browser, and the charts that its bot draws."""

import asyncio
import base64
import json
import time
import urllib.request
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urljoin

from playwright.async_api import Browser, ViewportSize

from bot.render.charts.chart_spec import KINDS
from streaming.bus.server.embedded import free_port
from tests.e2e.conftest import URL, Home
from tests.e2e.test_demo import await_answer, private_answers
from tests.e2e.test_page import answers, live, run
from tests.e2e.test_process import await_both_boards, page_state
from tests.pictures.scrapes import Scrapes

SEED: Final = "7"
"""Of the market, so that its figures stay of one kind from picture to picture."""
_DESKTOP: Final = ViewportSize(width=1300, height=900)
_PHONE: Final = ViewportSize(width=390, height=844)
_TALLEST: Final = {1300: 1600, 390: 980}
"""By width."""


@dataclass(frozen=True)
class Demo:
    """One that runs, and what was scraped of it so far."""

    url: str
    scrapes: Scrapes
    began_s: float

    async def runs(self, for_s: float) -> None:
        """Wait until it has run so long: charts of a day and rates need a past."""
        await asyncio.sleep(max(self.began_s + for_s - time.monotonic(), 0.0))


@asynccontextmanager
async def open_demo() -> AsyncIterator[Demo]:
    """Until the block ends."""
    with TemporaryDirectory() as folder:
        home, port = Home(Path(folder)), free_port()
        program = home.start("-m", "tests.pictures.watched_demo", str(port), "--port", "0", "--seed", SEED)
        try:
            url = (await asyncio.to_thread(program.wait_for, URL, within_s=90.0))[1]
            await asyncio.to_thread(await_both_boards, url, within_s=60.0)
            demo = Demo(url, Scrapes(f"http://127.0.0.1:{port}/metrics"), time.monotonic())
            async with _background(_scrape(demo.scrapes)):
                yield demo
        finally:
            await asyncio.to_thread(home.close)


@asynccontextmanager
async def _background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work, name="scrapes")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _scrape(scrapes: Scrapes) -> None:
    while True:
        await asyncio.to_thread(scrapes.take, time.time())
        await asyncio.sleep(2.0)


async def desktop(browser: Browser, demo: Demo) -> bytes:
    """The live message, a chart with its buttons and a figure explained."""
    await demo.runs(45.0)
    return await _page(browser, demo, _DESKTOP, "gex chart", "gex explain figure:zero_gamma")


async def phone(browser: Browser, demo: Demo) -> bytes:
    """A chart with its buttons."""
    await demo.runs(60.0)
    return await _page(browser, demo, _PHONE, "gex chart kind:profile")


async def _page(browser: Browser, demo: Demo, size: ViewportSize, *commands: str) -> bytes:
    context = await browser.new_context(
        viewport=size,
        device_scale_factor=1.3 if size is _PHONE else 1.0,
        has_touch=size is _PHONE,
        locale="en-US",
        timezone_id="America/New_York",
    )
    page = await context.new_page()
    await page.goto(f"{demo.url}?as=owner&channel=gex-spx")
    await live(page)
    for command in commands:
        name = " ".join(command.split(" ")[:2])
        before = await answers(page, name).count()
        await run(page, f"/{command}")
        answer = answers(page, name).nth(before)
        await answer.locator(".embed, img[alt]:not([alt=''])").first.wait_for(timeout=90_000)
        await answer.evaluate("node => Promise.all([...node.querySelectorAll('img')].map(image => image.decode()))")
    hidden = await page.locator("#scroller").evaluate("node => node.scrollHeight - node.clientHeight")
    width = size["width"]
    await page.set_viewport_size({"width": width, "height": min(size["height"] + hidden, _TALLEST[width])})
    await page.locator("#scroller").evaluate("node => { node.scrollTop = node.scrollHeight; }")
    await page.wait_for_timeout(500)
    picture = await page.screenshot()
    await context.close()
    return picture


async def charts(browser: Browser, demo: Demo) -> bytes:
    """Each kind of chart, then one or two in the light theme, so that no place of the last row is empty."""
    await demo.runs(170.0)
    light = list(KINDS)[: 1 + (len(KINDS) + 1) % 2]
    wanted = [*({"kind": kind} for kind in KINDS), *({"kind": kind, "theme": "light"} for kind in light)]
    drawn = [await asyncio.to_thread(_chart, demo.url, options) for options in wanted]
    images = "".join(f"<img src='data:image/png;base64,{base64.b64encode(png).decode()}'>" for png in drawn)
    style = "body { margin: 0; display: grid; grid-template-columns: 1fr 1fr; gap: 8px; } img { width: 100%; }"
    return await drawn_page(browser, f"<!doctype html><style>{style}</style>{images}", width=1160)


def _chart(url: str, options: Mapping[str, str]) -> bytes:
    """The picture that answers `/gex chart`."""
    state = page_state(url, "owner")
    known = len(private_answers(url, "owner"))
    chosen = [{"type": 3, "name": name, "value": value} for name, value in {"symbol": "SPX", **options}.items()]
    body = {
        "as": "owner",
        "type": "command",
        "channel_id": state["channels"][0]["id"],
        "command_id": next(command["id"] for command in state["commands"] if command["name"] == "gex"),
        "options": [{"type": 1, "name": "chart", "options": chosen}],
    }
    request = urllib.request.Request(
        f"{url}api/page/interact", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10):
        answer = await_answer(url, "owner", known)
    (picture,) = answer["attachments"] or [embed["image"] for embed in answer["embeds"]]
    with urllib.request.urlopen(urljoin(url, picture["url"]), timeout=10) as file:
        return file.read()


async def drawn_page(browser: Browser, html: str, *, width: int) -> bytes:
    """A page of ours from top to bottom."""
    page = await browser.new_page(viewport={"width": width, "height": 100})
    await page.set_content(html, wait_until="load")
    picture = await page.screenshot(full_page=True)
    await page.close()
    return picture
