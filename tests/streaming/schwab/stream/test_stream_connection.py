import asyncio

import pytest

from streaming.clock import SystemClock
from streaming.errors import TransientError
from streaming.schwab.stream.merge import Merger
from streaming.schwab.stream.policy import StreamTiming
from streaming.schwab.stream.session import StreamSession
from streaming.schwab.stream.session_events import KickedOut, StopStreaming
from streaming.schwab.stream.stream_connection import StreamConnection
from streaming.schwab.stream.stream_status import StreamCounters
from streaming.schwab.wire.fields import Service
from streaming.schwab.wire.frames import StreamerInfo
from tests.support.clock import ManualClock
from tests.support.frames import data_frame, notice, response

WANTED = {Service.LEVELONE_EQUITIES: ("SPY",)}
LOGGED_IN = response(0, "LOGIN", 0)
SUBSCRIBED = response(1, "SUBS", 0, service="LEVELONE_EQUITIES")


class ScriptedSocket:
    """Gives what a test wrote, arrival by arrival, then breaks; takes `sends` requests, then refuses."""

    def __init__(self, *arrivals, sends=99):
        self.arrivals = list(arrivals)
        self.sends = sends
        self.sent = []

    async def receive(self):
        await asyncio.sleep(0)
        if not self.arrivals:
            raise TransientError("The streamer's connection broke off without a close frame.")
        return list(self.arrivals.pop(0))

    async def send(self, text):
        if len(self.sent) == self.sends:
            raise TransientError("The streamer closed the connection with code 1000.")
        self.sent.append(text)


class Owner:
    """Remembers what it was told."""

    def __init__(self):
        self.told = []

    def wanted_symbols(self):
        return ("SPY",)

    def __getattr__(self, name):
        return lambda *words: self.told.append((name, *words))


async def always():
    """Room for all."""


def connection(socket, sink=lambda _batch: None, owner=None, counters=None, *, clock=None, room=always):
    counters = counters or StreamCounters()
    info = StreamerInfo("wss://x/ws", "customer", "correl", "N9", "APIAPP")
    served = StreamConnection(
        socket,
        StreamSession(info, WANTED),
        Merger(),
        plan=lambda _listings: WANTED,
        sink=sink,
        room=room,
        owner=owner or Owner(),
        counters=counters,
        timing=StreamTiming(),
        clock=clock or SystemClock(),
    )
    return served, counters


@pytest.mark.parametrize(("code", "ending"), [(12, KickedOut), (30, StopStreaming)])
async def test_a_notice_is_read_although_the_request_before_it_cannot_be_sent(code, ending):
    socket = ScriptedSocket([LOGGED_IN], [notice(code, "bye")], sends=1)
    served, _ = connection(socket)
    assert await served.serve("token") == ending("bye")
    assert len(socket.sent) == 1


async def test_without_a_notice_a_request_that_cannot_be_sent_is_a_broken_connection():
    served, _ = connection(ScriptedSocket([LOGGED_IN], sends=1))
    with pytest.raises(TransientError, match="broke off"):
        await served.serve("token")


async def test_an_arrival_of_many_frames_is_passed_on_whole_and_in_order():
    batches = []
    ticks = [data_frame("LEVELONE_EQUITIES", {"key": "SPY", "8": n}) for n in range(100)]
    served, counters = connection(ScriptedSocket([LOGGED_IN, SUBSCRIBED, *ticks]), batches.append)
    with pytest.raises(TransientError):
        await served.serve("token")
    assert [event.volume for batch in batches for event in batch] == list(range(100))
    assert len(batches) < 10
    assert (counters.events, counters.frames) == (100, {"LEVELONE_EQUITIES": 100})
    assert set(counters.last_event_s) == {"SPY"}


async def test_what_came_before_an_ending_is_passed_on_and_what_came_after_is_not():
    seen = []
    tick = data_frame("LEVELONE_EQUITIES", {"key": "SPY", "3": 5.0})
    served, _ = connection(ScriptedSocket([LOGGED_IN, tick, notice(12, "bye"), tick]), seen.extend)
    assert await served.serve("token") == KickedOut("bye")
    assert len(seen) == 1


