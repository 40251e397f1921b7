import asyncio

import pytest

from streaming.process.backoff import InterruptibleWait


async def test_a_wait_ends_with_its_work():
    await asyncio.wait_for(InterruptibleWait().wait(asyncio.sleep(0.01), "sleep"), 1)


async def test_a_nudge_cuts_it_short_and_ends_the_work():
    patience, ended = InterruptibleWait(), asyncio.Event()

    async def work():
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    waiting = asyncio.create_task(patience.wait(work(), "sleep"))
    await asyncio.sleep(0.01)
    patience.nudge()
    await asyncio.wait_for(waiting, 1)
    assert ended.is_set()


async def test_a_nudge_from_before_counts_for_nothing():
    patience = InterruptibleWait()
    patience.nudge()
    waiting = asyncio.create_task(patience.wait(asyncio.sleep(60), "sleep"))
    await asyncio.sleep(0.02)
    assert not waiting.done()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_what_the_work_raises_is_raised():
    async def work():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await InterruptibleWait().wait(work(), "work")
