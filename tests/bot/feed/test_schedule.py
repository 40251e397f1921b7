from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from bot.feed.schedule import decide, decide_about, next_mark, opening_sentence, window_sentence
from bot.render.origin_words import origin_words
from streaming.calendar import NEW_YORK
from streaming.clock import epoch_ms
from streaming.freshness import market_now
from streaming.model import ReplayMark
from tests.support.feed import snapshot


def ny(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=NEW_YORK, fold=fold)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        (ny(2026, 8, 20, 9, 34, 59), False),
        (ny(2026, 8, 20, 9, 35), True),
        (ny(2026, 8, 20, 15, 59, 59), True),
        (ny(2026, 8, 20, 16, 0), False),
        (ny(2026, 11, 27, 12, 59, 59), True),
        (ny(2026, 11, 27, 13, 0), False),
        (ny(2026, 11, 26, 11, 0), False),
        (ny(2026, 8, 22, 11, 0), False),
    ],
)
def test_the_window_is_0935_to_the_sessions_close(at, is_open):
    assert decide(at.astimezone(UTC)).is_open is is_open


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (ny(2026, 8, 20, 9, 0), "not open yet"),
        (ny(2026, 8, 20, 11, 0), "open"),
        (ny(2026, 8, 20, 17, 0), "after the close"),
        (ny(2026, 8, 22, 11, 0), "weekend"),
        (ny(2026, 12, 25, 11, 0), "Christmas Day"),
    ],
)
def test_the_decision_says_why(at, reason):
    assert decide(at).reason == reason


def test_a_half_day_names_its_cause():
    reason = decide(ny(2026, 11, 27, 14, 0)).reason
    assert reason.startswith("after the close, ")
    assert "Thanksgiving" in reason


def test_the_decision_says_until_when():
    assert decide(ny(2026, 8, 20, 9, 0)).until == ny(2026, 8, 20, 9, 35)
    assert decide(ny(2026, 8, 20, 11, 0)).until == ny(2026, 8, 20, 16, 0)
    assert decide(ny(2026, 8, 21, 17, 0)).until == ny(2026, 8, 24, 9, 35)


def test_a_day_without_a_session_has_no_session_date():
    assert decide(ny(2026, 8, 22, 11, 0)).session is None
    assert decide(ny(2026, 8, 20, 17, 0)).session == date(2026, 8, 20)


@pytest.mark.parametrize("at", [ny(2026, 8, 22, 3, 0), ny(2026, 12, 25, 11, 0), ny(2026, 8, 20, 23, 0)])
def test_force_is_tested_before_everything_else(at):
    decision = decide(at, force=True)
    assert decision.is_open
    assert decision.reason == "open at any hour"
    assert decision.until is None
    assert decision.session == at.date()


def test_the_window_follows_new_york_over_a_clock_change():
    assert not decide(datetime(2026, 3, 6, 14, 34, tzinfo=UTC)).is_open
    assert decide(datetime(2026, 3, 6, 14, 35, tzinfo=UTC)).is_open
    assert decide(datetime(2026, 3, 9, 13, 35, tzinfo=UTC)).is_open
    assert not decide(datetime(2026, 3, 9, 20, 0, tzinfo=UTC)).is_open


def test_marks_are_multiples_since_midnight_in_new_york():
    assert next_mark(ny(2026, 8, 20, 9, 41, 7), 5) == ny(2026, 8, 20, 9, 45)
    assert next_mark(ny(2026, 8, 20, 9, 45), 5) == ny(2026, 8, 20, 9, 50)
    assert next_mark(ny(2026, 8, 20, 9, 44, 59), 7) == ny(2026, 8, 20, 9, 48)
    assert next_mark(ny(2026, 8, 20, 23, 59), 7) == ny(2026, 8, 21, 0, 0)
    assert next_mark(ny(2026, 8, 20, 9, 0), 60) == ny(2026, 8, 20, 10, 0)


def test_a_mark_in_the_hour_that_clocks_skip_does_not_exist():
    assert next_mark(ny(2026, 3, 8, 1, 58), 5) == ny(2026, 3, 8, 3, 0)
    assert next_mark(ny(2026, 3, 8, 1, 45), 45) == ny(2026, 3, 8, 3, 0)


def test_the_hour_that_clocks_repeat_has_its_marks_twice():
    before = datetime(2026, 11, 1, 5, 31, tzinfo=UTC)
    first = next_mark(before, 30)
    assert first == datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
    assert first.astimezone(NEW_YORK).strftime("%H:%M") == "01:00"
    assert next_mark(first, 30) - first == timedelta(minutes=30)


