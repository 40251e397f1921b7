"""streaming/schwab/rest/route_trouble.py: one route's trouble, told when it lasts, and the others untouched."""

import asyncio
import itertools
import random
from contextlib import suppress

import pytest

from streaming.errors import TransientError
from streaming.schwab.http_errors import RouteRefusedError
from streaming.schwab.rest.route_trouble import Route, RouteTroubles
from tests.support.clock import ManualClock


class Memory:
    """What Redis would remember; away when told."""

    def __init__(self):
        self.worked = set()
        self.told = set()
        self.away = False

    async def has_worked(self, app, route):
        self._answer()
        return (app, route) in self.worked

    async def works(self, app, route):
        self._answer()
        self.worked.add((app, route))
        was_told = (app, route) in self.told
        self.told.discard((app, route))
        return was_told

    async def claim(self, app, route):
        self._answer()
        is_first = (app, route) not in self.told
        self.told.add((app, route))
        return is_first

    def _answer(self):
        if self.away:
            raise TransientError("Redis is away.")


class Rig:
    """Troubles, what was told of them, and a Schwab that refuses some routes."""

    def __init__(self, memory=None):
        self.clock = ManualClock()
        self.memory = memory or Memory()
        self.told = []
        self.app = "fingerprint"
        self.login = "first"
        self.refusing = set()
        self.asked = []
        self.troubles = RouteTroubles(
            self.clock,
            random.Random(1),
            tell=self.told.append,
            memory=self.memory,
            app_id=lambda: self.app,
            subject=lambda: (self.login, self.app),
        )

    async def ask(self, route):
        async with self.troubles.turn(route):
            self.asked.append((route, self.clock.monotonic()))
            if route in self.refusing:
                raise RouteRefusedError(f"Schwab answered 403 to {route.gives}.")

    async def ask_until(self, end_s, route):
        """Ask as often as it lets us, and note what was refused, until so many seconds have passed."""
        until_s = self.clock.monotonic() + end_s
        while self.clock.monotonic() < until_s:
            with suppress(RouteRefusedError):
                await self.ask(route)
            self.clock.advance(1)

    def times(self, route):
        return [at_s for asked, at_s in self.asked if asked is route]


@pytest.fixture
def rig():
    return Rig()


async def test_one_odd_refusal_is_no_verdict(rig):
    rig.refusing.add(Route.CHAINS)
    with pytest.raises(RouteRefusedError):
        await rig.ask(Route.CHAINS)
    rig.refusing.clear()
    before_s = rig.clock.monotonic()
    await rig.ask(Route.CHAINS)
    assert rig.clock.monotonic() == before_s
    assert (rig.told, rig.troubles.sentences) == ([], {})


async def test_a_route_that_has_worked_is_asked_ever_more_seldom_and_told_once_when_it_lasts_and_once_when_over(rig):
    await rig.ask(Route.CHAINS)
    rig.refusing.add(Route.CHAINS)
    await rig.ask_until(20, Route.CHAINS)
    assert rig.told == []
    assert "option chains" in rig.troubles.sentences
    await rig.ask_until(4 * 3600, Route.CHAINS)
    (sentence,) = rig.told
    assert "refused option chains for" in sentence
    assert "product" not in sentence
    times = rig.times(Route.CHAINS)
    assert len(times) < 40
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) <= 902
    rig.refusing.clear()
    await rig.ask(Route.CHAINS)
    await rig.ask(Route.CHAINS)
    assert rig.told[1:] == ["Schwab gives us option chains again."]
    assert rig.troubles.sentences == {}


async def test_the_trouble_of_one_route_is_not_that_of_another(rig):
    rig.refusing.add(Route.CHAINS)
    await rig.ask_until(60, Route.CHAINS)
    before_s = rig.clock.monotonic()
    await rig.ask(Route.EXPIRATIONS)
    await rig.ask(Route.STREAMER)
    assert rig.clock.monotonic() == before_s
    assert list(rig.troubles.sentences) == ["option chains"]


async def test_while_a_route_is_closed_one_asker_tries_and_the_others_wait_for_what_he_meets(rig):
    rig.refusing.add(Route.CHAINS)
    for _ in range(3):
        with suppress(RouteRefusedError):
            await rig.ask(Route.CHAINS)
    rig.asked.clear()
    going = asyncio.Event()
    inside = 0

    async def ask():
        nonlocal inside
        async with rig.troubles.turn(Route.CHAINS):
            inside += 1
            await going.wait()

    tasks = [asyncio.create_task(ask()) for _ in range(4)]
    await asyncio.sleep(0.02)
    assert inside == 1
    going.set()
    await asyncio.wait_for(asyncio.gather(*tasks), 5)
    assert inside == 4


