import asyncio
from contextlib import suppress

from streaming.engine.loop import follow_near_options
from streaming.errors import TransientError
from tests.support.clock import ManualClock

AWAY = object()


class Room:
    """Names what is near, changed by the test."""

    def __init__(self, *near):
        self.near = list(near)

    async def near_symbols(self, limit):
        if self.near[0] is AWAY:
            self.near.pop(0)
            raise TransientError("The engine process ended.")
        return self.near.pop(0)[:limit] if len(self.near) > 1 else self.near[0][:limit]


class Stream:
    def __init__(self):
        self.followed = []

    async def follow_options(self, options):
        self.followed.append(tuple(options))


async def test_the_near_options_are_followed_and_asked_for_again_only_when_they_change():
    room, stream = Room((), ("A", "B"), ("B", "A"), ("B", "C")), Stream()
    task = asyncio.create_task(follow_near_options(room, stream, limit=2, clock=ManualClock()))
    async with asyncio.timeout(2):
        while len(stream.followed) < 2:
            await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert stream.followed == [("A", "B"), ("B", "C")]


async def test_engines_that_are_away_leave_what_is_followed_alone():
    room, stream = Room(("A",), AWAY, ("A",), ("B",)), Stream()
    task = asyncio.create_task(follow_near_options(room, stream, limit=2, clock=ManualClock()))
    async with asyncio.timeout(2):
        while len(stream.followed) < 2:
            await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert stream.followed == [("A",), ("B",)]


async def test_a_limit_of_zero_follows_nothing():
    stream = Stream()
    await follow_near_options(Room(("A",)), stream, limit=0, clock=ManualClock())
    assert stream.followed == []
