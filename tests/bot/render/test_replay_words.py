from datetime import datetime

import msgspec
import pytest

from bot.render.replay_words import replay_words
from streaming.calendar import NEW_YORK
from streaming.model import ReplayMark
from tests.support.feed import snapshot

EVENING = datetime(2026, 11, 20, 20, 30, tzinfo=NEW_YORK)


def played(speed):
    mark = ReplayMark(of="schwab", speed=speed, sent_ms=0)
    return msgspec.structs.replace(snapshot(EVENING), source="replay", replay=mark)


def test_a_snapshot_that_is_no_replay_has_no_words():
    assert replay_words(snapshot()) is None


@pytest.mark.parametrize(
    ("speed", "words"),
    [
        (1.0, "REPLAY 20 Nov 2026 x1"),
        (10.0, "REPLAY 20 Nov 2026 x10"),
        (0.25, "REPLAY 20 Nov 2026 x0.25"),
        (0.0, "REPLAY 20 Nov 2026 paused"),
    ],
)
def test_the_recorded_day_in_new_york_and_the_speed_are_named(speed, words):
    assert replay_words(played(speed)) == words


def test_the_words_and_a_time_fit_a_phone_at_any_speed():
    assert max(len(replay_words(played(speed))) for speed in (0.0, 1e-9, 12345.678, 1e300)) <= 40 - len(" · 10:31:05")
