import asyncio

import pytest

from streaming.schwab.budget import RequestBudget
from tests.support.clock import ManualClock


async def test_no_minute_ever_holds_more_than_the_budget():
    clock = ManualClock()
    budget = RequestBudget(5, clock)
    moments = []
    for _ in range(23):
        await budget.take()
        moments.append(clock.monotonic())
        clock.advance(1)
    for moment in moments:
        assert sum(moment <= other < moment + 60 for other in moments) <= 5


async def test_a_fresh_budget_may_be_spent_at_once():
    clock = ManualClock()
    budget = RequestBudget(5, clock)
    for _ in range(5):
        await budget.take()
    assert clock.monotonic() == 1000.0
    assert budget.used == 5
    clock.advance(61)
    assert budget.used == 0


async def test_a_pause_holds_everybody():
    clock = ManualClock()
    budget = RequestBudget(5, clock)
    budget.pause(30)
    budget.pause(10)
    await budget.take()
    assert clock.monotonic() >= 1030


async def test_the_first_come_is_the_first_served():
    budget = RequestBudget(1, ManualClock())
    order = []

    async def ask(number):
        await budget.take()
        order.append(number)

    await asyncio.gather(*(ask(number) for number in range(4)))
    assert order == [0, 1, 2, 3]


def test_a_budget_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        RequestBudget(0, ManualClock())
