"""The list of all pictures, and how each is made: with what is imported then, since a test reads only the list."""

import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.pictures.demo_pages import Demo

FOLDER: Final = Path(__file__).resolve().parents[2] / "specs" / "pictures"
MOST_BYTES: Final = 200_000
MOST_PIXELS: Final = (1400, 2000)
"""Wide and high."""
_TERMINAL: Final = 1194


@dataclass(frozen=True)
class Studio:
    """What pictures are made with."""

    browser: "Browser"
    demo: "Demo | None"
    """Where one of the wanted pictures needs it."""


@dataclass(frozen=True)
class Wanted:
    """One picture."""

    make: Callable[[Studio], Awaitable[bytes]]
    of_demo: bool = True


async def _grafana(studio: Studio) -> bytes:
    from tests.pictures import drawn_board
    from tests.pictures.demo_pages import drawn_page

    await studio.demo.runs(180.0)
    return await drawn_page(studio.browser, drawn_board.page(studio.demo.scrapes), width=1400)


def _of_demo(name: str) -> Callable[[Studio], Awaitable[bytes]]:
    async def make(studio: Studio) -> bytes:
        from tests.pictures import demo_pages

        return await getattr(demo_pages, name)(studio.browser, studio.demo)

    return make


def _of_terminal(name: str) -> Callable[[Studio], Awaitable[bytes]]:
    async def make(studio: Studio) -> bytes:
        from tests.pictures import terminals
        from tests.pictures.demo_pages import drawn_page

        return await drawn_page(studio.browser, await getattr(terminals, name)(), width=_TERMINAL)

    return make


async def _styles(studio: Studio) -> bytes:
    from tests.pictures.live_styles import styles

    return await styles(studio.browser)


PICTURES: Final = {
    "help.png": Wanted(_of_terminal("help_page"), of_demo=False),
    "init.png": Wanted(_of_terminal("init_page"), of_demo=False),
    "demo.png": Wanted(_of_demo("desktop")),
    "phone.png": Wanted(_of_demo("phone")),
    "styles.png": Wanted(_styles, of_demo=False),
    "charts.png": Wanted(_of_demo("charts")),
    "grafana.png": Wanted(_grafana),
}
"""By file in `specs/pictures`, in the order in which they are made."""


def reduced(png: bytes) -> bytes:
    """The same picture in 256 colours, a third of the size; of Pillow's methods this one leaves green green."""
    from PIL import Image

    kept = io.BytesIO()
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(kept, "PNG", optimize=True)
    return kept.getvalue()
