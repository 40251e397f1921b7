"""Code 3: refresh once, then wait long; go on by itself, and at once after a login."""

from tests.support.stream_rig import client_rig, until


async def test_a_token_that_schwab_killed_early_is_refreshed_once_and_the_stream_goes_on(tmp_path):
    async with client_rig(tmp_path) as rig:
        await until(lambda: rig.state == "live")
        refreshes = rig.sim.authority.refreshes
        rig.sim.faults.refused_logins = 1
        await rig.sim.drop_streams(1000)
        await until(lambda: rig.sim.counters["logins"] == 2 and rig.state == "live")
        assert rig.sim.authority.refreshes == refreshes + 1
        assert rig.alarms == []


async def test_denied_twice_it_waits_without_knocking_until_another_login_is_stored(tmp_path):
    async with client_rig(tmp_path) as rig:
        rig.sim.faults.refused_logins = 1000
        await rig.sim.drop_streams(1000)
        await until(lambda: rig.state == "refused")
        refused = rig.sim.faults.refused_logins
        sockets = rig.sim.counters["sockets"]
        assert rig.alarms == []
        rig.sim.faults.refused_logins = 0
        assert (rig.sim.counters["sockets"], refused) == (sockets, 998)
        rig.sign_in()
        await until(lambda: rig.state == "live")
