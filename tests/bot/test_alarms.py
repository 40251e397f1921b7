import asyncio
from contextlib import suppress

from bot.alarms import Alarms
from tests.support.waiting import until


async def test_sentences_are_told_in_order_by_their_own_job():
    told = []

    async def notify(sentence):
        await asyncio.sleep(0)
        told.append(sentence)

    alarms = Alarms(notify)
    alarms.ring("first")
    alarms.ring("second")
    task = asyncio.create_task(alarms.deliver(lambda: None))
    await until(lambda: told == ["first", "second"])
    alarms.ring("third")
    await until(lambda: told[-1] == "third")
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def test_a_flood_is_bounded():
    alarms = Alarms(None)
    for number in range(1000):
        alarms.ring(f"{number}")
    assert alarms._waiting.qsize() == 50
