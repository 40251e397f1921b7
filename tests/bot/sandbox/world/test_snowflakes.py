from datetime import UTC, datetime

from bot.sandbox.world.snowflakes import Snowflakes, created_at, fixed_id
from tests.support.clock import ManualClock


def test_an_id_holds_its_instant() -> None:
    clock = ManualClock(datetime(2026, 8, 20, 13, 40, 0, 123_000, tzinfo=UTC))
    assert created_at(Snowflakes(clock).next()) == clock.now()


def test_ids_grow_even_when_the_clock_goes_back() -> None:
    clock = ManualClock()
    snowflakes = Snowflakes(clock)
    first = [snowflakes.next() for _ in range(5)]
    clock.advance(-60)
    assert sorted({*first, snowflakes.next()}) == [*first, first[-1] + 1]


def test_fixed_ids_are_the_same_in_every_run() -> None:
    assert fixed_id(100) == 1191168914227200100
