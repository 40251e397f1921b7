"""Finished minutes: shares and futures, each with its own field order; after a reconnect the last one comes again."""

from datetime import timedelta

from streaming.model import Candle
from streaming.schwab.stream.routing import Subscriptions
from tests.support.stream_rig import START, client_rig, until


async def test_minutes_arrive_once_they_are_over_and_again_after_a_reconnect(tmp_path):
    subscriptions = Subscriptions(("SPY", "/ES"), charts=True)
    async with client_rig(tmp_path, subscriptions=subscriptions, start=START + timedelta(seconds=58.5)) as rig:

        def candles():
            return [event for event in rig.events if isinstance(event, Candle) and event.timestamp == START]

        await until(lambda: {candle.symbol for candle in candles()} == {"SPY", "/ES"})
        first = {candle.symbol: candle for candle in candles()}
        for candle in first.values():
            assert candle.low <= min(candle.open, candle.close) <= max(candle.open, candle.close) <= candle.high
            assert candle.recv_ms >= candle.event_ms + 60_000
        assert (first["SPY"].contract, first["/ES"].contract) == (None, "/ESU26")
        assert abs(first["SPY"].close / rig.ticks("SPY")[-1].last - 1) < 0.01
        await rig.sim.drop_streams()
        await until(lambda: len(candles()) == 4)
        again = {candle.symbol: candle for candle in candles()[2:]}
        assert {name: candle.event_ms for name, candle in again.items()} == {
            name: candle.event_ms for name, candle in first.items()
        }
        assert min(candle.seq for candle in again.values()) > max(candle.seq for candle in first.values())
