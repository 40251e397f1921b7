import asyncio

import pytest

from streaming.errors import TransientError
from streaming.schwab.rest.budget import RequestBudget
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
    await budget.pause(30)
    await budget.pause(10)
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


class Shared:
    """A shared minute that may be away, or full of other processes' requests."""

    def __init__(self, *, others: int = 0):
        self.others = others
        self.away = False
        self.granted = 0
        self.pauses = []

    async def claim(self, per_minute):
        if self.away:
            raise TransientError("Redis does not answer.")
        if self.granted + self.others >= per_minute:
            self.others -= 1
            return 0.5, per_minute
        self.granted += 1
        return 0.0, self.granted + self.others

    async def pause(self, seconds):
        if self.away:
            raise TransientError("Redis does not answer.")
        self.pauses.append(seconds)


async def test_what_other_processes_use_is_waited_for_and_counted():
    clock, shared = ManualClock(), Shared(others=4)
    budget = RequestBudget(5, clock, shared=shared)
    await budget.take()
    assert (clock.monotonic(), budget.used) == (1000.0, 5)
    await budget.take()
    assert clock.monotonic() == 1000.5
    clock.advance(61)
    assert budget.used == 0


async def test_half_of_the_budget_is_used_while_the_others_cannot_be_asked():
    clock, shared = ManualClock(), Shared()
    shared.away = True
    budget = RequestBudget(10, clock, shared=shared)
    moments = []
    for _ in range(11):
        await budget.take()
        moments.append(clock.monotonic() - 1000.0)
    assert moments[:5] == [0.0] * 5
    assert moments[5:] == [60.0] * 5 + [120.0]


async def test_the_whole_budget_is_back_soon_after_the_others_are():
    clock, shared = ManualClock(), Shared()
    budget = RequestBudget(10, clock, shared=shared)
    shared.away = True
    await budget.take()
    shared.away = False
    clock.advance(6)
    for _ in range(9):
        await budget.take()
    assert clock.monotonic() == 1006.0
    assert shared.granted == 9


async def test_everybody_is_told_to_pause_and_a_store_that_is_away_does_not_matter():
    clock, shared = ManualClock(), Shared()
    budget = RequestBudget(10, clock, shared=shared)
    await budget.pause(7)
    assert shared.pauses == [7]
    shared.away = True
    await budget.pause(9)
    await budget.take()
    assert clock.monotonic() >= 1009.0
