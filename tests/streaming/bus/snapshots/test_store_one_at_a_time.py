import asyncio

import pytest

from streaming.bus.snapshots.snapshot_store import OneAtATime


async def test_of_ten_who_ask_at_once_each_has_a_turn_of_the_loop_to_itself():
    turns, done = OneAtATime(), []

    async def work(number: int) -> None:
        async with turns.one():
            done.append(number)

    tasks = [asyncio.create_task(work(number)) for number in range(10)]
    seen = []
    while len(done) < 10:
        await asyncio.sleep(0)
        seen.append(len(done))
    await asyncio.gather(*tasks)
    assert max(after - before for before, after in zip([0, *seen], seen, strict=False)) == 1
    assert done == list(range(10))


async def test_what_fails_gives_its_turn_back():
    turns = OneAtATime()
    with pytest.raises(KeyError):
        async with turns.one():
            raise KeyError
    async with turns.one():
        pass
