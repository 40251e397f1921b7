from datetime import UTC, datetime

import pytest

from streaming.sim.prices.hours import Phase, phase_at


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("instant", "phase"),
    [
        ("2026-08-20T13:29:59", Phase.FUTURES),
        ("2026-08-20T13:30:00", Phase.CASH),
        ("2026-08-20T19:59:59", Phase.CASH),
        ("2026-08-20T20:00:00", Phase.FUTURES),
        ("2026-08-20T21:30:00", Phase.CLOSED),  # the daily pause
        ("2026-08-20T22:30:00", Phase.FUTURES),
        ("2026-08-21T22:30:00", Phase.CLOSED),  # Friday night
        ("2026-08-22T15:00:00", Phase.CLOSED),
        ("2026-08-23T22:30:00", Phase.FUTURES),  # Sunday evening
        ("2026-11-27T18:30:00", Phase.FUTURES),  # a half day has ended
        ("2026-11-26T15:00:00", Phase.FUTURES),  # Thanksgiving: no cash session
    ],
)
def test_the_phase_follows_the_exchanges(instant, phase):
    assert phase_at(at(instant), always_open=False)[0] is phase


def test_a_phase_says_until_when():
    assert phase_at(at("2026-08-20T15:00:00"), always_open=False)[1] == at("2026-08-20T20:00:00")


def test_an_always_open_market_never_closes():
    assert phase_at(at("2026-08-22T15:00:00"), always_open=True) == (Phase.CASH, float("inf"))
