"""Chains from a REST client that a test controls."""

import asyncio
import json
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from streaming.calendar import new_york
from streaming.engine_host import ChainBody, ChainReceipt
from streaming.engine_protocol import Load
from streaming.engine_room import EngineRoom
from streaming.errors import GexcordError, LoginRequiredError, TransientError
from streaming.model import OptionChain
from streaming.schwab.rest import Expiration
from streaming.sources.schwab import ChainPoller
from streaming.symbols import parse_ticker
from tests.support.clock import ManualClock

TODAY = new_york(ManualClock().now()).date()
NEAR, LATER, FAR = TODAY, TODAY + timedelta(days=1), TODAY + timedelta(days=400)


def payload(expiry: date, *, strikes: tuple[float, ...] = (6400.0,), open_interest: int = 10) -> bytes:
    def contracts(side: str) -> dict[str, object]:
        return {
            f"{strike}": [
                {
                    "putCall": side,
                    "symbol": f"SPXW  {expiry:%y%m%d}{side[0]}{round(strike * 1000):08d}",
                    "strikePrice": strike,
                    "volatility": 15.0,
                    "openInterest": open_interest,
                    "totalVolume": 5,
                    "bid": 1.0,
                    "ask": 1.2,
                    "multiplier": 100.0,
                    "settlementType": "P",
                    "optionRoot": "SPXW",
                    "expirationDate": f"{expiry}T20:00:00.000+00:00",
                }
            ]
            for strike in strikes
        }

    key = f"{expiry}:0"
    return json.dumps(
        {
            "symbol": "$SPX",
            "status": "SUCCESS",
            "underlyingPrice": 6400.0,
            "callExpDateMap": {key: contracts("CALL")},
            "putExpDateMap": {key: contracts("PUT")},
        }
    ).encode()


class Rest:
    """Answers from a table; `errors` are raised first, one a call."""

    def __init__(self, expiries: tuple[date, ...] = (NEAR, LATER, FAR)) -> None:
        self.expiries = expiries
        self.errors: dict[date, list[GexcordError]] = {}
        self.asked: list[date] = []
        self.strikes: set[int] = set()
        self.open_interest = 10
        self.window: tuple[float, ...] = (6400.0,)

    source = "schwab"

    async def expirations(self, symbol: str) -> list[Expiration]:
        return [Expiration(expiry=day, kind="W", roots=("SPXW",), settlement="P") for day in self.expiries]

    async def chain(self, symbol: str, expiry: date, *, strikes: int = 0) -> bytes:
        await asyncio.sleep(0)
        self.asked.append(expiry)
        self.strikes.add(strikes)
        if self.errors.get(expiry):
            raise self.errors[expiry].pop(0)
        return payload(expiry, strikes=self.window, open_interest=self.open_interest)


class Engines(EngineRoom):
    """The room as the worker has it, which shows the whole chains it gets; `errors` are raised first, one a load."""

    def __init__(self) -> None:
        super().__init__([parse_ticker("SPX")], scope="full")
        self.chains: list[OptionChain] = []
        self.bodies: list[ChainBody] = []
        self.errors: list[GexcordError] = []

    def on_chain(self, underlying: str, chain: OptionChain) -> None:
        super().on_chain(underlying, chain)
        self.chains.append(chain)

    async def take_body(self, body: ChainBody) -> ChainReceipt:
        self.bodies.append(body)
        if self.errors:
            raise self.errors.pop(0)
        order = Load(body.underlying, body.kind, body.asof, body.expiry, body.planned, body.required)
        return self.load(order, body.payload)


async def poll_until(
    rest: Rest,
    done: Callable[[list[OptionChain]], bool],
    *,
    engines: Engines | None = None,
    started: Callable[[ChainPoller], None] = lambda _poller: None,
    **limits: int,
) -> list[OptionChain]:
    """Run a poller on quick time until `done` or two seconds have passed."""
    engines = engines or Engines()
    chains, clock = engines.chains, QuickClock()
    poller = ChainPoller(
        rest, [parse_ticker("SPX")], load=engines.take_body, requests_per_minute=100, days=90, clock=clock, **limits
    )
    started(poller)
    task = asyncio.create_task(poller.run())
    try:
        async with asyncio.timeout(2.0):
            while not done(chains) and not task.done():
                await asyncio.sleep(0.01)
                clock.advance(2.0)
    finally:
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()):
        raise error
    return chains


