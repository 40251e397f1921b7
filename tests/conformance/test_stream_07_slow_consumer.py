"""A subscriber of Redis that never reads cannot slow the stream; neither can a consumer inside that fails."""

import asyncio

from streaming.bus import keys
from tests.support.stream_rig import client_rig, streamer_rig, until


async def test_a_subscriber_that_never_reads_slows_nobody(tmp_path, redis, redis_url):
    async with streamer_rig(tmp_path, redis_url) as rig:
        await until(lambda: rig.state == "live")
        host, _, port = redis_url.removeprefix("redis://").removesuffix("/0").partition(":")
        _reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
        writer.write(b"SUBSCRIBE %b %b\r\n" % (keys.TICKS.encode(), keys.LEVEL2.encode()))
        await writer.drain()
        payload = b"x" * 100_000
        for _ in range(400):
            await redis.publish(keys.TICKS, payload)
        published = rig.runtime.publisher.stats.published
        await until(lambda: rig.runtime.publisher.stats.published > published + 5)
        stats = rig.runtime.publisher.stats
        assert (stats.dropped, stats.flush_errors, rig.streamer.status().reconnects) == (0, 0, 0)
        assert stats.buffered < 20
        writer.transport.abort()


async def test_a_consumer_that_fails_costs_its_batch_only(tmp_path, caplog):
    async with client_rig(tmp_path, symbols=("SPY",)) as rig:
        await until(lambda: rig.state == "live")
        taken = rig.client._sink

        def fragile(batch):
            rig.client._connection._sink = taken
            raise ValueError("a bug")

        rig.client._connection._sink = fragile
        await until(lambda: rig.client.status.sink_errors == 1)
        ticks = len(rig.ticks("SPY"))
        await until(lambda: len(rig.ticks("SPY")) > ticks)
        assert rig.client.status.reconnects == 0
    assert "a bug" in caplog.text