async def test_a_route_that_never_worked_is_a_missing_product_told_once_over_restarts_and_asked_every_hour(rig):
    rig.refusing.add(Route.STREAMER)
    waits = []
    for _ in range(6):
        with pytest.raises(RouteRefusedError) as caught:
            await rig.ask(Route.STREAMER)
        waits.append(caught.value.retry_after_s)
        rig.clock.advance(caught.value.retry_after_s)
    assert waits[-1] == 3600
    (sentence,) = rig.told
    assert "Accounts and Trading Production is missing" in sentence and "go on without the stream" in sentence
    assert "Accounts and Trading Production" in rig.troubles.sentences["the stream's address"]

    restarted = Rig(rig.memory)
    restarted.refusing.add(Route.STREAMER)
    for _ in range(6):
        with pytest.raises(RouteRefusedError) as caught:
            await restarted.ask(Route.STREAMER)
        restarted.clock.advance(caught.value.retry_after_s)
    assert (caught.value.retry_after_s, restarted.told) == (3600, [])
    restarted.refusing.clear()
    await restarted.ask(Route.STREAMER)
    assert restarted.told == ["Schwab gives us the stream's address again."]


async def test_what_worked_before_the_restart_is_no_missing_product_and_another_app_knows_nothing_of_it(rig):
    await rig.ask(Route.CHAINS)
    restarted = Rig(rig.memory)
    restarted.refusing.add(Route.CHAINS)
    await restarted.ask_until(600, Route.CHAINS)
    assert "refused option chains" in restarted.told[0]
    other = Rig(rig.memory)
    other.app = "another"
    other.refusing.add(Route.CHAINS)
    await other.ask_until(600, Route.CHAINS)
    assert "Market Data Production is missing" in other.told[0]


async def test_what_cannot_be_remembered_accuses_nobody_of_a_missing_product(rig):
    rig.memory.away = True
    rig.refusing.add(Route.CHAINS)
    await rig.ask_until(600, Route.CHAINS)
    assert len(rig.told) == 1 and "missing" not in rig.told[0]
    rig.refusing.clear()
    await rig.ask(Route.CHAINS)
    assert rig.told[1:] == ["Schwab gives us option chains again."]


async def test_with_another_login_or_app_key_a_closed_route_is_asked_at_once(rig):
    for change in ({"login": "second"}, {"app": "another"}):
        rig.refusing.add(Route.CHAINS)
        await rig.ask_until(1200, Route.CHAINS)
        rig.refusing.clear()
        before_s = rig.clock.monotonic()
        vars(rig).update(change)
        await rig.ask(Route.CHAINS)
        assert rig.clock.monotonic() == before_s


async def test_an_operator_cuts_the_waiting_short(rig):
    rig.refusing.add(Route.CHAINS)
    await rig.ask_until(1200, Route.CHAINS)
    rig.refusing.clear()
    before_s = rig.clock.monotonic()
    rig.troubles.ask_again()
    await rig.ask(Route.CHAINS)
    assert rig.clock.monotonic() == before_s


async def test_other_trouble_of_the_one_who_tries_lets_the_next_one_try(rig):
    rig.refusing.add(Route.CHAINS)
    await rig.ask_until(60, Route.CHAINS)
    with pytest.raises(TransientError):
        async with rig.troubles.turn(Route.CHAINS):
            raise TransientError("503")
    rig.refusing.clear()
    before_s = rig.clock.monotonic()
    await rig.ask(Route.CHAINS)
    assert rig.clock.monotonic() == before_s


async def test_a_denied_login_of_the_stream_is_told_with_what_may_help(rig):
    for _ in range(8):
        error = RouteRefusedError("Schwab's streamer denied the login twice.")
        await rig.troubles.refused(Route.LOGIN, error)
        rig.clock.advance(error.retry_after_s)
    (sentence,) = rig.told
    assert "the stream's login" in sentence and "/token login" in sentence
    rig.troubles.over(Route.LOGIN)
    assert rig.told[1:] == ["Schwab gives us the stream's login again."]
