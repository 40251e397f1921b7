"""streaming/bus/publish/held.py"""

from streaming.bus.publish.held import HeldEvents, arrived

EVENTS = [(n, 0, b"%03d" % n) for n in range(10)]


def test_what_is_held_is_taken_in_order_and_once():
    held = HeldEvents(max_events=10, max_bytes=100)
    assert held.add(EVENTS[:3]) == held.add(EVENTS[3:5]) == 0
    assert len(held) == 5
    assert held.take() == EVENTS[:5]
    assert (len(held), held.take()) == (0, [])


def test_beyond_either_bound_the_oldest_are_given_up_and_counted():
    held = HeldEvents(max_events=4, max_bytes=100)
    assert held.add(EVENTS) == 6
    assert held.take() == EVENTS[6:]
    small = HeldEvents(max_events=10, max_bytes=9)
    assert [small.add([event]) for event in EVENTS[:5]] == [0, 0, 0, 1, 1]
    assert small.take() == EVENTS[2:5]


def test_what_is_older_than_an_event_of_its_kind_that_is_there_was_there_too_and_is_trimmed():
    entries = [(n, n % 2, b"%03d" % n) for n in range(10)]
    assert arrived(entries, range(8), {b"004"}) == {0, 2, 4}
    assert arrived(entries, range(8), {b"004", b"005"}) == {0, 1, 2, 3, 4, 5}


def test_of_what_nobody_knows_whether_it_was_executed_only_what_is_found_is_there():
    assert arrived(EVENTS, (), {b"004", b"002"}) == {2, 4}
    assert arrived(EVENTS, range(10), ()) == set()
