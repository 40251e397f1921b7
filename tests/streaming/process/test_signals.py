import asyncio
import os
import signal

import pytest

from streaming.errors import RequestError
from streaming.process.signals import first_of, on_user_signal, run_until, stop_on_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_asks_for_an_orderly_stop_once(number: signal.Signals):
    loop = asyncio.get_running_loop()
    stop = stop_on_signals()
    try:
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        async with asyncio.timeout(2):
            await stop.wait()
        assert not loop.remove_signal_handler(number)
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        loop.remove_signal_handler(signal.SIGINT)


async def test_a_system_without_handlers_of_the_loop_is_asked_in_python(monkeypatch):
    def refuse(*_: object) -> None:
        raise NotImplementedError

    loop, before = asyncio.get_running_loop(), {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}
    monkeypatch.setattr(loop, "add_signal_handler", refuse)
    monkeypatch.setattr(loop, "remove_signal_handler", refuse)
    try:
        stop = stop_on_signals()
        signal.raise_signal(signal.SIGINT)
        async with asyncio.timeout(2):
            await stop.wait()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


async def test_without_the_users_own_signal_nothing_waits_for_it(monkeypatch):
    monkeypatch.delattr(signal, "SIGUSR1")
    with on_user_signal(lambda: None) as there:
        assert not there


async def test_work_runs_until_it_is_told_to_stop_and_is_ended_then():
    stop, seen = asyncio.Event(), []

    async def work():
        stop.set()
        try:
            await asyncio.sleep(60)
        finally:
            seen.append("ended")

    await run_until(stop, {"work": work()})
    assert seen == ["ended"]


async def test_what_ends_work_before_that_is_raised_out_of_its_group():
    async def work():
        raise ExceptionGroup("", [ExceptionGroup("", [RequestError("No such file.")])])

    with pytest.raises(RequestError, match=r"No such file\."):
        await run_until(asyncio.Event(), {"work": work()})


async def test_the_first_of_several_works_that_ends_ends_the_others():
    ended = []

    async def forever():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("forever")

    async def short():
        await asyncio.sleep(0)

    await run_until(asyncio.Event(), {"forever": forever(), "short": short()})
    assert ended == ["forever"]


async def test_what_work_raises_as_it_is_told_to_stop_is_raised_too():
    stop = asyncio.Event()

    async def work():
        try:
            stop.set()
            await asyncio.sleep(60)
        finally:
            raise RequestError("The disk is full.")

    with pytest.raises(RequestError, match="The disk is full"):
        await run_until(stop, {"work": work()})


async def test_waiting_for_the_first_ends_nothing():
    stop, working = asyncio.Event(), asyncio.create_task(asyncio.sleep(60))
    stop.set()
    await first_of(stop, [working])
    assert not working.done()
    working.cancel()
