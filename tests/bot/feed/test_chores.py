"""Chores beside the beat: tried again until they are done, over restarts, a few at once."""

import asyncio

from bot.feed.channel import GoneMessageError
from bot.feed.chores import Chores
from bot.feed.ledger import Chore
from streaming.clock import epoch_ms
from streaming.errors import TransientError
from tests.support.clock import ManualClock
from tests.support.feed import OPEN_AT, DictLedger, FakeChannel

NOW_MS = epoch_ms(OPEN_AT)
DELETE = Chore(channel_id=1, message_id=5, since_ms=NOW_MS)
GONE = GoneMessageError("The message is no longer there.")


class Rig:
    def __init__(self, *chores: Chore) -> None:
        self.clock = ManualClock(OPEN_AT)
        self.channel = FakeChannel()
        self.channel.messages = {5: "old", 6: "older", 7: "live"}
        self.ledger = DictLedger()
        self.ledger.to_do = {(chore.channel_id, chore.message_id): chore for chore in chores}
        self.chores = Chores(lambda _channel_id: self.channel, self.ledger, self.clock)

    async def work_for(self, seconds: int) -> None:
        for _ in range(seconds):
            await self.chores.work()
            self.clock.advance(1)


async def test_what_an_earlier_day_left_is_done_and_forgotten():
    rig = Rig(DELETE, Chore(channel_id=1, message_id=6, text="closed", since_ms=NOW_MS - 3 * 86_400_000))
    await rig.chores.load()
    await rig.work_for(3)
    assert rig.channel.messages == {6: "closed", 7: "live"}
    assert rig.ledger.to_do == {}
    assert rig.chores.waiting == 0


async def test_a_chore_of_last_week_is_let_go():
    rig = Rig(Chore(channel_id=1, message_id=5, since_ms=NOW_MS - 8 * 86_400_000))
    await rig.chores.load()
    await rig.work_for(1)
    assert 5 in rig.channel.messages
    assert rig.ledger.to_do == {}


async def test_a_failing_delete_is_tried_again_more_and_more_slowly_but_within_seconds_for_minutes():
    rig = Rig(DELETE)
    rig.channel.troubles["delete"] = TransientError("Discord answered 503.")
    tried = []
    delete = rig.channel.delete

    async def counted(message_id: int) -> None:
        tried.append(rig.clock.monotonic() - 1000)
        await delete(message_id)

    rig.channel.delete = counted  # type: ignore[method-assign]
    await rig.chores.load()
    await rig.work_for(300)
    assert tried[:6] == [0, 1, 3, 7, 15, 30]
    assert len(tried) < 30
    rig.channel.troubles.clear()
    await rig.work_for(16)
    assert 5 not in rig.channel.messages


async def test_when_one_deletion_works_again_the_others_do_not_wait_for_their_time():
    rig = Rig(DELETE, *(Chore(channel_id=place, message_id=place + 4, since_ms=NOW_MS) for place in (2, 3)))
    rig.channel.faults = [TransientError("Discord answered 503.")] * 11
    await rig.chores.load()
    await rig.work_for(7)
    assert rig.chores.waiting == 3
    await rig.work_for(2)
    assert rig.chores.waiting == 0


async def test_a_wish_of_discords_is_kept_and_a_change_of_the_channel_hurries():
    rig = Rig(DELETE)
    rig.channel.faults = [TransientError("Discord answered 429.", retry_after_s=100)]
    await rig.chores.load()
    await rig.work_for(50)
    assert 5 in rig.channel.messages
    rig.chores.hurry(2)
    await rig.chores.work()
    assert 5 in rig.channel.messages
    rig.chores.hurry(1)
    await rig.chores.work()
    assert 5 not in rig.channel.messages


async def test_an_unknown_message_is_believed_only_when_it_stays_unknown():
    rig = Rig(DELETE)
    rig.channel.faults = [GONE, GONE]
    await rig.chores.load()
    await rig.work_for(10)
    assert 5 not in rig.channel.messages
    assert rig.ledger.to_do == {}
    rig = Rig(Chore(channel_id=1, message_id=99, since_ms=NOW_MS))
    await rig.chores.load()
    await rig.work_for(100)
    assert rig.chores.waiting == 1
    await rig.work_for(400)
    assert rig.chores.waiting == 0
    assert rig.ledger.to_do == {}


async def test_a_chore_done_while_the_ledger_is_away_is_forgotten_later_and_not_done_twice():
    rig = Rig(DELETE)
    await rig.chores.load()
    rig.ledger.away = True
    await rig.work_for(5)
    assert rig.channel.deeds == ["delete"]
    assert rig.chores.waiting == 1
    rig.ledger.away = False
    await rig.work_for(2)
    assert rig.channel.deeds == ["delete"]
    assert rig.ledger.to_do == {}


async def test_it_works_by_itself_as_soon_as_there_is_something_to_do():
    rig = Rig()
    running = asyncio.create_task(rig.chores.run())
    await asyncio.sleep(0)
    rig.chores.take([DELETE])
    async with asyncio.timeout(2):
        while 5 in rig.channel.messages:
            await asyncio.sleep(0.001)
    running.cancel()
    await asyncio.wait({running})


async def test_one_channel_that_hangs_does_not_keep_the_others_waiting():
    rig = Rig()
    hanging = asyncio.Event()

    class Slow(FakeChannel):
        async def delete(self, message_id: int) -> None:
            await hanging.wait()

    channels = {1: Slow(), 2: rig.channel}
    chores = Chores(channels.__getitem__, rig.ledger, rig.clock)
    running = asyncio.create_task(chores.run())
    chores.take([DELETE, Chore(channel_id=2, message_id=6, since_ms=NOW_MS)])
    async with asyncio.timeout(2):
        while 6 in rig.channel.messages:
            await asyncio.sleep(0.001)
    running.cancel()
    await asyncio.wait({running})
