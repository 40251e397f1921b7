"""streaming/bus/events.py"""

from typing import get_args

import pytest

from streaming.bus.events import BOOK, CANDLE, KINDS, NUMBER_OF, TICK
from streaming.bus.publish.buffer import EventBuffer
from streaming.model import Candle, Level2Event, MarketEvent, TickEvent
from streaming.setting_values import EVENTS


def test_existing_consumers_find_every_event_where_it_always_was():
    known = [(kind.record, kind.channel, kind.stream) for kind in KINDS]
    assert known[:3] == [
        (TickEvent, "market_data:ticks", "market_data:ticks:stream"),
        (Level2Event, "market_data:level2", "market_data:level2:stream"),
        (Candle, "market_data:candles", "market_data:candles:stream"),
    ]
    assert (TICK, BOOK, CANDLE) == (0, 1, 2)


def test_every_market_event_is_of_one_kind_and_no_two_kinds_share_a_name():
    assert set(NUMBER_OF) == set(get_args(MarketEvent))
    assert len({kind.channel for kind in KINDS}) == len(KINDS) <= 256


def test_the_setting_names_every_kind_and_the_streams_share_their_memory():
    assert tuple(kind.name for kind in KINDS) == EVENTS
    assert sum(kind.share for kind in KINDS) == pytest.approx(1.0)


def test_what_is_given_up_first_goes_before_every_other_kind():
    buffer = EventBuffer(max_events=len(KINDS), max_bytes=1000)
    numbers = [*range(len(KINDS)), TICK, BOOK, CANDLE]
    buffer.add([(place, number, b"%d" % number) for place, number in enumerate(numbers)])
    kept = [number for _, number, _ in buffer.take(max_events=100, max_bytes=1000)]
    shed = [number for number, kind in enumerate(KINDS) if kind.given_up_first]
    assert shed == [TICK]
    assert not set(kept) & set(shed)