def played(at, *, wall, speed=10.0):
    mark = ReplayMark(of="schwab", speed=speed, sent_ms=epoch_ms(wall))
    return msgspec.structs.replace(snapshot(at), source="replay", replay=mark)


SUNDAY = ny(2026, 11, 22, 3, 0)


@pytest.mark.parametrize(
    ("recorded", "after_s", "is_open", "reason"),
    [
        (ny(2026, 11, 20, 9, 34, 50), 0, True, "open at any hour"),
        (ny(2026, 11, 20, 9, 34, 50), 1, True, "open"),
        (ny(2026, 11, 21, 11, 0), 0, True, "open at any hour"),
        (ny(2026, 11, 20, 15, 59, 55), 0.4, True, "open"),
        (ny(2026, 11, 20, 15, 59, 55), 0.5, False, "after the close"),
        (ny(2026, 11, 27, 13, 0), 0, False, "after the close, Day after Thanksgiving Day"),
    ],
)
def test_a_forced_window_over_a_replay_has_the_hours_of_the_replayed_session(recorded, after_s, is_open, reason):
    later = SUNDAY + timedelta(seconds=after_s)
    decision = decide_about(played(recorded, wall=SUNDAY), later, force=True, lived=recorded.date())
    assert (decision.is_open, decision.reason) == (is_open, reason)
    assert decision.session == recorded.date()


@pytest.mark.parametrize("hour", [3, 8, 11, 16, 20])
def test_a_replay_recorded_at_any_hour_is_shown_in_a_forced_window(hour):
    recorded = ny(2026, 11, 20, hour, 30)
    decision = decide_about(played(recorded, wall=SUNDAY), SUNDAY, force=True)
    assert (decision.is_open, decision.session) == (True, recorded.date())


def test_without_force_real_time_rules_a_replay_and_without_a_replay_force_comes_first():
    at = ny(2026, 11, 20, 11, 0)
    assert decide_about(played(at, wall=SUNDAY), SUNDAY).reason == "weekend"
    assert decide_about(snapshot(at), SUNDAY, force=True).reason == "open at any hour"
    assert decide_about(None, SUNDAY, force=True).reason == "open at any hour"


@pytest.mark.parametrize("at", [ny(2026, 11, 20, 11, 0), ny(2026, 11, 20, 17, 0), ny(2026, 11, 21, 11, 0)])
def test_a_replay_that_nobody_knows_opens_and_closes_nothing(at):
    strange = played(at, wall=SUNDAY)
    strange = msgspec.structs.replace(strange, replay=msgspec.structs.replace(strange.replay, by=""))
    decision = decide_about(strange, SUNDAY, force=True, lived=at.date())
    assert (decision.reason, decision.session) == ("open at any hour", SUNDAY.date())
    assert market_now(strange, SUNDAY) == SUNDAY
    assert origin_words(strange).startswith("REPLAY")


@pytest.mark.parametrize(
    ("at", "force", "sentence"),
    [
        (datetime(2026, 8, 20, 15, tzinfo=UTC), False, "open until <t:1787256000:f>"),
        (datetime(2026, 8, 20, 12, tzinfo=UTC), False, "closed: not open yet until <t:1787232900:f>"),
        (datetime(2026, 8, 22, 15, tzinfo=UTC), False, "closed: weekend until <t:1787578500:f>"),
        (datetime(2026, 11, 27, 17, tzinfo=UTC), False, "open until <t:1795802400:f>"),
        (datetime(2026, 8, 22, 15, tzinfo=UTC), True, "open at any hour"),
    ],
)
def test_the_window_says_why_and_until_when(at, force, sentence):
    assert window_sentence(decide(at, force=force)) == sentence


def test_a_start_on_a_weekend_says_when_the_first_message_comes():
    saturday = decide(datetime(2026, 8, 22, 11, 0, tzinfo=NEW_YORK))
    assert opening_sentence(saturday) == (
        "The feed is closed (weekend). The first live message comes on Monday 24 August at 09:35 New York."
    )
    assert (opening_sentence(saturday, prose=True) or "").endswith("The first live message comes on <t:1787578500:F>.")


def test_while_the_feed_is_open_or_forced_nothing_is_said():
    assert opening_sentence(decide(datetime(2026, 8, 20, 11, 0, tzinfo=NEW_YORK))) is None
    assert opening_sentence(decide(datetime(2026, 8, 22, 11, 0, tzinfo=NEW_YORK), force=True)) is None
