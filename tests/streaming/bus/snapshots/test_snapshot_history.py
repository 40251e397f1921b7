"""streaming/bus/snapshots/snapshot_history.py on a real server.

Entry ids are set by hand, so that arrival differs from asof.
"""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streaming.bus.snapshots.snapshot_history import HistorySamples

KEY = "gex:history:SPX"
DAY_MS = 1_787_000_000_000


async def fill(redis, rows, *, day="2026-08-20"):
    """Rows are (arrived, asof) in seconds after a fixed instant."""
    await redis.delete(KEY)
    pipeline = redis.pipeline(transaction=False)
    for arrived, asof in rows:
        fields = {"data": str(asof), "day": day, "asof_ms": DAY_MS + int(asof * 1000)}
        pipeline.xadd(KEY, fields, id=f"{DAY_MS + int(arrived * 1000)}-1")
    await pipeline.execute()


async def sampled(redis, *, minutes=1440.0, most=20):
    return [float(payload) for payload in await HistorySamples(redis, KEY).spread(minutes=minutes, most=most)]


async def test_a_long_day_is_thinned_evenly_with_both_ends(redis):
    await fill(redis, [(n * 5, n * 5) for n in range(2000)])
    found = await sampled(redis)
    assert len(found) == 20
    assert (found[0], found[-1]) == (0, 9995)
    distances = [after - before for before, after in pairwise(found)]
    assert max(distances) - min(distances) <= 10


async def test_only_the_last_minutes_are_chosen_from(redis):
    await fill(redis, [(n * 5, n * 5) for n in range(2000)])
    found = await sampled(redis, minutes=10)
    assert 9395 <= found[0] <= 9425
    assert found[-1] == 9995
    assert 15 <= len(found) <= 20


async def test_a_short_span_comes_whole(redis):
    await fill(redis, [(n * 5, n * 5) for n in range(2000)])
    assert await sampled(redis, minutes=1, most=50) == [9935.0 + 5 * n for n in range(13)]


async def test_a_replay_that_was_paused_is_still_spread_over_market_time(redis):
    fast = [(n, n * 60) for n in range(200)]
    slow = [(2000 + n * 5, 12_000 + n * 60) for n in range(200)]
    await fill(redis, fast + slow)
    found = await sampled(redis)
    assert found == sorted(found)
    assert len(found) <= 20
    assert max(after - before for before, after in pairwise(found)) < 4 * 23_940 / 20


async def test_a_gap_costs_nothing_but_itself(redis):
    await fill(redis, [(n, n) for n in range(300)] + [(10_000 + n, 10_000 + n) for n in range(300)])
    found = await sampled(redis)
    assert len(found) >= 15
    assert len([asof for asof in found if asof < 300]) >= 5
    assert len([asof for asof in found if asof >= 10_000]) >= 5


async def test_what_was_before_the_clock_was_set_back_is_another_run(redis):
    await fill(redis, [(n, 1000 + n) for n in range(300)] + [(300 + n, n) for n in range(300)])
    found = await sampled(redis, most=40)
    assert found == sorted(found)
    assert found[-1] == 299
    assert max(found) == 299


async def test_of_two_runs_over_the_same_time_the_newer_one_is_taken(redis):
    await fill(redis, [(n, n) for n in range(300)] + [(300 + n, 200 + n) for n in range(300)])
    found = await sampled(redis, most=40)
    assert min(found) >= 200
    assert found[-1] == 499


async def test_another_day_is_left_out(redis):
    await fill(redis, [(n, n) for n in range(50)], day="2026-08-19")
    pipeline = redis.pipeline(transaction=False)
    for n in range(50, 100):
        fields = {"data": str(n), "day": "2026-08-20", "asof_ms": DAY_MS + n * 1000}
        pipeline.xadd(KEY, fields, id=f"{DAY_MS + n * 1000}-1")
    await pipeline.execute()
    found = await sampled(redis)
    assert min(found) >= 50


async def test_an_empty_history_is_empty(redis):
    assert await sampled(redis) == []


@pytest.mark.parametrize("most", [1, 2, 3, 400])
async def test_any_number_can_be_asked_for(redis, most):
    await fill(redis, [(n * 5, n * 5) for n in range(100)])
    found = await sampled(redis, most=most)
    assert found[-1] == 495
    assert len(found) <= max(most, 2)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(1, 900), st.integers(1, 900)), min_size=1, max_size=80),
    st.integers(2, 30),
    st.floats(0.1, 300),
)
async def test_whatever_the_times_the_choice_rises_is_bounded_and_ends_with_the_newest(redis, steps, most, minutes):
    rows, arrived, asof = [], 0, 0
    for wall, market in steps:
        arrived, asof = arrived + wall, asof + market
        rows.append((arrived, asof))
    await fill(redis, rows)
    found = await sampled(redis, most=most, minutes=minutes)
    assert len(found) <= most
    assert found == sorted(set(found))
    assert found[-1] == rows[-1][1]
    assert found[0] >= rows[-1][1] - minutes * 60 - 0.001
