"""Tokens that die in mid-stream: the open socket stays, chains pause, everything resumes by itself after a login."""

import asyncio

from tests.support.stream_rig import streamer_rig, until, write_token


async def test_an_access_token_that_dies_is_renewed_and_the_socket_never_notices(tmp_path, redis, redis_url):
    async with streamer_rig(tmp_path, redis_url, "SPX") as rig:
        await until(lambda: rig.state == "live" and rig.streamer.counters.snapshots > 1)
        rig.sim.authority.expire_access()
        refreshes = rig.sim.authority.refreshes
        await until(lambda: rig.sim.authority.refreshes > refreshes)
        snapshots = rig.streamer.counters.snapshots
        await until(lambda: rig.streamer.counters.snapshots > snapshots + 2)
        assert rig.sim.authority.refreshes == refreshes + 1
        assert (rig.state, rig.streamer.status().reconnects) == ("live", 0)


async def test_a_login_that_ends_pauses_the_chains_keeps_the_socket_and_resumes_after_a_login(
    tmp_path, redis, redis_url
):
    async with streamer_rig(tmp_path, redis_url, "SPX") as rig:
        await until(lambda: rig.state == "live" and rig.streamer.counters.snapshots > 1)
        rig.sim.authority.expire_login()
        await until(lambda: rig.streamer.status().needs_login)
        assert "token login" in rig.streamer.status().needs_login
        published = rig.runtime.publisher.stats.published
        chains = rig.sim.counters["/marketdata/v1/chains"]
        await until(lambda: rig.runtime.publisher.stats.published > published + 3)
        assert (rig.state, rig.sim.counters["sockets"]) == ("live", 1)
        assert rig.sim.counters["/marketdata/v1/chains"] <= chains + 3
        write_token(rig.runtime.tokens.path, rig.sim)
        await until(lambda: rig.streamer.status().needs_login is None)
        chains = rig.sim.counters["/marketdata/v1/chains"]
        await until(lambda: rig.sim.counters["/marketdata/v1/chains"] > chains)
        assert (rig.state, rig.sim.counters["sockets"]) == ("live", 1)


async def test_a_socket_lost_while_the_login_is_over_waits_and_comes_back_after_it(tmp_path, redis, redis_url):
    async with streamer_rig(tmp_path, redis_url) as rig:
        await until(lambda: rig.state == "live")
        rig.sim.authority.expire_login()
        await rig.sim.drop_streams(1001)
        await until(lambda: rig.state == "needs_login")
        sockets = rig.sim.counters["sockets"]
        await asyncio.sleep(0.3)
        assert rig.sim.counters["sockets"] == sockets
        assert len(rig.alarms) == 1
        write_token(rig.runtime.tokens.path, rig.sim)
        await until(lambda: rig.state == "live")
