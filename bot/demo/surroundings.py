"""The demo's surroundings: a local Discord and a local Schwab with a market, in a process of their own.

So what stand-ins cost is no part of the bot, and the page answers while the rest is still being imported: nothing heavy
is imported at the top of this module.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.demo.stand_in_process import Bots, StandInOrder, open_stand_ins

if TYPE_CHECKING:
    from bot.demo.demo_settings import Demo
    from streaming.ports import Tell

_HEAVY: Final = ("bot.demo.demo_settings", "streaming.streamer.runtime")


@asynccontextmanager
async def open_demo(
    *, chain_path: Path | None, port: int, seed: int, tell: "Tell", two: bool = False
) -> AsyncIterator["Demo"]:
    """Have Discord, market and Schwab run on loopback, tell the page's address, and yield what the bot needs.

    Raises RequestError when `chain_path` is not a readable option chain, UnavailableError when the port is taken.
    """
    async with open_stand_ins(_order(chain_path, port, seed, two=two)) as stand_ins:
        heavy = asyncio.create_task(asyncio.to_thread(_import, _HEAVY), name="imports")
        places = await stand_ins.places()
        tell(f"Open {places.page_url} in a browser (Ctrl+C ends the demo).")
        await heavy
        from bot.demo.demo_settings import at_home

        with at_home(places, stand_ins) as demo:
            tell(f"For other programs: {demo.api_line}")
            stand_ins.tell(Bots(str(demo.settings.redis_data_path), (os.getpid(),)))
            yield demo


def _order(chain_path: Path | None, port: int, seed: int, *, two: bool) -> StandInOrder:
    return StandInOrder(port, seed, None if chain_path is None else str(chain_path.absolute()), two)


def _import(names: tuple[str, ...]) -> None:
    for name in names:
        import_module(name)
