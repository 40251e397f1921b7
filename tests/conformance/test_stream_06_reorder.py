"""Answers and data in an order that nobody promised."""

import json

from tests.support.frames import data_frame, response
from tests.support.stream_rig import client_rig, until


async def test_strange_answers_and_early_data_change_nothing(tmp_path):
    async with client_rig(tmp_path, symbols=("SPY", "/ES")) as rig:
        await until(lambda: rig.sim.counters["logins"])  # from here on, while requests are on their way
        for requestid in range(5):
            await rig.sim.send_raw(response(requestid, "VIEW", 22, service="LEVELONE_EQUITIES"))
            await rig.sim.send_raw(response(requestid, "LOGIN", 3))
        for requestid in (99, "x"):
            await rig.sim.send_raw(response(requestid, "SUBS", 22, service="LEVELONE_EQUITIES"))
        await until(lambda: rig.ticks("SPY") and rig.ticks("/ES") and rig.books("SPY"))
        ticks = len(rig.ticks("SPY"))
        await until(lambda: len(rig.ticks("SPY")) > ticks)
        assert (rig.client.status.reconnects, rig.alarms) == (0, [])


async def test_a_delta_before_its_image_knows_only_what_it_says_and_an_older_one_keeps_its_own_time(tmp_path):
    async with client_rig(tmp_path, symbols=("/ES",)) as rig:
        await until(lambda: rig.state == "live")
        await rig.sim.send_raw(data_frame("LEVELONE_EQUITIES", {"key": "ZZZ", "2": 7.5}))
        await until(lambda: rig.ticks("ZZZ"))
        assert (rig.ticks("ZZZ")[0].ask, rig.ticks("ZZZ")[0].bid, rig.ticks("ZZZ")[0].last) == (7.5, None, None)
        newest, older = 1787233770000, 1787233769000
        await rig.sim.send_raw(data_frame("LEVELONE_EQUITIES", {"key": "ZZZ", "1": 7.0, "34": newest}))
        await rig.sim.send_raw(data_frame("LEVELONE_EQUITIES", {"key": "ZZZ", "3": 7.25, "35": older}))
        await until(lambda: len(rig.ticks("ZZZ")) == 3)
        assert [tick.event_ms for tick in rig.ticks("ZZZ")][1:] == [newest, older]
        assert [event.seq for event in rig.events] == list(range(1, len(rig.events) + 1))
        assert json.dumps([tick.ask for tick in rig.ticks("ZZZ")]) == "[7.5, 7.5, 7.5]"
