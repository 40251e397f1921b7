from datetime import datetime

from bot.feed.opening import opening_sentence
from bot.feed.schedule import decide
from streaming.calendar import NEW_YORK


def test_a_start_on_a_weekend_says_when_the_first_message_comes():
    saturday = decide(datetime(2026, 8, 22, 11, 0, tzinfo=NEW_YORK))
    assert opening_sentence(saturday) == (
        "The feed is closed (weekend). The first live message comes on Monday 24 August at 09:35 New York."
    )


def test_while_the_feed_is_open_or_forced_nothing_is_said():
    assert opening_sentence(decide(datetime(2026, 8, 20, 11, 0, tzinfo=NEW_YORK))) is None
    assert opening_sentence(decide(datetime(2026, 8, 22, 11, 0, tzinfo=NEW_YORK), force=True)) is None
