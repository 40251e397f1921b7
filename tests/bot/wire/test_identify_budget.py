"""How many sessions a token may open in a day, counted over processes."""

import pytest

from bot.wire.identify_budget import MOST, IdentifyBudget
from streaming.errors import OperatorError
from tests.support.clock import ManualClock

DAY_S = 24 * 3600


class DeadRedis:
    def __getattr__(self, name):
        async def fail(*_arguments, **_named):
            raise ConnectionError("away")

        return fail


async def test_the_guard_stands_before_discords_thousand():
    assert 500 < MOST < 1000


async def test_the_sessions_of_every_process_with_this_token_count_and_those_of_others_do_not(redis):
    clock = ManualClock()
    first, second = (IdentifyBudget(redis, "token", clock, most=3) for _ in range(2))
    for budget in (first, second, first):
        await budget.check()
        await budget.note()
        clock.advance(60)
    with pytest.raises(OperatorError, match="3 sessions") as caught:
        await second.check()
    assert caught.value.retry_after_s == pytest.approx(DAY_S - 180)
    await IdentifyBudget(redis, "another token", clock, most=3).check()
    assert "token" not in str(await redis.keys("*identifies:*")).replace("identifies", "")


async def test_after_a_day_a_session_is_forgotten(redis):
    clock = ManualClock()
    budget = IdentifyBudget(redis, "token", clock, most=1)
    await budget.note()
    clock.advance(DAY_S + 1)
    await budget.check()


@pytest.mark.parametrize("store", [None, DeadRedis()])
async def test_without_redis_the_process_counts_its_own(store):
    budget = IdentifyBudget(store, "token", ManualClock(), most=1)
    await budget.check()
    await budget.note()
    with pytest.raises(OperatorError):
        await budget.check()
