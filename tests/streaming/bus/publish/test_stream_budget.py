"""streaming/bus/publish/stream_budget.py"""

import random
from collections import deque

import pytest

from streaming.bus.events import BOOK, CANDLE, TICK
from streaming.bus.publish.stream_budget import DEFAULT_MB, LEAST_MB, StreamBudget
from streaming.settings import StreamSettings

MB = 1_000_000


def _entries(kind, sizes):
    return [(place, kind, b"x" * size) for place, size in enumerate(sizes)]


def test_the_setting_says_the_same_default_and_takes_no_less_than_a_batch_needs():
    field = StreamSettings.model_fields["redis_events_mb"]
    assert field.default == DEFAULT_MB
    assert any(getattr(one, "ge", None) == LEAST_MB for one in field.metadata)


def test_by_default_the_streams_hold_four_minutes_of_three_hundred_events_a_second():
    budget = StreamBudget()
    for _ in range(200):
        budget.caps_for(_entries(TICK, [320] * 96) + _entries(BOOK, [2_850] * 4))
    assert budget.caps[TICK] / 288 == pytest.approx(240, rel=0.1)
    assert budget.caps[BOOK] / 12 == pytest.approx(240, rel=0.1)
    assert budget.caps[TICK] * 350 + budget.caps[BOOK] * 2_980 < DEFAULT_MB * MB


@pytest.mark.parametrize("regimes", [(4_500, 300), (300, 4_500), (900, 2_800, 600)])
def test_a_stream_keeps_within_its_bytes_when_events_grow_and_shrink(regimes):
    budget, held, rng = StreamBudget(20.0), deque(), random.Random(7)
    size = worst = 0
    for mean in regimes:
        for _ in range(300):
            batch = _entries(BOOK, [int(mean * rng.uniform(0.5, 1.5)) for _ in range(100)])
            cap = budget.caps_for(batch)[BOOK]
            held.extend(len(payload) for _, _, payload in batch)
            size += sum(len(payload) for _, _, payload in batch)
            while len(held) > cap:
                size -= held.popleft()
            worst = max(worst, size)
    assert worst < 1.5 * 5 * MB
    assert size < 1.1 * 5 * MB


def test_a_stream_is_never_shorter_than_the_batch_that_may_come_into_doubt():
    budget = StreamBudget(1.0)
    budget.caps_for(_entries(BOOK, [5_000] * 400))
    caps = budget.caps_for(_entries(BOOK, [250] * 4_096))
    assert caps[BOOK] == 4_096
    assert budget.caps[BOOK] < 1_000


def test_what_is_not_published_leaves_its_memory_to_the_others():
    alone, all_kinds = StreamBudget(kinds=[TICK]), StreamBudget()
    assert alone.caps[TICK] == pytest.approx(all_kinds.caps[TICK] / 0.7, rel=0.01)
    assert StreamBudget(kinds=[]).caps[CANDLE] > 0


def test_the_bounds_are_the_same_object_until_sizes_have_changed():
    budget = StreamBudget()
    caps = budget.caps_for(_entries(TICK, [350] * 100))
    assert budget.caps_for(_entries(TICK, [340] * 100)) is caps
