import asyncio

import pytest

from streaming.api.live_events import event, tell_events
from streaming.bus.snapshots.slots import SnapshotSlots
from tests.support.snapshots import snapshot
from tests.support.waiting import until


class Client:
    """Takes what is sent, unless it is told to stop reading."""

    def __init__(self):
        self.got = []
        self.reads = asyncio.Event()
        self.reads.set()

    async def send(self, chunk):
        await self.reads.wait()
        self.got.append(chunk)


def seq(chunk):
    return None if chunk.startswith(b":") else int(chunk.partition(b"data: ")[2])


async def told(slots, client, first, **limits):
    return await tell_events(
        slots, first, kind="levels", tell=lambda seen: str(seen.seq).encode(), send=client.send, **limits
    )


@pytest.fixture
async def running():
    tasks = []
    yield lambda work: tasks.append(asyncio.create_task(work)) or tasks[-1]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def test_an_event_is_a_kind_an_identity_and_json_in_one_line():
    assert event("levels", "5-1", b'{"a":1}') == b'event: levels\nid: 5-1\ndata: {"a":1}\n\n'


async def test_the_newest_comes_at_once_then_each_new_one_and_none_twice(running):
    slots, client = SnapshotSlots(), Client()
    running(told(slots, client, snapshot(seq=1)))
    await until(lambda: client.got)
    slots.offer(snapshot(seq=1))
    await asyncio.sleep(0)
    slots.offer(snapshot(seq=2))
    await until(lambda: len(client.got) == 2)
    assert [seq(chunk) for chunk in client.got] == [1, 2]


async def test_a_client_that_reads_slowly_gets_the_newest_and_nothing_waits_for_it(running):
    slots, client = SnapshotSlots(), Client()
    client.reads.clear()
    running(told(slots, client, snapshot(seq=1)))
    for number in range(2, 50):
        slots.offer(snapshot(seq=number))
        await asyncio.sleep(0)
    client.reads.set()
    await until(lambda: len(client.got) == 2)
    assert [seq(chunk) for chunk in client.got] == [1, 49]


async def test_without_a_new_one_the_last_is_told_again_so_that_it_is_seen_to_age(running):
    slots, client = SnapshotSlots(), Client()
    running(told(slots, client, snapshot(seq=7), repeat_s=0.01))
    await until(lambda: len(client.got) == 3)
    assert {seq(chunk) for chunk in client.got} == {7}


async def test_before_the_first_snapshot_the_line_is_kept_open_by_comments(running):
    slots, client = SnapshotSlots(), Client()
    running(told(slots, client, None, repeat_s=0.01))
    await until(lambda: len(client.got) == 2)
    assert {seq(chunk) for chunk in client.got} == {None}
    slots.offer(snapshot(seq=3))
    await until(lambda: seq(client.got[-1]) == 3)


async def test_a_client_that_takes_nothing_is_given_up():
    client = Client()
    client.reads.clear()
    with pytest.raises(TimeoutError):
        await told(SnapshotSlots(), client, snapshot(), send_s=0.01)


async def test_it_ends_with_its_snapshots():
    slots = SnapshotSlots()
    over = asyncio.create_task(asyncio.sleep(10))
    over.cancel()
    await asyncio.wait({over})
    slots.end(over)
    await asyncio.wait_for(told(slots, Client(), snapshot()), 1)
