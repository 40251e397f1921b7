"""Symbols added and removed while streaming, kept across restarts; unknown ones told."""

import asyncio
import random
from dataclasses import replace

import pytest

from bot.operate.stream_control import SymbolControl
from streaming.errors import RequestError
from streaming.streamer.streamed_symbols import StoredChanges
from streaming.streamer.streamer import Streamer
from streaming.symbols import parse_ticker
from tests.support.stream_rig import QUICK, streamer_rig, until


async def test_symbols_come_and_go_without_a_reconnect_and_survive_a_restart(tmp_path, redis, redis_url):
    async with streamer_rig(tmp_path, redis_url, "SPX", symbols=("SPY", "/ES"), gex_live_options=0) as rig:
        control = SymbolControl(rig.streamer, rig.runtime.clock)
        await until(lambda: rig.state == "live")
        report = await control.add("qqq, /MNQ:XCME")
        assert "QQQ, /MNQ: streamed from now on; first data after" in report.sentence
        assert (await control.add("QQQ")).sentence == "QQQ: already streamed."
        assert "no longer streamed" in (await control.remove("SPY")).sentence
        await until(lambda: set(rig.sim.subscriptions["LEVELONE_EQUITIES"]) == {"$SPX", "QQQ"})
        await until(lambda: "NYSE_BOOK" not in rig.sim.subscriptions)
        with pytest.raises(RequestError, match="needed by the live messages"):
            await control.remove("$SPX")
        with pytest.raises(RequestError, match="not streamed"):
            await control.remove("TSLA")
        with pytest.raises(RequestError, match="not a symbol"):
            await control.add("not!a!symbol")
        assert rig.streamer.status().reconnects == 0
        rig.task.cancel()
        await asyncio.wait({rig.task})
        again = Streamer(rig.runtime, [parse_ticker("SPX")], rng=random.Random(2), timing=QUICK)
        task = asyncio.create_task(again.run(lambda: None))
        try:
            await until(lambda: again.status().state == "live")
            assert set(again.status().symbols) == {"/ES", "$SPX", "QQQ", "/MNQ"}
            listed = await SymbolControl(again, rig.runtime.clock).list()
            assert (listed.configured, listed.added, listed.removed) == (("/ES",), ("/MNQ", "QQQ"), ("SPY",))
        finally:
            task.cancel()
            await asyncio.wait({task})


async def test_what_another_process_stores_is_noticed(tmp_path, redis, redis_url):
    async with streamer_rig(tmp_path, redis_url, symbols=("SPY",)) as rig:
        await until(lambda: rig.state == "live")
        wishes = StoredChanges(redis)
        await wishes.store((await wishes.load()).adding(["QQQ"], ("SPY",)))
        await until(lambda: "QQQ" in rig.sim.subscriptions["LEVELONE_EQUITIES"])


async def test_a_symbol_that_schwab_does_not_know_is_told_and_shown(tmp_path, redis, redis_url):
    timing = replace(QUICK, first_image_s=0.3)
    async with streamer_rig(tmp_path, redis_url, symbols=("SPY", "SPYY", "/XX"), timing=timing) as rig:
        await until(lambda: set(rig.streamer.status().missing) == {"SPYY", "/XX"} and rig.alarms)
        assert any("SPYY" in alarm and "/stream symbols remove" in alarm for alarm in rig.alarms)
        assert rig.state == "live"
