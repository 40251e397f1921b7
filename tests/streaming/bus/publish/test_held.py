"""streaming/bus/publish/held.py"""

from streaming.bus.publish.held import HeldEvents

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
