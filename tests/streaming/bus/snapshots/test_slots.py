"""streaming/bus/snapshots/slots.py"""

import asyncio

import pytest

from streaming.bus.snapshots.slots import MAX_TICKERS, SnapshotSlots
from tests.support.snapshots import snapshot


async def test_a_slow_reader_gets_the_newest_of_each_ticker():
    slots = SnapshotSlots()
    for seq in range(1, 101):
        slots.offer(snapshot("SPX", seq=seq))
        slots.offer(snapshot("NDX", seq=seq))
    read = [await anext(slots), await anext(slots)]
    assert [(each.ticker, each.seq) for each in read] == [("SPX", 100), ("NDX", 100)]
    assert slots.replaced == 198


async def test_a_waiting_reader_is_woken():
    slots = SnapshotSlots()
    reader = asyncio.create_task(anext(slots))
    await asyncio.sleep(0)
    slots.offer(snapshot(seq=7))
    assert (await reader).seq == 7


async def test_no_producer_can_make_it_grow():
    slots = SnapshotSlots()
    for n in range(MAX_TICKERS + 50):
        slots.offer(snapshot(f"T{n}"))
    assert len(slots.seen) == len(slots._waiting) == MAX_TICKERS
    assert slots.refused == 50


async def test_the_failure_of_the_filling_task_reaches_the_reader():
    slots = SnapshotSlots()

    async def fail():
        raise ZeroDivisionError

    task = asyncio.create_task(fail())
    task.add_done_callback(slots.end)
    with pytest.raises(ZeroDivisionError):
        await anext(slots)
