"""No frame at all means a dead connection; heartbeats alone are enough for a quiet night."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from tests.support.stream_rig import FLOWING, QUICK, client_rig, until

IMPATIENT = replace(QUICK, silence_s=0.4)


async def test_a_socket_that_falls_silent_is_replaced(tmp_path):
    async with client_rig(tmp_path, timing=IMPATIENT, limits=replace(FLOWING, heartbeat_s=3600.0)) as rig:
        await until(lambda: rig.state == "live")
        rig.sim.faults.frozen = True
        await until(lambda: rig.client.status.reconnects >= 1)
        assert "sent nothing" in rig.client.status.last_close
        rig.sim.faults.frozen = False
        await until(lambda: rig.state == "live")


async def test_a_quiet_night_is_not_an_outage(tmp_path):
    night = datetime(2026, 8, 20, 7, 0, tzinfo=UTC)
    timing = replace(IMPATIENT, data_silence_s=0.2, first_image_s=0.1)
    async with client_rig(tmp_path, symbols=("SPY", "$SPX"), timing=timing, start=night) as rig:
        await until(lambda: rig.state == "live")
        await asyncio.sleep(1.5)
        status = rig.client.status
        assert (status.reconnects, status.missing, rig.alarms) == (0, (), [])


async def test_heartbeats_without_data_in_session_are_an_outage(tmp_path):
    timing = replace(QUICK, data_silence_s=0.3)
    async with client_rig(tmp_path, symbols=("SPY",), timing=timing) as rig:
        await until(lambda: rig.state == "live")
        rig.sim.faults.frozen = True
        await until(lambda: rig.client.status.reconnects >= 1)
        assert "no data" in rig.client.status.last_close
