from datetime import timedelta

import msgspec
import pytest

from streaming.clock import epoch_ms
from streaming.freshness import data_age_s, freshness, is_stale, market_now, old_chain_s
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


@pytest.mark.parametrize(
    ("age_s", "delayed", "words"),
    [
        (5, False, "live"),
        (5.1, False, "5s stale"),
        (30, False, "5s stale"),
        (30.1, False, "old 5s"),
        (-5, False, "live"),
        (-5.1, False, "clock ahead"),
        (1, True, "delayed 5s"),
        (-5.1, True, "clock ahead"),
    ],
)
def test_figures_are_called_by_their_age_and_from_nearly_the_future_too(age_s, delayed, words):
    seen = msgspec.structs.replace(snapshot(), delayed=delayed)
    assert freshness(seen, ASOF + timedelta(seconds=age_s)).words("5s") == words


@pytest.mark.parametrize(
    ("age_s", "changes", "stale"),
    [
        (5, {}, False),
        (5.1, {}, True),
        (-5.1, {}, True),
        (900, {"delayed": True}, False),
        (1801, {"delayed": True}, True),
        (1, {"chain_ms": epoch_ms(ASOF) - 601_000}, True),
    ],
)
def test_a_program_may_act_on_what_is_new_or_as_late_as_its_source_always_is(age_s, changes, stale):
    seen = msgspec.structs.replace(snapshot(), **changes)
    assert is_stale(seen, ASOF + timedelta(seconds=age_s)) is stale


def test_what_is_played_of_a_delayed_source_is_as_late_as_it_is_played():
    seen = msgspec.structs.replace(played(1.0), delayed=True)
    assert freshness(seen, SENT + timedelta(seconds=1)) == "live"


@pytest.mark.parametrize(("behind_s", "delayed", "found"), [(600, False, None), (601, False, 601), (601, True, None)])
def test_a_chain_is_old_when_its_oldest_part_is_more_than_ten_minutes_behind(behind_s, delayed, found):
    asof_ms = epoch_ms(ASOF)
    seen = msgspec.structs.replace(snapshot(), chain_ms=asof_ms - behind_s * 1000, delayed=delayed)
    assert old_chain_s(seen) == found
    assert old_chain_s(msgspec.structs.replace(seen, chain_ms=None)) is None
