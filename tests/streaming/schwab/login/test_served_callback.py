import asyncio
import ipaddress
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest
from aiohttp.test_utils import make_mocked_request

from streaming.errors import LoginRequiredError
from streaming.schwab.login.callback_port import serve_callback
from streaming.schwab.login.oauth import LoginAttempt
from streaming.schwab.login.pending_login import PendingLogin
from streaming.schwab.login.served_callback import ServedCallback
from tests.support.clock import ManualClock
from tests.support.shared_login import KEY, MemoryPassing
from tests.support.waiting import until

ADDRESS = "https://bot.example/schwab"
CLOCK = ManualClock()
HERE = (ipaddress.ip_network("127.0.0.1/32"),)
BOTH = (*HERE, ipaddress.ip_network("10.0.0.0/24"))


TWO_PROXIES = {"Host": "inner:80", "X_Forwarded_Host": "bot.example, inner:80", "X_Forwarded_Proto": "https, http"}


class BriefClock(ManualClock):
    """Sleeps are short, and no time passes in them."""

    async def sleep(self, seconds):
        await asyncio.sleep(0.001)


class StandInAuth:
    """Begins numbered logins, and keeps or refuses what comes back; asked for a token, it looks at the store."""

    def __init__(self, name="state"):
        self.name = name
        self.begun = 0
        self.finished = []
        self.looks = 0
        self.error = None
        self.answers = asyncio.Event()
        self.answers.set()

    def begin_login(self):
        self.begun += 1
        state = f"{self.name}-{self.begun}"
        return LoginAttempt("https://schwab.example", state, CLOCK.now() + timedelta(minutes=10))

    async def finish_login(self, attempt, address):
        self.finished.append(address)
        await self.answers.wait()
        if self.error is not None:
            raise self.error

    async def access_token(self):
        self.looks += 1


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
async def served(proxies=(), clock=CLOCK, name="state", pending=None):
    auth = StandInAuth(name)
    callback = ServedCallback(auth, ADDRESS, clock, proxies=proxies, pending=pending)
    async with (
        serve_callback(callback, "127.0.0.1", 0) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http,
    ):
        following = asyncio.create_task(callback.follow())
        yield Rig(auth, callback, http)
        following.cancel()
        await asyncio.wait({following})


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
        (HERE, {"X_Forwarded_Host": "bot.example, inner:80"}, 421),
        (HERE, {"X_Forwarded_Host": "evil.example, bot.example", "X_Forwarded_Proto": "http, https"}, 200),
        (BOTH, {**TWO_PROXIES, "X_Forwarded_For": "192.0.2.7, 10.0.0.2"}, 200),
        (BOTH, {**TWO_PROXIES, "X_Forwarded_For": "10.0.0.2, 192.0.2.7"}, 421),
        (BOTH, {"X_Forwarded_For": "192.0.2.7, 10.0.0.2", "X_Forwarded_Host": "bot.example"}, 200),
        (
            BOTH,
            {
                "X_Forwarded_For": "192.0.2.7, 10.0.0.2",
                "X_Forwarded_Host": "bot.example, evil.example, inner:80",
            },
            421,
        ),
        (BOTH, {"X_Forwarded_For": "192.0.2.7, 10.0.0.2", "X_Forwarded_Proto": "https, http, https"}, 421),
    ],
)
async def test_forwarded_headers_count_from_a_named_proxy_only(proxies, headers, status):
    async with served(proxies) as rig:
        attempt = rig.callback.begin(rig.done)
        assert (await rig.arrive(attempt.state, **headers)).status_code == status


async def test_an_ipv4_proxy_is_known_where_every_address_of_the_machine_is_listened_at():
    """There it arrives as `::ffff:127.0.0.1`."""
    callback = ServedCallback(StandInAuth(), ADDRESS, CLOCK, proxies=HERE)
    for remote, status in (("::ffff:127.0.0.1", 400), ("127.0.0.1", 400), ("::ffff:127.0.0.2", 421), ("::1", 421)):
        asked = make_mocked_request("GET", "/schwab?code=x", {"Host": "inner", "X-Forwarded-Host": "bot.example"})
        assert (await callback.handle(asked.clone(remote=remote))).status == status


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


async def test_who_asks_while_the_code_is_exchanged_is_told_what_comes_of_it():
    async with served() as rig:
        rig.auth.answers.clear()
        rig.auth.error = LoginRequiredError("Schwab does not accept this code.")
        attempt = rig.callback.begin(rig.done)
        both = [asyncio.create_task(rig.arrive(attempt.state)) for _ in range(2)]
        await until(lambda: rig.auth.finished)
        await asyncio.sleep(0.02)
        rig.auth.answers.set()
        assert [page.status_code for page in await asyncio.gather(*both)] == [400, 400]
        assert len(rig.auth.finished) == len(rig.told) == 1


@pytest.fixture
def place():
    return MemoryPassing()


