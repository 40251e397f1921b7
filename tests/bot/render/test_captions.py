from datetime import UTC, datetime

import pytest

from bot.feed.schedule import decide
from bot.render.captions import window_sentence


@pytest.mark.parametrize(
    ("at", "force", "sentence"),
    [
        (datetime(2026, 8, 20, 15, tzinfo=UTC), False, "open until Thu 16:00 New York"),
        (datetime(2026, 8, 20, 12, tzinfo=UTC), False, "closed: before 09:35 until Thu 09:35 New York"),
        (datetime(2026, 8, 22, 15, tzinfo=UTC), False, "closed: weekend until Mon 09:35 New York"),
        (datetime(2026, 11, 27, 17, tzinfo=UTC), False, "open until Fri 13:00 New York"),
        (datetime(2026, 8, 22, 15, tzinfo=UTC), True, "forced open"),
    ],
)
def test_the_window_says_why_and_until_when(at, force, sentence):
    assert window_sentence(decide(at, force=force)) == sentence
