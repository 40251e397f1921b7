"""Thousands of symbols against the simulator's own limits: both sides without a socket, so it takes milliseconds.

More than a request holds go over one; 8,000 take `python -m tests.benchmarks.many_symbols`.
"""

import json
from dataclasses import replace

from streaming.model import Level2Event
from streaming.schwab.stream.routing import Subscriptions, plan
from streaming.schwab.stream.session import StreamSession
from streaming.schwab.wire.fields import Service
from streaming.schwab.wire.frames import StreamerInfo
from streaming.sim.prices.instruments import plain_shares
from streaming.sim.stream.codes import Limits
from streaming.sim.stream.stream_session import ServerSession
from tests.support.stream_rig import FLOWING, client_rig, until

EQUITIES = tuple(f"Q{chr(65 + n // 676)}{chr(65 + n // 26 % 26)}{chr(65 + n % 26)}" for n in range(3_000))
OPTIONS = tuple(f"SPXW  261130{'CP'[n % 2]}{2_000 + n // 2:05d}000" for n in range(5_000))
NEEDED = ("$SPX", "/ES")
L1 = (Service.LEVELONE_EQUITIES, Service.LEVELONE_OPTIONS, Service.LEVELONE_FUTURES)


class Talk:
    """Our session and the server's, answering each other until nothing is left to say."""

    def __init__(self, limits):
        info = StreamerInfo("ws://x", "customer", "correl", "N9", "APIAPP")
        self.subscriptions = Subscriptions((*NEEDED, *EQUITIES, *OPTIONS), books=False)
        wanted = plan(self.subscriptions, {}, level2=False)
        self.ours = StreamSession(info, wanted)
        self.theirs = ServerSession(
            sources=dict.fromkeys(map(str, L1)), admits=lambda *_: True, now_ms=lambda: 1, limits=limits
        )
        self.sizes = []
        self.ours.login("token")

    def run(self):
        while (text := self.ours.to_send(0.0)) is not None:
            (request,) = json.loads(text)["requests"]
            if "keys" in request["parameters"]:
                self.sizes.append(len(request["parameters"]["keys"].split(",")))
            for reply in self.theirs.receive(text):
                self.ours.receive(reply.frame)
        return {service: tuple(held.keys) for service, held in self.theirs.subscriptions.items()}


def test_with_a_higher_limit_all_are_subscribed_in_parts_of_three_hundred():
    talk = Talk(Limits(keys=10_000))
    held = talk.run()
    assert set(held["LEVELONE_EQUITIES"]) == {"$SPX", *EQUITIES}
    assert set(held["LEVELONE_OPTIONS"]) == set(OPTIONS)
    assert held["LEVELONE_FUTURES"] == ("/ES",)
    assert max(talk.sizes) == 300
    assert talk.ours.left_out == {}
    assert talk.ours.settled


def test_with_the_limits_that_people_report_the_most_wanted_fit_and_the_others_are_named():
    talk = Talk(Limits())
    held = talk.run()
    assert sum(map(len, held.values())) == 3_000
    assert held["LEVELONE_EQUITIES"][0] == "$SPX"
    assert held["LEVELONE_FUTURES"] == ("/ES",)
    equities, options = held["LEVELONE_EQUITIES"], held["LEVELONE_OPTIONS"]
    assert equities == ("$SPX", *EQUITIES)[: len(equities)]
    assert options == OPTIONS[: len(options)]
    assert abs(len(equities) - len(options)) <= 300
    assert talk.ours.left_out == {
        Service.LEVELONE_EQUITIES: EQUITIES[len(equities) - 1 :],
        Service.LEVELONE_OPTIONS: OPTIONS[len(options) :],
    }


def test_the_options_that_figures_need_take_the_places_of_the_last_ones_while_it_runs_and_keep_them_as_they_roll():
    talk = Talk(Limits())
    before = talk.run()
    near = tuple(f"SPXW  261201{'CP'[n % 2]}{6_000 + n // 2:05d}000" for n in range(220))
    for followed in (near[:200], near[20:]):
        asked = len(talk.sizes)
        talk.ours.want(plan(talk.subscriptions.quoting(followed), {}, level2=False))
        held = talk.run()
        assert len(talk.sizes) - asked < 25
        assert {service: len(keys) for service, keys in held.items()} == {name: len(it) for name, it in before.items()}
        assert set(held["LEVELONE_OPTIONS"]) == {*followed, *before["LEVELONE_OPTIONS"][:-200]}
        assert held["LEVELONE_EQUITIES"] == before["LEVELONE_EQUITIES"]


def test_a_server_that_takes_fewer_in_a_request_gets_fewer():
    talk = Talk(Limits(keys=10_000, request_keys=100))
    held = talk.run()
    assert sum(map(len, held.values())) == len(NEEDED) + len(EQUITIES) + len(OPTIONS)
    assert talk.ours.left_out == {}


async def test_hundreds_of_shares_over_a_socket_are_all_live_with_their_books_and_all_back_after_a_cut(tmp_path):
    names = {item.ticker for item in plain_shares(320, ("SPX", "NDX"))}
    limits = replace(FLOWING, keys=10_000, frame_s=0.3)
    async with client_rig(tmp_path, symbols=sorted(names), limits=limits, shares=len(names)) as rig:
        for connects in (1, 2):
            await until(lambda number=connects: rig.client.status.connects == number)
            await until(lambda: sum(map(len, rig.sim.subscriptions.values())) == 2 * len(names))
            await until(lambda: {event.symbol for event in rig.events if isinstance(event, Level2Event)} == names)
            assert set(rig.sim.subscriptions["LEVELONE_EQUITIES"]) == names
            books = (rig.sim.subscriptions[service] for service in ("NYSE_BOOK", "NASDAQ_BOOK"))
            assert [len(keys) for keys in books] == [160, 160]
            assert rig.client.status.left_out == {}
            await rig.sim.drop_streams()
            rig.events.clear()
        assert rig.alarms == []
