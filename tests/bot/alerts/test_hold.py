"""Whether a snapshot may fire alerts at all."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from bot.alerts.hold import Hold, held_by, is_current
from bot.alerts.rules import AlertKind
from tests.support.alerts import played, shot
from tests.support.snapshots import ASOF

OPEN = datetime(2026, 8, 20, 13, 30, tzinfo=UTC)
CLOSE = datetime(2026, 8, 20, 20, 0, tzinfo=UTC)


def held_at(asof, **changes):
    return held_by(shot(start=asof, **changes), asof)


def test_live_figures_in_the_middle_of_the_day_are_free():
    assert held_at(ASOF) is None


@pytest.mark.parametrize(
    ("asof", "hold"),
    [
        (OPEN - timedelta(seconds=1), Hold.CLOSED),
        (OPEN, Hold.WARMING),
        (OPEN + timedelta(minutes=15), None),
        (CLOSE - timedelta(minutes=5, seconds=1), None),
        (CLOSE - timedelta(minutes=5), Hold.CLOSING),
        (CLOSE, Hold.CLOSED),
        (ASOF + timedelta(days=2), Hold.CLOSED),
    ],
)
def test_the_calendar_speaks_for_a_producer_that_only_ever_says_live(asof, hold):
    assert held_at(asof) is hold


@pytest.mark.parametrize(("state", "hold"), [("closed", Hold.CLOSED), ("closing", Hold.CLOSING)])
def test_a_producer_that_knows_its_hour_is_believed(state, hold):
    assert held_at(ASOF, state=state) is hold


def test_a_forced_window_lets_a_closed_market_fire_and_nothing_else():
    assert held_by(shot(state="closed"), ASOF, any_hour=True) is None
    assert held_by(shot(state="closing"), ASOF, any_hour=True) is Hold.CLOSING


def test_old_quotes_fire_nothing():
    late = ASOF + timedelta(minutes=10)
    assert held_by(shot(), late) is Hold.STALE
    assert is_current(shot(), late) is Hold.STALE


def test_a_source_that_is_delayed_by_its_nature_fires_until_it_is_hours_old():
    late = shot(delayed=True)
    assert is_current(late, ASOF + timedelta(minutes=20)) is None
    assert is_current(late, ASOF + timedelta(hours=3)) is Hold.STALE


def test_a_replay_is_as_current_as_it_is_sent():
    now = ASOF + timedelta(days=30)
    assert is_current(played(shot(), sent=now), now) is None


def test_levels_of_an_old_chain_wait_unless_the_source_is_delayed_anyway():
    old = shot(chain_ms=shot().asof_ms - 601_000)
    assert held_by(old, ASOF) is Hold.OLD_CHAIN
    assert held_by(msgspec.structs.replace(old, delayed=True), ASOF) is None


def test_a_price_is_a_price_in_the_opening_minutes_and_over_an_old_chain():
    for hold in Hold:
        assert hold.holds(AlertKind.ZERO_GAMMA)
    assert not Hold.WARMING.holds(AlertKind.PRICE)
    assert not Hold.OLD_CHAIN.holds(AlertKind.PRICE)
    assert Hold.STALE.holds(AlertKind.PRICE)


def test_the_hour_freezes_and_the_data_does_not():
    assert {hold for hold in Hold if hold.frozen} == {Hold.CLOSED, Hold.CLOSING, Hold.WARMING}
