"""What the system tells a process: to stop, or to pause."""

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from streaming.errors import leading_error

_LOG: Final = logging.getLogger(__name__)
_END_WITHIN_S: Final = 8.0


def is_cancelled() -> bool:
    """Whether the running task was asked to end: what fails then is no reason to go on.

    A task group whose tasks fail while it is cancelled raises what they raised, and the cancellation is lost.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM or SIGINT sets; a second one ends the process the usual hard way."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def received(number: signal.Signals) -> None:
        _LOG.info("received %s, stopping", number.name)
        _off_signal(loop, number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        _on_signal(loop, number, received)
    return stop


def _on_signal(
    loop: asyncio.AbstractEventLoop, number: signal.Signals, received: Callable[[signal.Signals], None]
) -> None:
    try:
        loop.add_signal_handler(number, received, number)
    except NotImplementedError:  # Windows, whose handlers run between two lines of Python
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(received, number))


def _off_signal(loop: asyncio.AbstractEventLoop, number: signal.Signals) -> None:
    """Give the signal its usual meaning back."""
    try:
        loop.remove_signal_handler(number)
    except NotImplementedError:
        signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)


@contextmanager
def on_user_signal(do: Callable[[], None]) -> Iterator[bool]:
    """Do it at every SIGUSR1 meanwhile; gives whether this system has that signal."""
    number = getattr(signal, "SIGUSR1", None)
    if number is None:
        yield False
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(number, do)
    try:
        yield True
    finally:
        loop.remove_signal_handler(number)


async def first_of(stop: asyncio.Event, tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Wait until told to stop or until one of the tasks is done; none of them is ended."""
    stopped = asyncio.create_task(stop.wait(), name="stop signal")
    try:
        await asyncio.wait({*tasks, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()


async def run_until(stop: asyncio.Event, works: Mapping[str, Coroutine[Any, Any, None]]) -> None:
    """Run named works until one of them ends or until told to stop, and end the others; what one raised is raised."""
    tasks = [asyncio.create_task(work, name=name) for name, work in works.items()]
    try:
        await first_of(stop, tasks)
    finally:
        for task in tasks:
            task.cancel()
        done, _ = await asyncio.wait(tasks, timeout=_END_WITHIN_S)
    errors = [error for task in done if not task.cancelled() and (error := task.exception()) is not None]
    if errors:
        raise leading_error(errors[0])
