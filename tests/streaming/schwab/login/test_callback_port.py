import asyncio
import logging
from contextlib import AsyncExitStack, asynccontextmanager

import httpx

from streaming.schwab.login.callback_port import callback_port, serve_callback
from streaming.schwab.login.pending_login import PendingLogin
from streaming.settings import StreamSettings
from tests.support.clock import ManualClock
from tests.support.shared_login import KEY, MemoryPassing
from tests.support.waiting import until

ADDRESS = "https://bot.example/schwab"
CLOCK = ManualClock()


class StrangerOnPort:
    """A program of somebody else's, which accepts and closes."""

    async def __aenter__(self):
        self._server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    async def __aexit__(self, *_):
        self._server.close()


async def a_free_port():
    async with StrangerOnPort() as number:
        return number


def port_of(number, told, clock, *, tell=None, pending=None, **more):
    settings = StreamSettings(
        _env_file=None, schwab_callback_url=ADDRESS, schwab_callback_bind=f"127.0.0.1:{number}", **more
    )
    return callback_port(settings, object(), clock, tell=tell or told.append, pending=pending)


@asynccontextmanager
async def holding(port):
    job = asyncio.create_task(port.hold(lambda: None))
    try:
        yield job
    finally:
        job.cancel()
        await asyncio.wait({job})


async def test_a_port_that_a_stranger_has_is_told_once_and_taken_when_it_is_free():
    clock, told_s, told = ManualClock(), [], []
    begun_s = clock.monotonic()
    async with AsyncExitStack() as stranger:
        number = await stranger.enter_async_context(StrangerOnPort())
        port = port_of(number, told, clock, pending=shared(), tell=lambda _: told_s.append(clock.monotonic() - begun_s))
        async with holding(port):
            await until(lambda: clock.monotonic() - begun_s > 60)
            assert not port.callback.is_served
            await stranger.aclose()
            await until(lambda: port.callback.is_served)
    assert (told_s, port.callback.is_served) == ([10.0], False)


async def test_a_port_that_another_process_of_the_bot_has_is_no_alarm_and_taken_over_when_that_ends(caplog):
    told, clock = [], ManualClock()
    first, second = (port_of(free, told, clock) for free in [await a_free_port()] * 2)
    caplog.set_level(logging.INFO)
    async with holding(first) as job:
        await until(lambda: first.callback.is_served)
        begun_s = clock.monotonic()
        async with holding(second), httpx.AsyncClient() as http:
            await until(lambda: clock.monotonic() - begun_s > 60)
            assert not second.callback.is_served
            job.cancel()
            await until(lambda: second.callback.is_served)
            page = await http.get(
                f"http://127.0.0.1:{second.place[1]}/schwab?code=x&state=y", headers={"Host": "bot.example"}
            )
    assert (told, caplog.text.count("another process of this bot has SCHWAB_CALLBACK_BIND")) == ([], 1)
    assert (page.status_code, "copy the whole address" in page.text) == (400, True)


async def test_another_process_of_the_bot_is_known_while_redis_does_not_answer():
    passing = MemoryPassing()
    passing.away = True
    holder = port_of(await a_free_port(), [], CLOCK, pending=PendingLogin(passing, key=KEY, name="one"))
    async with serve_callback(holder.callback, *holder.place):
        assert await holder.callback.is_answered_by_another(*holder.place)


async def test_the_settings_say_whether_and_where_it_is_answered_and_whose_headers_count():
    number = await a_free_port()
    port = port_of(number, [], CLOCK, schwab_callback_proxies="127.0.0.1")
    assert port.place == ("127.0.0.1", number)
    async with holding(port), httpx.AsyncClient() as http:
        await until(lambda: port.callback.is_served)
        headers = {"X-Forwarded-Host": "bot.example"}
        answer = await http.get(f"http://127.0.0.1:{number}/schwab?code=x&state=y", headers=headers)
        assert answer.status_code == 400
    assert callback_port(StreamSettings(_env_file=None), object(), CLOCK, tell=print) is None
    settings = StreamSettings(_env_file=None, schwab_callback_bind="127.0.0.1:1")
    assert callback_port(settings, None, CLOCK, tell=print) is None


async def test_while_another_process_has_the_port_it_finishes_what_is_begun_here_if_they_share_the_login(caplog):
    clock, free = ManualClock(), await a_free_port()
    first, second = (port_of(free, [], clock, pending=shared()) for _ in range(2))
    caplog.set_level(logging.INFO)
    async with holding(first):
        await until(lambda: first.callback.is_served)
        async with holding(second):
            await until(lambda: second.callback.is_served)
    assert "logins that are begun here are finished by that one" in caplog.text


def shared():
    return PendingLogin(MemoryPassing(), key=KEY, name="a")
