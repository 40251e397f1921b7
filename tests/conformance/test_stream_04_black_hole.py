"""A socket that stays open and swallows everything, new connections included."""

from dataclasses import replace

from tests.support.stream_rig import QUICK, client_rig, until


async def test_the_stream_comes_back_when_the_hole_closes(tmp_path):
    timing = replace(QUICK, silence_s=0.4, login_s=0.2)
    async with client_rig(tmp_path, timing=timing) as rig:
        await until(lambda: rig.state == "live")
        rig.sim.faults.black_hole = True
        await until(lambda: rig.client.status.reconnects >= 3)
        assert "did not answer the login" in rig.client.status.last_close
        rig.sim.faults.black_hole = False
        await until(lambda: rig.state == "live")
        await until(lambda: rig.sim.subscriptions.get("LEVELONE_FUTURES") == ("/ES", "/MNQ"))