async def test_bad_frames_among_good_ones_are_counted_and_forgotten():
    seen = []
    tick = data_frame("LEVELONE_EQUITIES", {"key": "SPY", "3": 5.0})
    served, counters = connection(ScriptedSocket([LOGGED_IN, tick, b"rubbish", tick, b"{}"]), seen.extend)
    with pytest.raises(TransientError):
        await served.serve("token")
    assert (len(seen), counters.bad_frames, len(counters.problems)) == (2, 2, 1)


async def test_a_burst_of_thousands_is_handed_over_bit_by_bit_and_others_run_in_between():
    batches, turns = [], []

    async def neighbour():
        while True:
            turns.append(len(batches))
            await asyncio.sleep(0)

    burst = data_frame("LEVELONE_EQUITIES", *({"key": "SPY", "8": n} for n in range(1_050)))
    served, counters = connection(ScriptedSocket([LOGGED_IN, SUBSCRIBED, burst]), batches.append)
    beside = asyncio.create_task(neighbour())
    with pytest.raises(TransientError):
        await served.serve("token")
    beside.cancel()
    assert [event.volume for batch in batches for event in batch] == list(range(1_050))
    assert [len(batch) for batch in batches] == [100] * 10 + [50]
    assert set(range(12)) <= set(turns)
    assert counters.events == 1_050


async def test_large_frames_that_arrive_together_are_decoded_one_after_another():
    batches = []
    large = [data_frame("LEVELONE_EQUITIES", {"key": "SPY", "8": n, "15": "x" * 70_000}) for n in range(3)]
    served, counters = connection(ScriptedSocket([LOGGED_IN, SUBSCRIBED, *large]), batches.append)
    with pytest.raises(TransientError):
        await served.serve("token")
    assert [[event.volume for event in batch] for batch in batches] == [[0], [1], [2]]
    assert counters.frames == {"LEVELONE_EQUITIES": 3}


async def test_nothing_more_is_handed_over_or_read_while_there_is_no_room():
    log = []

    async def room():
        log.append("room")

    rows = [{"key": f"Q{n}", "8": n} for n in range(250)]
    frames = ScriptedSocket([LOGGED_IN, SUBSCRIBED, data_frame("LEVELONE_EQUITIES", *rows)])
    served, _ = connection(frames, lambda batch: log.append(len(batch)), room=room)
    with pytest.raises(TransientError):
        await served.serve("token")
    assert log[-7:] == ["room", 100, "room", 100, "room", 50, "room"]


async def test_a_frame_in_parts_is_one_frame_to_who_counts():
    rows = [{"key": "SPY", "8": n, "33": "x" * 100} for n in range(3_000)]
    batches = []
    frames = ScriptedSocket([LOGGED_IN, SUBSCRIBED, data_frame("LEVELONE_EQUITIES", *rows)])
    served, counters = connection(frames, batches.append)
    with pytest.raises(TransientError):
        await served.serve("token")
    assert [event.volume for batch in batches for event in batch] == list(range(3_000))
    assert counters.frames == {"LEVELONE_EQUITIES": 1}


async def test_of_books_which_cost_more_a_dozen_go_out_together():
    batches = []
    books = data_frame("NYSE_BOOK", *({"key": "SPY", "1": 1_787_233_770_000 + n} for n in range(50)))
    served, _ = connection(ScriptedSocket([LOGGED_IN, SUBSCRIBED, books]), batches.append)
    with pytest.raises(TransientError):
        await served.serve("token")
    assert [len(batch) for batch in batches] == [12, 12, 12, 12, 2]


async def test_the_gap_before_a_connection_is_as_long_as_no_data_came_whatever_else_did(caplog):
    clock, counters = ManualClock(), StreamCounters()
    tick = data_frame("LEVELONE_EQUITIES", {"key": "SPY", "3": 5.0})
    gaps = []
    for waited_s, frames in ((0, [tick]), (3, []), (4, [tick, tick]), (2.5, [tick])):
        clock.advance(waited_s)
        served, _ = connection(ScriptedSocket([LOGGED_IN, *frames]), counters=counters, clock=clock)
        with pytest.raises(TransientError):
            await served.serve("token")
        gaps.append((counters.gaps, counters.last_gap_s, counters.gap_s))
    assert gaps == [(0, None, 0.0), (0, None, 0.0), (1, 7.0, 7.0), (2, 2.5, 9.5)]
    assert "no data for 7.0 s" in caplog.text
