from datetime import timedelta

import msgspec
import pytest

from streaming.clock import epoch_ms
from streaming.freshness import data_age_s, market_now
from streaming.model import ReplayMark
from tests.support.snapshots import ASOF, snapshot

SENT = ASOF + timedelta(days=90)


def played(speed):
    mark = ReplayMark(of="schwab", speed=speed, sent_ms=epoch_ms(SENT))
    return msgspec.structs.replace(snapshot(), source="replay", replay=mark)


def test_without_a_replay_it_is_now():
    assert market_now(None, SENT) == market_now(snapshot(), SENT) == SENT


@pytest.mark.parametrize(("speed", "passed_s"), [(1.0, 4), (10.0, 40), (0.5, 2), (0.0, 0)])
def test_a_replay_runs_on_from_its_quote_at_its_speed(speed, passed_s):
    assert market_now(played(speed), SENT + timedelta(seconds=4)) == ASOF + timedelta(seconds=passed_s)


def test_a_replay_that_fell_silent_does_not_run_into_the_next_day():
    assert market_now(played(60.0), SENT + timedelta(days=3)) == ASOF + timedelta(seconds=30 * 60)


def test_a_mark_from_the_future_or_of_absurd_speed_breaks_nothing():
    assert market_now(played(1.0), SENT - timedelta(hours=1)) == ASOF
    assert market_now(played(1e300), SENT + timedelta(seconds=1)) == ASOF + timedelta(seconds=10_000)


def test_the_age_of_live_figures_counts_from_their_quotes_and_of_recorded_ones_from_their_playing():
    assert data_age_s(snapshot(), ASOF + timedelta(seconds=7)) == 7
    assert data_age_s(played(10.0), SENT + timedelta(seconds=7)) == 7
