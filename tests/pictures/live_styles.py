"""The live message in its three styles, on a desktop and on a phone: the real renderer on the local Discord."""

import base64
from typing import Final, get_args

from playwright.async_api import Browser, ViewportSize

from bot.choices import Style
from bot.render.card import is_card, layout_of
from bot.render.text import BoardView, Moving, board_text
from bot.sandbox.local_discord import open_sandbox
from streaming.freshness import Freshness
from tests.e2e.test_page import PHONE, WIDE, open_page
from tests.pictures.demo_pages import drawn_page
from tests.support.page_bot import open_page_bot

_COLUMN: Final = 640
"""Of the desktop's window of 1280: where messages stand."""
_TALL: Final = 1600
_VIEW: Final = BoardView(
    ticker="NQ_NDX",
    source="schwab",
    freshness=Freshness.LIVE,
    scope="full",
    regime="dampened",
    figures={
        "spot": Moving(25061.25, 25048.75),
        "zero_gamma": Moving(24950.51, 24949.0),
        "call_wall": Moving(25100.0, 25100.0),
        "put_wall": Moving(24800.0, 24850.0),
        "net_gex": Moving(1.8346, 1.8133),
        "scaled_gamma": Moving(-0.9123, -0.9112),
        "max_change": Moving(0.0125, 0.0095),
    },
    max_change_strike=25050.0,
)


async def styles(browser: Browser) -> bytes:
    """The three below each other, the desktop to the left of the phone."""
    async with open_sandbox() as sandbox, open_page_bot(sandbox) as bot:
        channel = bot.board(sandbox.channel_ids["gex-spx"])
        for style in get_args(Style):
            text = board_text(_VIEW, style=style)
            await (channel.send(view=layout_of(text)) if is_card(text) else channel.send(text))
        shots = [await _shot(browser, sandbox.page_url, size) for size in (WIDE, PHONE)]
    images = "".join(f"<img src='data:image/png;base64,{base64.b64encode(shot).decode()}'>" for shot in shots)
    style = "body { margin: 0; display: flex; gap: 12px; align-items: flex-start; background: #1e1f22; }"
    return await drawn_page(browser, f"<!doctype html><style>{style}</style>{images}", width=_COLUMN + 12 + 390)


async def _shot(browser: Browser, url: str, size: ViewportSize) -> bytes:
    """The last three messages of the channel."""
    page, _ = await open_page(browser, f"{url}?channel=gex-spx", size)
    await page.set_viewport_size({"width": size["width"], "height": _TALL})
    messages = page.locator(".message").filter(has_text="GEX: NQ_NDX")
    await messages.nth(2).wait_for()
    first, last = [await messages.nth(at).bounding_box() for at in (0, 2)]
    assert first is not None and last is not None
    height = last["y"] + last["height"] - first["y"]
    width = min(first["width"], _COLUMN)
    picture = await page.screenshot(clip={"x": first["x"], "y": first["y"], "width": width, "height": height})
    await page.context.close()
    return picture
