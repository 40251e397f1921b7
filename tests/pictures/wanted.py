"""The list of all pictures, and how each is made."""

import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import Browser

from tests.pictures import demo_pages, drawn_board, terminals
from tests.pictures.demo_pages import Demo, drawn_page

FOLDER: Final = Path(__file__).resolve().parents[2] / "specs" / "pictures"
MOST_BYTES: Final = 200_000
MOST_PIXELS: Final = (1400, 2000)
"""Wide and high."""
_TERMINAL: Final = 1194


@dataclass(frozen=True)
class Studio:
    """What pictures are made with."""

    browser: Browser
    demo: Demo | None
    """Where one of the wanted pictures needs it."""


@dataclass(frozen=True)
class Wanted:
    """One picture."""

    make: Callable[[Studio], Awaitable[bytes]]
    of_demo: bool = True


async def _grafana(studio: Studio) -> bytes:
    await studio.demo.runs(180.0)
    return await drawn_page(studio.browser, drawn_board.page(studio.demo.scrapes), width=1400)


async def _help(studio: Studio) -> bytes:
    return await drawn_page(studio.browser, await terminals.help_page(), width=_TERMINAL)


async def _init(studio: Studio) -> bytes:
    return await drawn_page(studio.browser, await terminals.init_page(), width=_TERMINAL)


PICTURES: Final = {
    "help.png": Wanted(_help, of_demo=False),
    "init.png": Wanted(_init, of_demo=False),
    "demo.png": Wanted(lambda studio: demo_pages.desktop(studio.browser, studio.demo)),
    "phone.png": Wanted(lambda studio: demo_pages.phone(studio.browser, studio.demo)),
    "charts.png": Wanted(lambda studio: demo_pages.charts(studio.browser, studio.demo)),
    "grafana.png": Wanted(_grafana),
}
"""By file in `specs/pictures`, in the order in which they are made."""


def reduced(png: bytes) -> bytes:
    """The same picture in 256 colours, a third of the size; of Pillow's methods this one leaves green green."""
    kept = io.BytesIO()
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(kept, "PNG", optimize=True)
    return kept.getvalue()
