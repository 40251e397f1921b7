"""`run_bot.py --demo --two`: two bots in processes of their own, so that the one that leads can be paused.

The process that was started only looks after them: were it a bot and stood still, its shell would take the terminal.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bot.demo.stand_in_process import Bots
from streaming.process.child_process import PipedProcess
from streaming.process.framing import FrameReader, take_pipes
from streaming.process.signals import first_of, stop_on_signals

if TYPE_CHECKING:
    from bot.demo.demo_settings import BotOrder, Demo
    from streaming.ports import Tell

COMMAND: Final = (sys.executable, "-c", "from bot.app import one_of_two; raise SystemExit(one_of_two())")
_GOODBYE_S: Final = 10.0


async def serve_two(demo: "Demo", tell: "Tell") -> int:
    """Run two bots until a signal, or until one of them ends; the exit status."""
    stop = stop_on_signals()
    await demo.sign_in()
    async with AsyncExitStack() as running:
        bots = [await running.enter_async_context(_bot(order)) for order in demo.orders(2)]
        demo.tell_bots(Bots(str(demo.settings.redis_data_path), tuple(bot.pid for bot in bots)))
        tell("Two bots run, and one of them leads.")
        ends = {asyncio.create_task(bot.wait(), name=f"bot {bot.pid}") for bot in bots}
        try:
            await first_of(stop, ends)
            return 0 if stop.is_set() else 1
        finally:
            for end in ends:
                end.cancel()


@asynccontextmanager
async def _bot(order: "BotOrder") -> AsyncIterator[PipedProcess]:
    process = await PipedProcess.start(COMMAND)
    process.end_within_s = _GOODBYE_S
    try:
        process.send(msgspec.msgpack.encode(order))
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGCONT)  # it may stand still
        await process.end()


def run_one(serve: "Callable[[Demo], Coroutine[Any, Any, int]]") -> int:
    """In its process: the bot that `serve` runs, until the input closes or a signal comes; the exit status."""
    pipe, _ = take_pipes()
    if (body := pipe.read()) is None:
        return 0
    threading.Thread(target=_end_with, args=(pipe,), name="end", daemon=True).start()
    from bot.demo.demo_settings import BotOrder, demo_of

    order = msgspec.msgpack.decode(body, type=BotOrder)
    return asyncio.run(serve(demo_of(order.places, Path(order.folder), order.api_port, order.api_token)))


def _end_with(pipe: FrameReader) -> None:
    """Whoever started us has gone, or wants us to."""
    pipe.read()
    os.kill(os.getpid(), signal.SIGTERM)
