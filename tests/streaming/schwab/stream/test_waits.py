import asyncio
import random
from contextlib import asynccontextmanager, suppress

import pytest

from streaming.clock import SystemClock
from streaming.errors import LoginRequiredError
from streaming.process.trouble import Matters
from streaming.schwab.stream.policy import StreamTiming
from streaming.schwab.stream.waits import ClientWaits
from tests.support.waiting import until


class Logins:
    """Where a test stores a login."""

    def __init__(self):
        self.stored = asyncio.Event()

    def glance(self):
        return self.stored.is_set()

    async def changed_from(self, seen):
        assert seen is False
        await self.stored.wait()


def waits(told=None, logins=None, **timing):
    matters = Matters(told.append if told is not None else lambda _sentence: None)
    return ClientWaits(StreamTiming(**timing), random.Random(1), SystemClock(), matters, logins=logins)


@asynccontextmanager
async def waiting(work):
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def test_a_state_has_a_beginning():
    these = waits()
    began = these.since_at
    these.enter("stopped")
    assert these.since_at is began
    these.enter("connecting")
    assert (these.state, these.since_at > began) == ("connecting", True)


async def test_pauses_grow_until_things_are_well():
    these = waits(first_delay_s=0.02, max_delay_s=60.0)
    pauses = []
    for number in range(4):
        if number == 3:
            these.well()
        async with waiting(these.back_off("a test", 0.0)) as pause:
            await until(lambda: these.retry_in_s is not None)
            pauses.append(these.retry_in_s)
            these.retry_now() if number == 3 else await pause
    assert pauses[0] <= 0.02 < pauses[2]
    assert pauses[3] <= 0.02
    assert (these.state, these.retry_in_s) == ("backoff", None)


async def test_the_other_sides_wish_is_the_least():
    these = waits(first_delay_s=0.01)
    async with waiting(these.back_off("a test", 50.0)):
        await until(lambda: these.retry_in_s is not None)
        assert 49.0 < these.retry_in_s <= 50.0


async def test_each_takeover_in_a_row_is_left_alone_for_longer_and_told_once():
    told = []
    these = waits(told, yield_s=1000.0)
    for longest in (1000.0, 2000.0):
        async with waiting(these.leave_to_the_other()):
            await until(lambda: these.retry_in_s is not None)
            assert longest - 5 < these.retry_in_s <= longest
    assert (these.state, len(told)) == ("taken_over", 1)
    assert "`/stream start`" in told[0]


async def test_an_operator_cuts_any_wait_short():
    these = waits(yield_s=1000.0)
    async with waiting(these.leave_to_the_other()) as pause:
        await until(lambda: these.retry_in_s is not None)
        these.retry_now()
        await asyncio.wait_for(pause, 1)
    async with waiting(these.leave_to_the_other()):
        await until(lambda: these.retry_in_s is not None)
        assert these.retry_in_s <= 1000.0  # the first of a new row


async def test_a_login_is_asked_for_until_one_is_stored():
    told, logins = [], Logins()
    these = waits(told, logins)
    async with waiting(these.for_login(LoginRequiredError("The login is over.", remedy="Log in."))) as pause:
        await until(lambda: these.needs_login)
        assert (these.state, these.needs_login) == ("needs_login", "The login is over. Log in.")
        assert told == [these.needs_login]
        logins.stored.set()
        await asyncio.wait_for(pause, 1)
    assert these.needs_login is None


async def test_without_anywhere_to_look_for_a_login_the_error_is_raised():
    with pytest.raises(LoginRequiredError, match="over"):
        await waits().for_login(LoginRequiredError("The login is over.", remedy="Log in."))


async def test_a_login_stored_in_the_moment_of_the_refusal_is_noticed():
    class Stored:
        now = "old"

        def glance(self):
            return self.now

        async def changed_from(self, seen):
            while self.now == seen:
                await asyncio.sleep(0.001)

    logins = Stored()
    these = waits(logins=logins)
    work = these.refused("code 3", 1000.0)
    async with waiting(work) as pause:
        while these.state != "refused":
            await asyncio.sleep(0)
        logins.now = "new"
        await asyncio.wait_for(pause, 1)
