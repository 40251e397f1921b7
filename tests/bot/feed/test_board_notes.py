"""What processes tell one another of their boards."""

from datetime import timedelta

from bot.feed.board_notes import KEPT_S, BoardNotes
from bot.feed.feed_metrics import BoardCounters, BoardStatus, FeedStatus
from bot.feed.part import FeedPart
from bot.feed.status_text import feed_text
from tests.support.clock import ManualClock

PART = FeedPart(1, 3)


def status(now):
    counters = BoardCounters(errors=2)
    for second in range(10):
        counters.sent(now - timedelta(seconds=9 - second), 0.1)
    board = BoardStatus(
        channel_id=7, ticker="SPX,NDX", state="open", reason="open", until=now + timedelta(hours=1),
        since_at=now - timedelta(minutes=3), message_id=5, origin="/feed", without_picture="no rights",
        counters=counters,
    )  # fmt: skip
    return FeedStatus(boards=(board,), leading=True, listening=True, last_snapshot_at=now)


async def test_whoever_is_asked_says_what_the_process_that_writes_a_board_would_say(redis):
    clock = ManualClock()
    here, there = BoardNotes(redis, clock), BoardNotes(redis, clock)
    told = status(clock.now())
    await here.tell(PART, told)
    found = await there.told([FeedPart(0, 3), PART])
    assert list(found) == [1]
    texts = [feed_text(each, each.boards, clock.now()) for each in (told, found[1])]
    assert texts[0] == texts[1]
    assert 0 < await redis.pttl("gexcord:feed:status:1/3") <= KEPT_S * 1000


async def test_what_another_version_wrote_is_passed_over(redis):
    await redis.set("gexcord:feed:status:1/3", "{")
    assert await BoardNotes(redis, ManualClock()).told([PART]) == {}
