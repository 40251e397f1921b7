"""Oddities in every frame: what can be read is used, the rest is counted, and nobody is connected anew."""

import pytest

from streaming.schwab.stream.routing import Subscriptions
from streaming.sim.stream.odd_frames import ODDITIES
from tests.support.stream_rig import client_rig, until


@pytest.mark.parametrize("odd", [*({name} for name in ODDITIES), set(ODDITIES)], ids=[*ODDITIES, "all"])
async def test_a_stream_of_odd_frames_is_read_as_far_as_it_goes(tmp_path, odd):
    async with client_rig(tmp_path, symbols=("SPY", "QQQ", "$SPX", "/ES")) as rig:
        await until(lambda: rig.state == "live")
        rig.sim.faults.odd = odd
        rig.sim.faults.streamer_as_object = True
        await rig.sim.drop_streams(1000)
        await until(lambda: rig.sim.counters["logins"] == 2 and rig.state == "live")
        rig.events.clear()
        await until(lambda: all(len(rig.ticks(symbol)) > 1 for symbol in ("SPY", "QQQ", "$SPX", "/ES")))
        await until(lambda: rig.books("SPY"))
        status = rig.client.status
        assert (status.connects, status.bad_frames) == (2, 0)
        assert status.tolerant_frames > 0
        assert bool(status.dropped_rows) is ("odd_rows" in odd)
        assert {event.symbol for event in rig.events} == {"SPY", "QQQ", "$SPX", "/ES"}
        if "blank_prices" in odd:
            assert all(tick.bid is None and tick.last is not None for tick in rig.ticks("SPY"))


@pytest.mark.parametrize("closing", [False, True])
async def test_one_malformed_symbol_costs_itself_and_is_named(tmp_path, closing):
    many = tuple(f"S{number}" for number in range(120))
    wanted = Subscriptions((*many, "BAD", "SPY"), books=False)
    async with client_rig(tmp_path, subscriptions=wanted) as rig:
        await until(lambda: rig.state == "live")
        rig.sim.faults.bad_keys, rig.sim.faults.bad_keys_close = {"BAD"}, closing
        await rig.sim.drop_streams(1000)
        await until(lambda: rig.client.status.left_out == {"LEVELONE_EQUITIES": ("BAD",)})
        await until(lambda: set(rig.sim.subscriptions.get("LEVELONE_EQUITIES", ())) == {*many, "SPY"})
        assert len(rig.alarms) == 1 and "BAD" in rig.alarms[0]
        rig.sim.faults.bad_keys = set()
        await rig.client.ask_again(["BAD"])
        await until(lambda: "BAD" in rig.sim.subscriptions.get("LEVELONE_EQUITIES", ()))
        await until(lambda: not rig.client.status.left_out)
