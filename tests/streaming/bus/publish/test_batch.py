"""streaming/bus/publish/batch.py"""

import hiredis

from streaming.bus.events import BOOK, KINDS, TICK
from streaming.bus.publish.batch import BatchPacker, pack

OK = 1
ID = b"1-0"
OOM = hiredis.ReplyError("OOM command not allowed")
WRONG = hiredis.ReplyError("WRONGTYPE Operation against a key")
CAPS = [200, *[20] * (len(KINDS) - 1)]
EVENTS = [(0, TICK, b"t0"), (1, BOOK, b"b1"), (2, TICK, b"t2")]


def test_every_event_is_a_publish_and_then_a_capped_append():
    packed = BatchPacker(CAPS).pack(EVENTS[:2], ())
    assert packed == b"".join(
        [
            pack(b"PUBLISH", b"market_data:ticks", b"t0"),
            pack(b"XADD", b"market_data:ticks:stream", b"MAXLEN", b"~", b"200", b"*", b"data", b"t0"),
            pack(b"PUBLISH", b"market_data:level2", b"b1"),
            pack(b"XADD", b"market_data:level2:stream", b"MAXLEN", b"~", b"20", b"*", b"data", b"b1"),
        ]
    )


def test_an_event_that_was_announced_is_only_appended():
    packer = BatchPacker(CAPS)
    assert packer.pack(EVENTS[:1], {0}) == pack(
        b"XADD", b"market_data:ticks:stream", b"MAXLEN", b"~", b"200", b"*", b"data", b"t0"
    )
    assert packer.replies(EVENTS, {0}) == 5


def test_streams_are_bound_anew_when_that_is_said():
    packer = BatchPacker(CAPS)
    packer.cap([7] * len(KINDS))
    assert packer.pack(EVENTS[:1], ()) == BatchPacker([7] * len(KINDS)).pack(EVENTS[:1], ())


def test_without_caps_nothing_is_appended():
    packer = BatchPacker(None)
    assert packer.pack(EVENTS[:1], ()) == pack(b"PUBLISH", b"market_data:ticks", b"t0")
    assert packer.replies(EVENTS, ()) == 3
    assert packer.settle(EVENTS, (), [0, 0, 0]).delivered == 3


def test_a_fully_answered_batch_is_delivered():
    settlement = BatchPacker(CAPS).settle(EVENTS, (), [OK, ID] * 3)
    assert (settlement.delivered, settlement.again, settlement.doubtful) == (3, [], False)


def test_a_passing_refusal_keeps_the_event_and_remembers_its_announcement():
    settlement = BatchPacker(CAPS).settle(EVENTS, (), [OK, ID, OK, OOM, OOM, OOM])
    assert settlement.delivered == 1
    assert settlement.again == EVENTS[1:]
    assert settlement.announced == {1}
    assert not settlement.doubtful
    assert settlement.error.startswith("OOM")


def test_a_final_refusal_lets_the_event_go():
    settlement = BatchPacker(CAPS).settle(EVENTS, (), [OK, WRONG, OK, ID, OK, WRONG])
    assert (settlement.delivered, settlement.rejected, settlement.again) == (1, 2, [])


def test_what_was_not_answered_is_in_doubt():
    settlement = BatchPacker(CAPS).settle(EVENTS, (), [OK, ID, OK])
    assert settlement.delivered == 1
    assert settlement.again == EVENTS[1:]
    assert settlement.announced == {1}
    assert settlement.doubtful


def test_replies_line_up_with_events_when_some_were_announced_before():
    settlement = BatchPacker(CAPS).settle(EVENTS, {0, 2}, [ID, OK, OOM, OOM])
    assert settlement.delivered == 1
    assert settlement.again == EVENTS[1:]
    assert settlement.announced == {1, 2}
