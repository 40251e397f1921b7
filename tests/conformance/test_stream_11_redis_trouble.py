"""Redis that dies or stalls in mid-stream: reading goes on, nothing is lost, order is kept."""

import asyncio
import json
import os
import signal

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.redis_connection import open_redis
from tests.support.redis_server import embedded_redis, plain_redis
from tests.support.stream_rig import streamer_rig, until


async def _seqs(url: str) -> list[int]:
    """The numbers of all events in the streams, in the order of the common count; also checks each stream's order."""
    found: list[int] = []
    async with open_redis(url) as redis:
        for stream in (keys.TICKS_STREAM, keys.LEVEL2_STREAM):
            seqs = [json.loads(fields[b"data"])["seq"] for _, fields in await redis.xrange(stream)]
            assert seqs == sorted(seqs)
            found += seqs
    return sorted(found)


async def _nothing_waits_for_the_disk(redis: Redis) -> None:
    """Until all that was acknowledged is in the file: while a slow fsync runs, the server acknowledges first."""
    async with asyncio.timeout(10):
        while (await redis.info("persistence"))["aof_pending_bio_fsync"]:
            await asyncio.sleep(0.02)


async def test_a_redis_killed_in_mid_stream_costs_no_event(tmp_path):
    async with embedded_redis() as server:
        async with streamer_rig(tmp_path, server.url) as rig:
            await until(lambda: rig.state == "live" and rig.runtime.publisher.stats.published > 10)
            for _ in range(2):
                await _nothing_waits_for_the_disk(rig.runtime.redis)
                pid, published = server.pid, rig.runtime.publisher.stats.published
                os.kill(pid, signal.SIGKILL)
                await until(lambda pid=pid: server.pid != pid)
                await until(lambda count=published: rig.runtime.publisher.stats.published > count + 3)
            assert rig.streamer.status().reconnects == 0
            merged = rig.streamer._parts.client._merger
        seqs = await _seqs(server.url)
        assert seqs == list(range(1, merged.seq + 1))


async def test_a_redis_that_stalls_never_stops_reading(tmp_path):
    folder = tmp_path / "redis"
    folder.mkdir()
    with plain_redis(folder) as (url, process):
        async with streamer_rig(tmp_path, url) as rig:
            await until(lambda: rig.state == "live" and rig.runtime.publisher.stats.published > 10)
            process.send_signal(signal.SIGSTOP)
            try:
                events = rig.streamer.facts().client.events
                longest_s = 0.0
                loop = asyncio.get_running_loop()
                for _ in range(40):
                    began_s = loop.time()
                    await asyncio.sleep(0.05)
                    longest_s = max(longest_s, loop.time() - began_s)
                facts = rig.streamer.facts()
                assert facts.client.events > events + 8
                assert facts.publisher.buffered >= facts.client.events - events
                assert (facts.status.state, facts.status.reconnects) == ("live", 0)
                assert longest_s < 1.0
            finally:
                process.send_signal(signal.SIGCONT)
            await until(lambda: rig.runtime.publisher.stats.buffered < 5)
            merged = rig.streamer._parts.client._merger
        seqs = await _seqs(url)
    assert seqs == list(range(1, merged.seq + 1))
