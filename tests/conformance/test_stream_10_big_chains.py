"""Chains that overflow Schwab's gateway are asked for in parts, and the figures are those of the whole."""

from streaming.sim.local_schwab import Failure
from tests.support.stream_rig import streamer_rig, until

TOO_BIG = Failure(
    502, {"fault": {"faultstring": "Body buffer overflow", "detail": {"errorcode": "protocol.http.TooBigBody"}}}
)


async def test_a_chain_too_big_for_one_answer_still_makes_snapshots(tmp_path, redis, redis_url):
    async with streamer_rig(tmp_path, redis_url, "SPX", gex_chain_days=3) as rig:
        await until(lambda: rig.streamer.counters.snapshots > 0)
        whole = await rig.runtime.snapshots.latest("SPX")
    await redis.flushall()
    async with streamer_rig(tmp_path, redis_url, "SPX", gex_chain_days=3) as rig:
        await until(lambda: rig.sim.counters["/marketdata/v1/expirationchain"])
        rig.sim.fail("marketdata", TOO_BIG, times=2)
        await until(lambda: rig.streamer.counters.snapshots > 0)
        parts = await rig.runtime.snapshots.latest("SPX")
    assert parts.scopes["full"].contracts == whole.scopes["full"].contracts
    assert parts.scopes["full"].expiries == whole.scopes["full"].expiries
