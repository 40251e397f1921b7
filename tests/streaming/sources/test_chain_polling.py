"""Chains from a REST client that a test controls."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from streaming.calendar import new_york
from streaming.engine.kept_chains import ChainDelivery
from streaming.engine.protocol import ChainReceipt, Load
from streaming.engine.room import EngineRoom
from streaming.errors import GexcordError, LoginRequiredError, TransientError
from streaming.option_chain import OptionChain
from streaming.schwab.rest.bodies import ChainDocument
from streaming.sources.chain_polling import ChainPoller
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

    async def expirations(self, symbol: str) -> list[date]:
        return list(self.expiries)

    async def chain(self, symbol: str, expiry: date, *, strikes: int = 0) -> ChainDocument:
        await asyncio.sleep(0)
        self.asked.append(expiry)
        self.strikes.add(strikes)
        if self.errors.get(expiry):
            raise self.errors[expiry].pop(0)
        return ChainDocument(payload(expiry, strikes=self.window, open_interest=self.open_interest), strikes)


class Engines(EngineRoom):
    """The room as the worker has it, which shows the whole chains it gets; `errors` are raised first, one a load."""

    def __init__(self) -> None:
        super().__init__([parse_ticker("SPX")], scope="full")
        self.chains: list[OptionChain] = []
        self.bodies: list[ChainDelivery] = []
        self.errors: list[GexcordError] = []

    def on_chain(self, underlying: str, chain: OptionChain, *, ex_dividend: date | None = None) -> None:
        super().on_chain(underlying, chain, ex_dividend=ex_dividend)
        self.chains.append(chain)

    async def take_body(self, body: ChainDelivery) -> ChainReceipt:
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
    step_s: float = 2.0,
    clock: "QuickClock | None" = None,
    **limits: Any,
) -> list[OptionChain]:
    """Run a poller on quick time until `done` or two seconds have passed."""
    engines = engines or Engines()
    chains, clock = engines.chains, clock or QuickClock()
    poller = ChainPoller(
        rest, [parse_ticker("SPX")], load=engines.take_body, requests_per_minute=100, days=90, clock=clock, **limits
    )
    started(poller)
    task = asyncio.create_task(poller.run())
    try:
        async with asyncio.timeout(2.0):
            while not done(chains) and not task.done():
                await asyncio.sleep(0.01)
                clock.advance(step_s)
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


async def test_the_next_ex_dividend_date_goes_with_every_chain():
    engines = Engines()
    await poll_until(Rest(), bool, engines=engines, ex_dividend={"$SPX": LATER}.get)
    assert (
        {body.ex_dividend for body in engines.bodies} == {body.order.ex_dividend for body in engines.bodies} == {LATER}
    )


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


class Odd(Rest):
    """Answers as the test says, by expiry; lists as it says."""

    def __init__(self, expiries: tuple[date, ...]) -> None:
        super().__init__(expiries)
        self.bodies: dict[date, bytes] = {}
        self.lists = 0

    async def expirations(self, symbol: str) -> list[date]:
        self.lists += 1
        return await super().expirations(symbol)

    async def chain(self, symbol: str, expiry: date, *, strikes: int = 0) -> ChainDocument:
        good = await super().chain(symbol, expiry, strikes=strikes)
        return ChainDocument(self.bodies.get(expiry, good.payload), strikes)


async def test_an_answer_that_cannot_be_true_is_counted_and_said_and_the_known_part_stays_and_ages():
    rest, pollers = Odd((NEAR, LATER)), []

    def done(chains: list[OptionChain]) -> bool:
        if chains:
            rest.bodies[NEAR] = b"{}"
        return bool(pollers and pollers[0].refused >= 2)

    chains = await poll_until(rest, done, started=pollers.append)
    (poller,) = pollers
    assert len(chains[-1]) == 4
    assert poller.refusals() == {f"SPX {NEAR}": "It lacks the map of its calls or of its puts."}
    assert poller.errors == poller.refused
    ages = poller.expiry_age_s()["SPX"]
    assert ages[str(NEAR)] > ages[str(LATER)] or ages[str(NEAR)] >= 10.0


async def test_a_good_answer_ends_what_is_said_about_the_odd_one():
    rest, pollers = Odd((NEAR,)), []

    def done(chains: list[OptionChain]) -> bool:
        poller = pollers[0]
        if chains and not poller.refused:
            rest.bodies[NEAR] = b"{}"
        elif poller.refused:
            rest.bodies.clear()
        return poller.refused > 0 and not poller.refusals()

    await poll_until(rest, done, started=pollers.append)
    assert pollers[0].refused >= 1


async def test_rows_that_cannot_be_read_are_counted_and_said_and_the_rest_is_used():
    rest, pollers = Odd((NEAR,)), []
    document = json.loads(payload(NEAR))
    document["callExpDateMap"]["someday:3"] = document["callExpDateMap"][f"{NEAR}:0"]
    rest.bodies[NEAR] = json.dumps(document).encode()
    chains = await poll_until(rest, lambda chains: bool(chains), started=pollers.append)
    assert len(chains[0]) == 2
    assert pollers[0].odd_rows >= 1
    assert pollers[0].remarks() == {f"SPX {NEAR}": "1 rows unreadable"}
    assert pollers[0].refused == 0


@pytest.mark.parametrize("left", [(), (NEAR,)])
async def test_a_list_that_lacks_known_expirations_keeps_the_plan_and_is_asked_for_again_soon(left):
    rest, pollers, seen = Odd((NEAR, LATER)), [], []

    def done(chains: list[OptionChain]) -> bool:
        poller = pollers[0]
        if chains:
            rest.expiries = left
        if poller.refused and not seen:
            seen.extend([poller.expiry_age_s()["SPX"], poller.refusals(), poller.errors])
        return not poller.refusals() and bool(seen)

    await poll_until(rest, done, started=pollers.append, step_s=20.0)
    ages_s, refusals, errors = seen
    assert (len(ages_s), None in ages_s.values(), errors) == (2, False, 1)
    assert refusals == {"SPX": f"The list lacks {2 - len(left)} of 2 known expirations."}
    assert pollers[0].refused == 3, "the fourth, a minute after the first, is believed"
    assert len(pollers[0].expiry_age_s()["SPX"]) == len(left)


async def test_a_first_list_without_any_expirations_is_asked_for_again_soon():
    rest, pollers = Odd(()), []

    def done(chains: list[OptionChain]) -> bool:
        if pollers[0].refused:
            rest.expiries = (NEAR,)
        return bool(chains)

    await poll_until(rest, done, started=pollers.append)
    assert pollers[0].errors == pollers[0].refused == 1


async def test_an_expiration_whose_day_is_over_leaves_the_list_without_a_word():
    rest, pollers = Odd((NEAR, LATER)), []

    def done(chains: list[OptionChain]) -> bool:
        if chains:
            rest.expiries = (LATER,)
        return len(rest.asked) > 2 and len(pollers[0].expiry_age_s()["SPX"]) == 1

    clock = QuickClock(datetime.combine(NEAR, time(19, 55), UTC))  # five minutes before the close
    await poll_until(rest, done, started=pollers.append, step_s=20.0, clock=clock)
    assert pollers[0].errors == 0


async def test_an_expiry_that_is_over_is_not_missed_when_it_is_served_no_more():
    rest, pollers = Odd((NEAR, LATER)), []

    def done(chains: list[OptionChain]) -> bool:
        if chains:
            rest.bodies[NEAR] = b"{}"
        return len(pollers[0].expiry_age_s()["SPX"]) == 1

    clock = QuickClock(datetime.combine(NEAR, time(19, 59, 59), UTC))
    await poll_until(rest, done, started=pollers.append, clock=clock)
    assert (pollers[0].refused, pollers[0].refusals()) == (0, {})


async def test_the_same_refusal_again_and_again_is_counted_and_logged_once(caplog):
    rest, pollers = Odd((NEAR,)), []
    rest.bodies[NEAR] = b"{}"
    await poll_until(rest, lambda _chains: pollers[0].refused >= 3, started=pollers.append)
    assert len([record for record in caplog.records if "lacks the map" in record.getMessage()]) == 1
