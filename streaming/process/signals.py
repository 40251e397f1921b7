"""Being told to stop."""

import asyncio
import logging
import signal
from collections.abc import Coroutine, Iterable, Mapping
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


async def first_of(stop: asyncio.Event, tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Wait until told to stop or until one of the tasks is done; none of them is ended."""
    stopped = asyncio.create_task(stop.wait(), name="stop signal")
    try:
        await asyncio.wait({*tasks, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()


async def run_until(
    stop: asyncio.Event, works: Mapping[str, Coroutine[Any, Any, None]], *, end_within_s: float
) -> None:
    """Run named works until one of them ends or until told to stop, and end the others; what one raised is raised."""
    tasks = [asyncio.create_task(work, name=name) for name, work in works.items()]
    try:
        await first_of(stop, tasks)
    finally:
        for task in tasks:
            task.cancel()
        done, _ = await asyncio.wait(tasks, timeout=end_within_s)
    errors = [error for task in done if not task.cancelled() and (error := task.exception()) is not None]
    if errors:
        raise leading_error(errors[0])
