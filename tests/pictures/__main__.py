"""Makes the pictures of the pages anew: `python -m tests.pictures [NAME ...]`, into `specs/pictures`.

It runs the demo on a free port with a market of a fixed seed for three minutes, and needs Chromium. Look at each before
you commit it; the test compares the list with the pages, not the pictures with the program.
"""

import argparse
import asyncio
import shutil
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from playwright.async_api import async_playwright

from tests.e2e.test_page import ARGS
from tests.pictures.demo_pages import open_demo
from tests.pictures.wanted import FOLDER, MOST_BYTES, PICTURES, Studio, reduced


async def make(names: list[str], folder: Path) -> None:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("There is no Chromium on this machine.")
    async with async_playwright() as playwright, AsyncExitStack() as stack:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGS)
        stack.push_async_callback(browser.close)
        of_demo = any(PICTURES[name].of_demo for name in names)
        studio = Studio(browser, await stack.enter_async_context(open_demo()) if of_demo else None)
        for name in (name for name in PICTURES if name in names):
            picture = reduced(await PICTURES[name].make(studio))
            (folder / name).write_bytes(picture)
            large = " — too large" if len(picture) > MOST_BYTES else ""
            sys.stdout.write(f"{folder / name}  {len(picture) / 1000:.0f} kB{large}\n")
            sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all, or some of {', '.join(PICTURES)}")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - PICTURES.keys():
        parser.error(f"no such picture: {', '.join(sorted(unknown))}")
    asyncio.run(make(arguments.names or list(PICTURES), arguments.folder))


if __name__ == "__main__":
    main()
