import asyncio
import ipaddress
import logging
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import httpx
import pytest

from streaming.errors import LoginRequiredError
from streaming.schwab.login.oauth import LoginAttempt
from streaming.schwab.login.served_callback import ServedCallback, callback_port, serve_callback
from streaming.settings import StreamSettings
from tests.support.clock import ManualClock
from tests.support.waiting import until

ADDRESS = "https://bot.example/schwab"
CLOCK = ManualClock()
HERE = (ipaddress.ip_network("127.0.0.1/32"),)


class StandInAuth:
    """Begins numbered logins, and keeps or refuses what comes back."""

    def __init__(self):
        self.begun = 0
        self.finished = []
        self.error = None

    def begin_login(self):
        self.begun += 1
        return LoginAttempt("https://schwab.example", f"state-{self.begun}", CLOCK.now() + timedelta(minutes=10))

    async def finish_login(self, attempt, address):
        self.finished.append(address)
        if self.error is not None:
            raise self.error


class Rig:
    """A served callback, a browser, and what whoever waits was told."""

    def __init__(self, auth, callback, http):
        self.auth, self.callback, self.http = auth, callback, http
        self.told = []

    async def done(self, trouble):
        self.told.append(trouble)

    async def arrive(self, state, *, path="/schwab", query="code=C0.x%40&session=s", **headers):
        headers = {"Host": "bot.example"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.get(f"{path}?{query}&state={state}", headers=headers)


@asynccontextmanager
async def served(proxies=(), clock=CLOCK):
    auth = StandInAuth()
    callback = ServedCallback(auth, ADDRESS, clock, proxies=proxies)
    async with (
        serve_callback(callback, "127.0.0.1", 0) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http,
    ):
        yield Rig(auth, callback, http)


async def test_a_browser_that_comes_back_finishes_the_login_once_however_often_it_asks():
    async with served() as rig:
        attempt = rig.callback.begin(rig.done)
        for _ in range(2):
            page = await rig.arrive(attempt.state)
            assert (page.status_code, "You are logged in" in page.text) == (200, True)
        assert rig.auth.finished == [f"{ADDRESS}?code=C0.x%40&session=s&state=state-1"]
        assert rig.told == [None]
        assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "no-referrer")


async def test_only_the_newest_login_may_arrive():
    async with served() as rig:
        first, second = rig.callback.begin(rig.done), rig.callback.begin(rig.done)
        for state in (first.state, "", "x\u00e9"):
            assert (await rig.arrive(state)).status_code == 400
        assert rig.auth.finished == []
        assert (await rig.arrive(second.state)).status_code == 200


async def test_nothing_else_is_answered():
    async with served() as rig:
        attempt = rig.callback.begin(rig.done)
        assert (await rig.arrive(attempt.state, path="/other")).status_code == 404
        assert (await rig.arrive(attempt.state, query="x=1")).status_code == 404
        assert (await rig.http.head(f"/schwab?code=x&state={attempt.state}")).status_code == 405
        assert rig.auth.finished == []


@pytest.mark.parametrize(
    ("proxies", "headers", "status"),
    [
        ((), {"Host": "evil.example"}, 421),
        ((), {"Host": "bot.example:443"}, 200),
        ((), {"Host": "127.0.0.1", "X_Forwarded_Host": "bot.example"}, 421),
        (HERE, {"Host": "127.0.0.1", "X_Forwarded_Host": "bot.example"}, 200),
        (HERE, {"X_Forwarded_Host": "evil.example"}, 421),
        (HERE, {"X_Forwarded_Proto": "http"}, 421),
        (HERE, {"X_Forwarded_Proto": "https"}, 200),
        ((), {"X_Forwarded_Proto": "http"}, 200),
    ],
)
async def test_forwarded_headers_count_from_a_named_proxy_only(proxies, headers, status):
    async with served(proxies) as rig:
        attempt = rig.callback.begin(rig.done)
        assert (await rig.arrive(attempt.state, **headers)).status_code == status


async def test_a_refusal_is_shown_as_text_and_told():
    async with served() as rig:
        rig.auth.error = LoginRequiredError("Schwab does not accept this <code>.", remedy="Log in again.")
        page = await rig.arrive(rig.callback.begin(rig.done).state)
        assert (page.status_code, "this &lt;code&gt;. Log in again." in page.text) == (400, True)
        assert rig.told == [rig.auth.error]


async def test_a_link_of_before_ten_minutes_is_too_old():
    clock = ManualClock()
    async with served(clock=clock) as rig:
        attempt = rig.callback.begin(rig.done)
        clock.advance(601)
        assert "ten minutes" in (await rig.arrive(attempt.state)).text
        assert rig.auth.finished == []


async def test_whoever_waits_and_cannot_be_told_changes_nothing(caplog):
    async with served() as rig:

        async def gone(_trouble):
            raise RuntimeError("the message is gone")

        assert (await rig.arrive(rig.callback.begin(gone).state)).status_code == 200
    assert "nobody could be told" in caplog.text


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


def port_of(number, told, clock, *, tell=None, **more):
    settings = StreamSettings(
        _env_file=None, schwab_callback_url=ADDRESS, schwab_callback_bind=f"127.0.0.1:{number}", **more
    )
    return callback_port(settings, StandInAuth(), clock, tell=tell or told.append)


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
        port = port_of(number, told, clock, tell=lambda _: told_s.append(clock.monotonic() - begun_s))
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


async def test_the_settings_say_whether_and_where_it_is_answered_and_whose_headers_count():
    number = await a_free_port()
    port = port_of(number, [], CLOCK, schwab_callback_proxies="127.0.0.1")
    assert port.place == ("127.0.0.1", number)
    async with holding(port), httpx.AsyncClient() as http:
        await until(lambda: port.callback.is_served)
        headers = {"X-Forwarded-Host": "bot.example"}
        answer = await http.get(f"http://127.0.0.1:{number}/schwab?code=x&state=y", headers=headers)
        assert answer.status_code == 400
    assert callback_port(StreamSettings(_env_file=None), StandInAuth(), CLOCK, tell=print) is None
    settings = StreamSettings(_env_file=None, schwab_callback_bind="127.0.0.1:1")
    assert callback_port(settings, None, CLOCK, tell=print) is None