class QuickClock(ManualClock):
    """Sleeps without moving time: the test moves it."""

    async def sleep(self, seconds: float) -> None:
        wake_s = self.monotonic() + seconds
        while self.monotonic() < wake_s:
            await asyncio.sleep(0.005)


async def test_a_chain_is_handed_on_only_when_every_expiry_is_in_it():
    chains = await poll_until(Rest(), lambda chains: bool(chains))
    assert {str(day) for day in chains[0].expiry} == {str(NEAR), str(LATER)}


async def test_expiries_beyond_the_planned_days_are_not_asked_for():
    rest = Rest()
    await poll_until(rest, lambda chains: len(chains) >= 3)
    assert FAR not in rest.asked


async def test_a_passing_failure_delays_one_expiry_and_is_counted():
    rest = Rest()
    rest.errors[LATER] = [TransientError("Schwab answered 503.")]
    chains = await poll_until(rest, lambda chains: bool(chains))
    assert len(chains[0]) == 4
    assert rest.asked.count(LATER) >= 2


async def test_a_refused_login_ends_the_job():
    rest = Rest()
    rest.errors[NEAR] = [LoginRequiredError("Schwab refuses the stored login.")]
    with pytest.raises(ExceptionGroup) as caught:
        await poll_until(rest, lambda _chains: False)
    assert caught.group_contains(LoginRequiredError)


async def test_open_interest_that_vanished_from_a_whole_chain_is_kept_from_before():
    rest = Rest((NEAR,))

    def done(chains: list[OptionChain]) -> bool:
        if chains:
            rest.open_interest = 0
        return len(chains) >= 3

    chains = await poll_until(rest, done)
    assert chains[-1].open_interest.tolist() == [10.0, 10.0]


async def test_what_the_engines_cannot_take_now_is_asked_for_again_and_is_no_fault_of_the_expiry():
    rest, engines = Rest((NEAR,)), Engines()
    engines.errors = [TransientError("The engine process ended.")] * 4
    chains = await poll_until(rest, lambda chains: bool(chains), engines=engines)
    assert len(chains[0]) == 2
    assert engines.bodies[4].required == (NEAR,)


async def test_new_engines_get_every_expiry_again_at_once():
    rest, engines, pollers = Rest((NEAR, LATER)), Engines(), []
    await poll_until(rest, lambda chains: bool(chains), engines=engines, started=pollers.append)
    rest, fresh = Rest((NEAR, LATER)), Engines()

    def done(chains: list[OptionChain]) -> bool:
        if len(rest.asked) == 2:
            fresh.__init__()  # type: ignore[misc]  # the process was killed: nothing is known
            pollers[-1].poll_again()
        return bool(rest.asked[2:] and fresh.chains)

    await poll_until(rest, done, engines=fresh, started=pollers.append)
    assert sorted(rest.asked[2:4]) == [NEAR, LATER]


async def test_a_body_says_what_makes_up_the_whole():
    engines = Engines()
    await poll_until(Rest(), lambda chains: bool(chains), engines=engines)
    assert {body.planned for body in engines.bodies} == {(NEAR, LATER)}
    assert {body.underlying for body in engines.bodies} == {"SPX"}


async def test_only_the_nearest_expiries_and_the_wanted_strikes_are_asked_for():
    rest = Rest((LATER, NEAR, FAR))
    chains = await poll_until(rest, lambda chains: bool(chains), expiries=1, strikes=30)
    assert set(rest.asked) == {NEAR}
    assert rest.strikes == {30}
    assert {str(day) for day in chains[0].expiry} == {str(NEAR)}


async def test_a_strike_that_left_the_window_leaves_no_stale_line():
    rest = Rest((NEAR,))
    rest.window = (6400.0, 6410.0)

    def done(chains: list[OptionChain]) -> bool:
        if chains:
            rest.window = (6410.0, 6420.0)
        return len(chains) >= 3

    chains = await poll_until(rest, done)
    assert sorted(set(chains[0].strike)) == [6400.0, 6410.0]
    assert sorted(set(chains[-1].strike)) == [6410.0, 6420.0]
