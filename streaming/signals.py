"""Being told to stop."""

import asyncio
import logging
import signal
from collections.abc import Coroutine
from typing import Any, Final

from streaming.errors import leading_error

_LOG: Final = logging.getLogger(__name__)


def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM or SIGINT sets; a second one ends the process the usual hard way."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def received(number: signal.Signals) -> None:
        _LOG.info("received %s, stopping", number.name)
        loop.remove_signal_handler(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, received, number)
    return stop


async def run_until(stop: asyncio.Event, work: Coroutine[Any, Any, None], *, name: str, end_within_s: float) -> None:
    """Run something until it ends or is told to stop; what ended it before that is raised."""
    working = asyncio.create_task(work, name=name)
    stopped = asyncio.create_task(stop.wait(), name="stop signal")
    try:
        await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if working.done() and (error := working.exception()) is not None:
            raise leading_error(error)
    finally:
        stopped.cancel()
        working.cancel()
        await asyncio.wait({working, stopped}, timeout=end_within_s)
