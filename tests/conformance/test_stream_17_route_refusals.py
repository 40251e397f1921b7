"""401 and 403 of one route with a good login: everything else goes on, the operators hear once, nothing ends."""

from dataclasses import replace

import pytest

from streaming.schwab.rest.route_trouble import RouteTiming
from streaming.sim.local_schwab import Failure
from streaming.sim.world.faults import FIREWALL_PAGE
from tests.support.stream_rig import QUICK, streamer_rig, until

PATIENCE = RouteTiming(first_s=0.05, longest_s=0.1, tell_after_s=0.3, sure_after_s=0.1, missing_s=0.2, look_s=0.02)
TIMING = replace(QUICK, routes=PATIENCE)
CHAINS, PREFERENCES = "/marketdata/v1/chains", "/trader/v1/userPreference"


def refusal(status):
    return Failure(status, {"errors": [{"status": status, "title": "Unauthorized", "detail": "Client not authorized"}]})


async def flows(rig):
    published = rig.runtime.publisher.stats.published
    await until(lambda: rig.runtime.publisher.stats.published > published + 3)


async def computes(rig):
    chains, snapshots = rig.sim.counters[CHAINS], rig.streamer.counters.snapshots
    await until(lambda: rig.sim.counters[CHAINS] > chains + 1 and rig.streamer.counters.snapshots > snapshots + 1)


@pytest.mark.parametrize("status", [401, 403])
async def test_chains_that_are_refused_cost_no_tick_and_come_back_by_themselves(tmp_path, redis, redis_url, status):
    async with streamer_rig(tmp_path, redis_url, "SPX", timing=TIMING) as rig:
        await until(lambda: rig.state == "live" and rig.streamer.counters.snapshots > 1)
        refreshes = rig.sim.authority.refreshes
        rig.sim.faults.refused[CHAINS] = refusal(status)
        await until(lambda: rig.alarms)
        await flows(rig)
        assert "option chains" in rig.streamer.status().refused
        assert (rig.state, rig.sim.counters["sockets"]) == ("live", 1)
        assert rig.sim.authority.refreshes <= refreshes + (status == 401)
        rig.sim.faults.refused.clear()
        await computes(rig)
        await until(lambda: len(rig.alarms) == 2)
        assert "refused option chains" in rig.alarms[0]
        assert rig.alarms[1] == "Schwab gives us option chains again."
        assert rig.streamer.status().refused == {}
        assert not rig.task.done()


async def test_an_app_without_the_trader_product_runs_chains_without_the_stream_and_says_so(tmp_path, redis, redis_url):
    sure_before_it_lasts = replace(QUICK, routes=replace(PATIENCE, tell_after_s=30.0))
    async with streamer_rig(tmp_path, redis_url, "SPX", timing=sure_before_it_lasts) as rig:
        rig.sim.faults.refused[PREFERENCES] = refusal(401)
        await until(lambda: rig.alarms)
        await computes(rig)
        await until(lambda: rig.state == "refused")
        assert "Accounts and Trading Production" in rig.streamer.status().refused["the stream's address"]
        (alarm,) = rig.alarms
        assert "is missing" in alarm
        rig.sim.faults.refused.clear()
        await until(lambda: rig.state == "live")
        assert rig.alarms[1:] == ["Schwab gives us the stream's address again."]
        assert not rig.task.done()


async def test_the_streamers_address_once_known_is_used_while_its_route_refuses(tmp_path, redis, redis_url):
    async with streamer_rig(tmp_path, redis_url, timing=TIMING) as rig:
        await until(lambda: rig.state == "live")
        rig.sim.faults.refused[PREFERENCES] = refusal(403)
        await rig.sim.drop_streams(1001)
        await until(lambda: rig.sim.counters["logins"] == 2 and rig.state == "live")
        await flows(rig)
        assert "the stream's address" in rig.streamer.status().refused


async def test_a_stream_that_denies_a_good_login_leaves_the_chains_alone(tmp_path, redis, redis_url):
    async with streamer_rig(tmp_path, redis_url, "SPX", timing=TIMING) as rig:
        await until(lambda: rig.state == "live" and rig.streamer.counters.snapshots > 1)
        rig.sim.faults.refused_logins = 10_000
        await rig.sim.drop_streams(1000)
        await until(lambda: rig.alarms)
        assert "the stream's login" in rig.streamer.status().refused
        await computes(rig)
        rig.sim.faults.refused_logins = 0
        await until(lambda: rig.state == "live" and len(rig.alarms) == 2)
        assert "the stream's login" in rig.alarms[0] and "token login" in rig.alarms[0]
        assert rig.alarms[1] == "Schwab gives us the stream's login again."


@pytest.mark.parametrize(
    "failure", [Failure(403, FIREWALL_PAGE), Failure(401, FIREWALL_PAGE), Failure(401), Failure(403)]
)
async def test_a_page_or_nothing_is_weather_whatever_its_status(tmp_path, redis, redis_url, failure):
    async with streamer_rig(tmp_path, redis_url, "SPX", timing=TIMING) as rig:
        await until(lambda: rig.state == "live" and rig.streamer.counters.snapshots > 1)
        refreshes = rig.sim.authority.refreshes
        errors = rig.streamer.chain_errors
        rig.sim.faults.refused[CHAINS] = failure
        await until(lambda: rig.streamer.chain_errors > errors + 4)
        await flows(rig)
        assert rig.sim.authority.refreshes <= refreshes + 1
        rig.sim.faults.refused.clear()
        await computes(rig)
        assert (rig.alarms, rig.streamer.status().refused, rig.task.done()) == ([], {}, False)


async def test_a_refused_app_key_stops_no_stream_and_a_corrected_secret_counts_at_once(tmp_path, redis, redis_url):
    async with streamer_rig(tmp_path, redis_url, "SPX", timing=TIMING) as rig:
        await until(lambda: rig.state == "live" and rig.streamer.counters.snapshots > 1)
        right, rig.sim.authority.client_secret = rig.sim.authority.client_secret, "another"
        rig.sim.authority.expire_access()
        await until(lambda: rig.streamer.status().needs_login)
        await flows(rig)
        asked = rig.sim.counters["/v1/oauth/token"]
        await flows(rig)
        assert rig.sim.counters["/v1/oauth/token"] == asked
        assert (rig.state, rig.task.done()) == ("live", False)
        rig.sim.authority.client_secret = right
        rig.runtime.tokens.path.touch()
        await computes(rig)
        await until(lambda: rig.streamer.status().needs_login is None)
