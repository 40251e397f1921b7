"""Code 30: without subscriptions nothing is dialled; with some everything comes back."""

import asyncio
from dataclasses import replace

from streaming.sim.stream.stream_session import ServerCode
from tests.support.stream_rig import FLOWING, client_rig, until


async def test_a_stream_with_nothing_wanted_rests_and_starts_again(tmp_path):
    async with client_rig(tmp_path, symbols=("SPY",), limits=replace(FLOWING, idle_s=0.2)) as rig:
        await until(lambda: rig.state == "live")
        await rig.client.set_symbols([])
        await until(lambda: rig.state == "idle")
        assert "code 30" in rig.client.status.last_close
        sockets = rig.sim.counters["sockets"]
        await asyncio.sleep(0.3)
        assert rig.sim.counters["sockets"] == sockets
        await rig.client.set_symbols(["/ES"])
        await until(lambda: rig.state == "live" and rig.ticks("/ES"))


async def test_a_stream_that_an_administrator_stops_resubscribes(tmp_path):
    async with client_rig(tmp_path) as rig:
        await until(lambda: rig.state == "live")
        for connection in tuple(rig.sim._streams.connections):
            await connection.evict(ServerCode.STOP_STREAMING, "Stop streaming due to administrator")
        await until(lambda: rig.client.status.reconnects == 1 and rig.state == "live")
        await until(lambda: rig.sim.subscriptions.get("LEVELONE_FUTURES") == ("/ES", "/MNQ"))
        assert "administrator" in rig.client.status.last_close


async def test_a_service_that_is_down_costs_that_service_only(tmp_path):
    async with client_rig(tmp_path) as rig:
        await until(lambda: rig.state == "live")
        rig.sim.faults.unavailable.add("NYSE_BOOK")
        await rig.sim.drop_streams(1000)
        await until(lambda: rig.client.status.unavailable)
        await until(lambda: rig.books("QQQ") and rig.state == "live")
        assert rig.client.status.reconnects == 1
        assert len(rig.alarms) == 1 and "NYSE_BOOK" in rig.alarms[0]


async def test_more_symbols_than_schwab_takes_are_left_out_and_told(tmp_path):
    many = ("SPY", "QQQ", "$SPX", "$NDX", "AAPL", "/ES")
    async with client_rig(tmp_path, symbols=many, limits=replace(FLOWING, keys=3)) as rig:
        await until(lambda: rig.alarms)
        assert "accepts no more symbols" in rig.alarms[0]
        assert sum(map(len, rig.sim.subscriptions.values())) == 3
        assert rig.client.status.reconnects == 0
