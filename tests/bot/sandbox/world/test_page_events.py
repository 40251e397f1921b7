from bot.sandbox.world.page_events import EVENTS_WAITING, PageHub


async def test_events_reach_every_viewer_or_only_one_persona() -> None:
    hub = PageHub()
    owner, guest = hub.join("owner"), hub.join("guest")
    hub.publish("modal", {"a": 1}, only_for="owner")
    hub.publish("message_delete", {"id": "1"})
    assert await owner.next(1) == b'event: modal\ndata: {"a":1}\n\n'
    assert await owner.next(1) == await guest.next(1) == b'event: message_delete\ndata: {"id":"1"}\n\n'


async def test_a_quiet_stream_gets_a_comment() -> None:
    assert await PageHub().join("owner").next(0.01) == b": still here\n\n"


async def test_a_viewer_that_falls_behind_is_ended_and_nothing_piles_up() -> None:
    hub = PageHub()
    slow = hub.join("owner")
    for number in range(EVENTS_WAITING + 1):
        hub.publish("x", number)
    assert slow._queue.qsize() == 1
    assert await slow.next(1) is None


async def test_nobody_who_left_hears_anything() -> None:
    hub = PageHub()
    viewer = hub.join("owner")
    hub.leave(viewer)
    hub.publish("x", 1)
    assert (hub.viewers, viewer._queue.empty()) == (0, True)
