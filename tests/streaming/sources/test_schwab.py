"""Chains from a REST client that a test controls."""

import asyncio
import json
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from streaming.calendar import new_york
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
        self.open_interest = 10

    async def expirations(self, symbol: str) -> list[Expiration]:
        return [Expiration(expiry=day, kind="W", roots=("SPXW",), settlement="P") for day in self.expiries]

    async def chain(self, symbol: str, expiry: date) -> bytes:
        await asyncio.sleep(0)
        self.asked.append(expiry)
        if self.errors.get(expiry):
            raise self.errors[expiry].pop(0)
        return payload(expiry, open_interest=self.open_interest)


async def poll_until(rest: Rest, done: Callable[[list[OptionChain]], bool]) -> list[OptionChain]:
    """Run a poller on real time until `done` or two seconds have passed."""
    chains: list[OptionChain] = []
    clock = QuickClock()
    poller = ChainPoller(
        rest,
        [parse_ticker("SPX")],
        on_chain=lambda _name, chain: chains.append(chain),
        requests_per_minute=100,
        days=90,
        clock=clock,
    )
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
