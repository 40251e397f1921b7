"""429 and 5xx on REST: waited out with the server's own wish, the stream goes on meanwhile."""

from streaming.sim.local_schwab import Failure
from streaming.sim.world.faults import FIREWALL_PAGE
from tests.support.stream_rig import client_rig, streamer_rig, until


async def test_preferences_that_fail_are_asked_again_and_then_the_last_known_ones_do(tmp_path):
    async with client_rig(tmp_path) as rig:
        await until(lambda: rig.state == "live")
        rig.sim.fail("trader", Failure(503), times=3)
        await rig.sim.drop_streams(1011)
        await until(lambda: rig.client.status.reconnects and rig.state == "live")
        assert rig.client.status.connects == 2


async def test_trouble_before_the_first_connection_is_waited_out(tmp_path):
    async with client_rig(tmp_path) as rig:
        rig.sim.fail("trader", Failure(502, FIREWALL_PAGE), times=2)
        rig.sim.fail("trader", Failure(429))
        await until(lambda: rig.state == "live")


async def test_chains_wait_as_long_as_the_server_asks_and_ticks_go_on(tmp_path, redis, redis_url):
    async with streamer_rig(tmp_path, redis_url, "SPX") as rig:
        rig.sim.fail("marketdata", Failure(500))
        rig.sim.fail("marketdata", Failure(429, retry_after_s=1))
        await until(lambda: rig.streamer.status().state == "live")
        published = rig.runtime.publisher.stats.published
        await until(lambda: rig.runtime.publisher.stats.published > published)
        await until(lambda: rig.streamer.counters.snapshots > 1, within_s=30)
        assert rig.streamer.status().reconnects == 0
