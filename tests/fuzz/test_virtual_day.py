"""The first minutes and the last of a trading day; the whole of two is `python -m tests.fuzz.virtual_day`."""

from dataclasses import replace

from tests.fuzz.virtual_day import HALF_DAY, WHOLE_DAY, TradingDay, lags_s, wrong
from tests.fuzz.virtual_storm import Deed, Verdict

MORNING = TradingDay(
    WHOLE_DAY,
    700.0,
    (
        Deed(70.0, "ask", {"place": "bot1", "verb": "feed add", "channel_id": 3}),
        Deed(130.0, "ask", {"place": "bot0", "verb": "feed pause", "channel_id": 2}),
        Deed(290.0, "pause", {"place": "leader", "for_s": 30.0}),
    ),
    bots=2,
    channels=(1, 2),
    tick_s=2.5,
)
MARKS_S = (360.0, 660.0)
"""09:40 and 09:45 of a morning that began at 09:34."""


def test_each_message_is_replaced_at_each_mark_though_the_leader_stands_still_and_one_is_paused():
    verdict = MORNING.play()
    assert verdict.reasons == ()
    lags = lags_s(MORNING, verdict)
    assert {channel_id: len(each) for channel_id, each in lags.items()} == {1: 2, 2: 0, 3: 2}


def test_a_half_day_ends_with_one_closed_message():
    end = TradingDay(HALF_DAY.replace(hour=17, minute=59), 80.0)
    verdict = end.play()
    assert verdict.reasons == ()
    assert sum(" edit " in line for line in verdict.trace) > 3


def played(*changes: str) -> list[str]:
    quiet = replace(MORNING, deeds=())
    return list(wrong(quiet, Verdict(1, (), changes, began_at=WHOLE_DAY)))


def test_a_mark_at_which_nothing_is_replaced_is_told():
    first, second = (f"{at_s + 1.0:.6f}" for at_s in MARKS_S)
    assert played("61.0 post 1/1 5.0", f"{first} post 1/2 5.0", f"{first} delete 1/1 ", f"{second} edit 1/2 6.0") == [
        "the message of 1 was not replaced at 13:45 UTC, but inf s later"
    ]
    assert played("61.0 post 1/1 5.0", f"{first} post 1/2 5.0", f"{second} post 1/3 6.0") == [
        "1 is left with the messages [1, 2, 3], and the last was 3"
    ]
