"""streaming/bus/publish/buffer.py"""

from hypothesis import given
from hypothesis import strategies as st

from streaming.bus.events import BOOK, CANDLE, TICK
from streaming.bus.publish.buffer import EventBuffer


def _take_all(buffer):
    return buffer.take(max_events=10_000, max_bytes=1 << 30)


def _add(buffer, *events):
    buffer.add([(place, *event) for place, event in enumerate(events, buffer.next_place)])


def test_ticks_and_books_come_out_in_the_order_they_went_in():
    buffer = EventBuffer(max_events=10, max_bytes=1000)
    _add(buffer, (TICK, b"1"), (BOOK, b"2"), (TICK, b"3"))
    _add(buffer, (TICK, b"4"), (BOOK, b"5"))
    assert [payload for _, _, payload in _take_all(buffer)] == [b"1", b"2", b"3", b"4", b"5"]
    assert len(buffer) == buffer.size_bytes == 0


def test_overflow_gives_up_the_oldest_ticks_before_any_book():
    buffer = EventBuffer(max_events=3, max_bytes=1000)
    _add(buffer, (BOOK, b"b1"), (TICK, b"t1"), (TICK, b"t2"), (BOOK, b"b2"), (BOOK, b"b3"))
    assert [payload for _, _, payload in _take_all(buffer)] == [b"b1", b"b2", b"b3"]
    assert (buffer.dropped_ticks, buffer.dropped_books) == (2, 0)


def test_without_ticks_the_oldest_book_goes():
    buffer = EventBuffer(max_events=2, max_bytes=1000)
    for n in range(5):
        _add(buffer, (BOOK, b"%d" % n))
    assert [payload for _, _, payload in _take_all(buffer)] == [b"3", b"4"]
    assert (buffer.dropped_ticks, buffer.dropped_books) == (0, 3)


def test_the_bound_in_bytes_holds_too():
    buffer = EventBuffer(max_events=1000, max_bytes=100)
    for _ in range(20):
        _add(buffer, (TICK, b"x" * 30))
    assert len(buffer) == 3
    assert buffer.size_bytes == 90
    assert buffer.dropped_ticks == 17


def test_a_batch_ends_at_either_limit_but_is_never_empty():
    buffer = EventBuffer(max_events=100, max_bytes=10_000)
    for _ in range(10):
        _add(buffer, (TICK, b"x" * 100))
    assert len(buffer.take(max_events=4, max_bytes=10_000)) == 4
    assert len(buffer.take(max_events=100, max_bytes=250)) == 3
    assert len(buffer.take(max_events=100, max_bytes=1)) == 1


@given(
    st.lists(st.tuples(st.sampled_from([TICK, BOOK]), st.binary(max_size=40))),
    st.integers(1, 20),
    st.integers(1, 300),
    st.integers(1, 9),
)
def test_nothing_is_lost_uncounted_and_the_order_is_kept(events, max_events, max_bytes, at_once):
    buffer = EventBuffer(max_events=max_events, max_bytes=max_bytes)
    for start in range(0, len(events), at_once):
        _add(buffer, *events[start : start + at_once])
        assert len(buffer) <= max_events
        assert buffer.size_bytes <= max_bytes
    taken = _take_all(buffer)
    assert len(taken) + buffer.dropped == len(events)
    places = [place for place, _, _ in taken]
    assert places == sorted(places)
    assert all(events[place] == (kind, payload) for place, kind, payload in taken)


@given(st.lists(st.sampled_from([TICK, BOOK, CANDLE]), max_size=30), st.integers(1, 5))
def test_all_at_once_or_in_parts_it_is_the_same(kinds, part):
    whole, parts = (EventBuffer(max_events=100, max_bytes=1000) for _ in range(2))
    for n, kind in enumerate(kinds):
        _add(whole, (kind, b"%d" % n))
        _add(parts, (kind, b"%d" % n))
    taken = []
    while parts:
        taken += parts.take(max_events=part, max_bytes=1000)
    assert _take_all(whole) == taken
    assert (len(whole), whole.size_bytes) == (len(parts), parts.size_bytes) == (0, 0)


def test_what_comes_after_a_part_was_taken_keeps_its_place():
    buffer = EventBuffer(max_events=100, max_bytes=1000)
    _add(buffer, (TICK, b"1"), (BOOK, b"2"), (TICK, b"3"))
    assert [payload for _, _, payload in buffer.take(max_events=1, max_bytes=1000)] == [b"1"]
    _add(buffer, (BOOK, b"4"), (TICK, b"5"))
    assert [payload for _, _, payload in _take_all(buffer)] == [b"2", b"3", b"4", b"5"]
    _add(buffer, (TICK, b"6"))
    assert [payload for _, _, payload in _take_all(buffer)] == [b"6"]