@pytest.fixture
async def machines(place):
    """Two machines of one bot, each with its callback, that share what is pending."""
    async with (
        served(clock=BriefClock(), name="a", pending=link_of(place, "a")) as here,
        served(clock=BriefClock(), name="b", pending=link_of(place, "b")) as there,
    ):
        yield here, there


def link_of(place, name):
    return PendingLogin(place, key=KEY, name=name)


async def begun(rig, place):
    """A link that every machine knows of."""
    before = place.offers
    attempt = rig.callback.begin(rig.done)
    await until(lambda: place.offers > before)
    return attempt


@pytest.mark.parametrize("there_first", [False, True])
async def test_a_login_that_one_machine_began_is_finished_by_whichever_the_browser_comes_to(
    machines, place, there_first
):
    asked, met = machines if there_first else reversed(machines)
    attempt = await begun(asked, place)
    page = await met.arrive(attempt.state)
    assert (page.status_code, "You are logged in" in page.text) == (200, True)
    assert met.auth.finished == [f"{ADDRESS}?code=C0.x%40&session=s&state={attempt.state}"]
    await until(lambda: asked.told)
    assert (asked.told, asked.auth.finished, met.told) == ([None], [], [])
    assert asked.auth.looks == 1, "what is shown is the login that is stored now"
    for rig in (asked, met):
        page = await rig.arrive(attempt.state)
        assert (page.status_code, "You are logged in" in page.text) == (200, True)
    assert (asked.auth.finished, len(met.auth.finished)) == ([], 1)


async def test_on_the_machine_that_was_asked_it_is_finished_there_and_told_once(machines, place):
    here, there = machines
    attempt = await begun(here, place)
    for rig in (here, there):
        assert (await rig.arrive(attempt.state)).status_code == 200
    assert (len(here.auth.finished), there.auth.finished) == (1, [])
    await asyncio.sleep(0.02)
    assert (here.told, there.told) == ([None], [])


async def test_why_a_login_went_wrong_elsewhere_is_told_where_it_was_begun(machines, place):
    here, there = machines
    there.auth.error = LoginRequiredError("Schwab does not accept this code.", remedy="Log in again.")
    attempt = await begun(here, place)
    assert (await there.arrive(attempt.state)).status_code == 400
    await until(lambda: here.told)
    assert here.told[0].sentence == "Schwab does not accept this code. Log in again."
    assert "does not accept this code" in (await here.arrive(attempt.state)).text


async def test_a_browser_that_comes_to_both_at_once_spends_the_code_once(machines, place):
    here, there = machines
    attempt = await begun(here, place)
    for rig in machines:
        rig.auth.answers.clear()
    pages = [asyncio.create_task(rig.arrive(attempt.state)) for rig in machines]
    await until(lambda: here.auth.finished or there.auth.finished)
    for rig in machines:
        rig.auth.answers.set()
    assert [page.status_code for page in await asyncio.gather(*pages)] == [200, 200]
    assert len(here.auth.finished + there.auth.finished) == 1


async def test_only_the_newest_link_of_all_machines_may_arrive_and_only_by_its_state(machines, place):
    here, there = machines
    before = await begun(here, place)
    newest = await begun(there, place)
    await until(lambda: here.callback._open is None)
    for rig in machines:
        for state in (before.state, "guessed", ""):
            assert "not begun here" in (await rig.arrive(state)).text
    assert here.auth.finished == there.auth.finished == []
    assert (await here.arrive(newest.state)).status_code == 200


async def test_a_link_of_before_is_turned_away_also_while_other_machines_know_no_newer(machines, place):
    here, _ = machines
    before = await begun(here, place)
    place.takes = False
    newest = here.callback.begin(here.done)
    assert "not begun here" in (await here.arrive(before.state)).text
    assert (await here.arrive(newest.state)).status_code == 200


async def test_without_redis_a_login_arrives_where_it_was_begun_and_elsewhere_is_asked_to_come_again(machines, place):
    here, there = machines
    attempt = await begun(here, place)
    place.away = True
    page = await there.arrive(attempt.state)
    assert (page.status_code, "Load this page again" in page.text) == (503, True)
    assert (await here.arrive(attempt.state)).status_code == 200
    place.away = False
    assert (there.auth.finished, here.told) == ([], [None])


async def test_a_link_that_was_begun_without_redis_is_known_to_all_once_that_answers(machines, place):
    here, there = machines
    place.away = True
    attempt = here.callback.begin(here.done)
    await asyncio.sleep(0.01)
    place.away = False
    await until(lambda: place.offers)
    assert (await there.arrive(attempt.state)).status_code == 200


async def test_a_machine_that_died_with_the_code_is_waited_for_not_for_ever(machines, place):
    here, _ = machines
    attempt = await begun(here, place)
    assert await link_of(place, "dead").claim(attempt.state)
    assert "ask for a new link" in (await here.arrive(attempt.state)).text
    assert here.auth.finished == []
