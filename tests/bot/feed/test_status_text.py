from datetime import timedelta

import pytest

from bot.feed.feed_metrics import BoardCounters, BoardStatus, FeedStatus
from bot.feed.status_text import boards_field, feed_text
from tests.support.snapshots import ASOF

NOW = ASOF


def board(channel_id=11, **changes):
    counters = BoardCounters()
    for number in range(31):
        counters.sent(NOW - timedelta(seconds=30 - number), 0.1)
    fields = {
        "ticker": "SPX", "state": "open", "reason": "open", "until": None, "message_id": 5, "counters": counters,
        "since_at": NOW - timedelta(minutes=12),
    }  # fmt: skip
    return BoardStatus(channel_id=channel_id, **(fields | changes))


def status(*boards, **changes):
    fields = {"boards": boards, "listening": True, "last_snapshot_at": NOW - timedelta(seconds=1)}
    return FeedStatus(**(fields | changes))


def test_state_since_pace_and_last_edit_are_told():
    shown = board()
    assert feed_text(status(shown), [shown], NOW).split("\n") == [
        "**Feed: writing** · received the last snapshot 1s ago",
        "<#11> SPX **open** for 12m",
        "1.00 edits/s · last edit 0s ago · by the settings",
    ]


def test_a_paused_board_says_why_and_one_that_waits_until_when():
    why = "The bot may not write in channel 11. Give it Send Messages."
    paused = board(state="paused", reason=why)
    closed = board(state="closed", reason="weekend", until=NOW, counters=BoardCounters())
    text = feed_text(status(paused, closed), [paused, closed], NOW)
    assert f"**paused** for 12m: {why}" in text
    assert "**closed** for 12m: weekend until <t:1787238000:f>\nnot written yet" in text


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (
            status(listening=False, last_snapshot_at=None, boards=(board(),)),
            "nothing yet · snapshots cannot be",
        ),
        (status(), "standing by"),
    ],
)
def test_a_feed_that_hears_or_writes_nothing_says_so(seen, words):
    assert words in feed_text(seen, seen.boards, NOW)


def test_other_servers_boards_are_counted_and_not_shown():
    assert feed_text(status(board()), [], NOW, elsewhere=1).endswith("1 more in other servers.")


def test_hundreds_of_boards_fit_one_message_and_one_field():
    many = [board(channel_id, reason="x" * 500, state="paused") for channel_id in range(300)]
    text, field = feed_text(status(*many), many, NOW), boards_field(many, NOW)
    assert len(text) <= 2000
    assert len(field) <= 1024
    assert text.endswith("more lines")
    assert field.endswith("more lines")


def test_of_thousands_only_the_boards_that_fit_are_told():
    """A line that nobody will read takes microseconds; 2,000 of them held every answer up."""
    many = [board(number, counters=BoardCounters() if number < 100 else None) for number in range(2000)]
    assert feed_text(status(*many), many, NOW).endswith("more lines")
    assert boards_field(many, NOW).endswith("more lines")
