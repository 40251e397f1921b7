from datetime import timedelta

import msgspec

from bot.feed.window import Slot
from bot.feed.wording import Wording
from streaming.clock import epoch_ms
from streaming.model import ReplayMark
from streaming.symbols import parse_ticker
from tests.support.feed import OPEN_AT, snapshot

LATER = OPEN_AT + timedelta(hours=5)


def wording(slot: Slot) -> Wording:
    return Wording(parse_ticker("NQ"), slot, source="schwab", style="plain", window_s=60, since=OPEN_AT)


def slot_with(one) -> Slot:
    slot = Slot(60)
    slot.put(one)
    return slot


def played(**changes):
    mark = ReplayMark(of="schwab", speed=10.0, sent_ms=epoch_ms(LATER))
    return msgspec.structs.replace(snapshot(OPEN_AT), source="replay", replay=mark, **changes)


def test_live_figures_and_their_end():
    words = wording(slot_with(snapshot(OPEN_AT)))
    assert "schwab · live" in words.live(OPEN_AT)
    assert "feed stopped 09:40 Thu 20 Aug" in words.stopped(OPEN_AT)
    assert "closed 09:41 Thu 20 Aug" in words.closed(snapshot(OPEN_AT), LATER, at=OPEN_AT + timedelta(minutes=1))


def test_where_a_replay_takes_over_the_live_figures_end():
    words = wording(slot_with(played(spot=1.0)))
    text = words.closed(snapshot(LATER, spot=26000.0), LATER, at=OPEN_AT)
    assert "26000.00" in text
    assert "closed 14:40 Thu 20 Aug" in text
    assert "REPLAY" not in text


def test_where_a_replay_gives_way_its_own_figures_end_at_its_own_hour():
    words = wording(slot_with(snapshot(LATER, spot=26000.0)))
    text = words.closed(played(spot=25000.0), LATER + timedelta(seconds=12), at=LATER)
    assert "25000.00" in text
    assert "closed 09:42 Thu 20 Aug" in text
    assert "REPLAY 20 Aug 2026 x10" in text


def test_what_another_process_left_is_closed_with_figures_of_that_day_or_without():
    words = wording(slot_with(snapshot(OPEN_AT)))
    assert "25061.25" in words.left_over("2026-08-20", LATER)
    assert "25061.25" not in words.left_over("2026-08-19", LATER)
