import asyncio
import json
import random
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import pytest
from websockets.exceptions import ConnectionClosed

from streaming.clock import ShiftedClock, SystemClock
from streaming.errors import ConfigurationError, ContractError, LoginRequiredError
from streaming.model import Level2Event, OptionQuote, TickEvent
from streaming.schwab.stream.policy import StreamTiming
from streaming.schwab.stream.routing import Subscriptions
from streaming.schwab.stream.stream_client import SchwabStreamClient
from tests.data_builders.frames import equities
from tests.support.frames import data_frame, notice, response
from tests.support.streamer import open_streamer, succeed, with_code
from tests.support.waiting import until

FAST = StreamTiming(
    open_s=2.0,
    login_s=2.0,
    answer_s=2.0,
    silence_s=5.0,
    close_s=0.2,
    first_delay_s=0.01,
    max_delay_s=0.05,
    settle_s=0.0,
)
OPTION = "SPXW  251208C06880000"


@pytest.fixture
async def streamer():
    async with open_streamer() as streamer:
        yield streamer


@asynccontextmanager
async def running(streamer, subscriptions, *, timing=FAST, sink=None, clock=None, **more):
    """A client that streams into `client.events` until the block ends."""
    events = []
    client = SchwabStreamClient(
        streamer,
        streamer,
        subscriptions,
        sink or events.extend,
        clock or SystemClock(),
        random.Random(1),
        timing=timing,
        **more,
    )
    client.events = events
    client.task = asyncio.ensure_future(client.run())
    try:
        yield client
    finally:
        client.task.cancel()
        await asyncio.gather(client.task, return_exceptions=True)


def image(symbol, **more):
    return data_frame("LEVELONE_EQUITIES", {"key": symbol, "delayed": False, "assetMainType": "EQUITY", **more})


def subscribed(streamer, count):
    return lambda: streamer.sessions and len(streamer.commands()) >= count


async def test_login_subscribe_and_stream(streamer):
    async with running(streamer, Subscriptions(("QQQ", "SPY", "IWM"))) as client:
        await until(subscribed(streamer, 3))
        assert streamer.commands() == [
            ("SUBS", "LEVELONE_EQUITIES", "QQQ,SPY,IWM"),
            ("SUBS", "NYSE_BOOK", "SPY,IWM"),
            ("SUBS", "NASDAQ_BOOK", "QQQ"),
        ]
        await streamer.send(*equities())
        await until(lambda: len(client.events) == 9)
        assert [event.last for event in client.events if event.symbol == "SPY"] == [766.85, 766.85, 766.75]
        status = client.status
    assert (status.state, status.connects, status.reconnects, status.bad_frames) == ("live", 1, 0, 0)
    assert dict(status.frames) == {"LEVELONE_EQUITIES": 3}
    assert all(age is not None and age < 5 for age in status.symbols.values())
    assert status.last_login_at is not None
    assert client.status.state == "stopped"


async def test_stopping_logs_out(streamer):
    async with running(streamer, Subscriptions(("SPY",), books=False)):
        await until(subscribed(streamer, 1))
        await asyncio.sleep(0.05)
    await until(lambda: streamer.commands()[-1] == ("LOGOUT", "ADMIN", ""))


async def test_long_lists_are_split_into_subs_and_adds(streamer):
    symbols = tuple(f"S{number}" for number in range(7))
    async with running(streamer, Subscriptions(symbols, books=False), chunk=3):
        await until(subscribed(streamer, 3))
        assert [(command, keys) for command, _, keys in streamer.commands()] == [
            ("SUBS", "S0,S1,S2"),
            ("ADD", "S3,S4,S5"),
            ("ADD", "S6"),
        ]


async def test_a_book_follows_once_the_listing_is_known(streamer):
    async with running(streamer, Subscriptions(("ZZZ", "$SPX"))) as client:
        await until(subscribed(streamer, 1))
        await streamer.send(image("ZZZ", **{"3": 5.0, "13": "Q"}), image("$SPX", **{"3": 6000.0, "13": "0"}))
        await until(subscribed(streamer, 2))
        assert streamer.commands()[1:] == [("SUBS", "NASDAQ_BOOK", "ZZZ")]
        assert {event.symbol for event in client.events} == {"ZZZ", "$SPX"}


async def test_one_answer_without_level_two_takes_no_books_from_who_had_them(streamer):
    async with running(streamer, Subscriptions(("SPY",))):
        await until(subscribed(streamer, 2))
        streamer.level2 = False
        await streamer.close(1000)
        await until(lambda: len(streamer.sessions) == 2 and len(streamer.commands()) == 2)
        assert streamer.commands()[1] == ("SUBS", "NYSE_BOOK", "SPY")


async def test_without_level_two_permission_no_books_are_asked_for(streamer):
    streamer.level2 = False
    async with running(streamer, Subscriptions(("SPY",))):
        await until(subscribed(streamer, 1))
        await asyncio.sleep(0.05)
        assert streamer.commands() == [("SUBS", "LEVELONE_EQUITIES", "SPY")]


async def test_subscriptions_change_while_streaming(streamer):
    async with running(streamer, Subscriptions(("SPY",), books=False)) as client:
        await until(subscribed(streamer, 1))
        await client.set_symbols(["SPY", "/ES", "QQQ"])
        await until(subscribed(streamer, 3))
        await client.set_symbols(["/ES", "QQQ"])
        await until(subscribed(streamer, 4))
        await client.follow_options([OPTION])
        await until(subscribed(streamer, 5))
        assert streamer.commands()[1:] == [
            ("ADD", "LEVELONE_EQUITIES", "QQQ"),
            ("SUBS", "LEVELONE_FUTURES", "/ES"),
            ("UNSUBS", "LEVELONE_EQUITIES", "SPY"),
            ("SUBS", "LEVELONE_OPTIONS", OPTION),
        ]


async def test_after_a_reconnect_everything_is_asked_for_again(streamer):
    async with running(streamer, Subscriptions(("SPY",), books=False)) as client:
        await until(subscribed(streamer, 1))
        await client.set_symbols(["SPY", "/ES"])
        await until(subscribed(streamer, 2))
        await streamer.close(1000)
        await until(lambda: len(streamer.sessions) == 2 and len(streamer.commands()) == 2)
        assert streamer.commands() == [("SUBS", "LEVELONE_EQUITIES", "SPY"), ("SUBS", "LEVELONE_FUTURES", "/ES")]
        assert client.status.reconnects == 1
        assert "code 1000" in client.status.last_close
        assert streamer.preferences_asked == 2


async def test_images_start_afresh_after_a_reconnect(streamer):
    async with running(streamer, Subscriptions(("SPY",), books=False)) as client:
        await until(subscribed(streamer, 1))
        await streamer.send(image("SPY", **{"1": 5.0, "2": 6.0}))
        await until(lambda: len(client.events) == 1)
        streamer.cut()
        await until(lambda: len(streamer.sessions) == 2 and len(streamer.commands()) == 1)
        await streamer.send(data_frame("LEVELONE_EQUITIES", {"key": "SPY", "2": 7.0}))
        await until(lambda: len(client.events) == 2)
        assert (client.events[1].bid, client.events[1].ask) == (None, 7.0)
        assert [event.seq for event in client.events] == [1, 2]


async def test_what_was_dropped_between_two_connections_has_no_age_when_it_is_wanted_again(streamer):
    async with running(streamer, Subscriptions(("SPY", "OLD"), books=False)) as client:
        await until(subscribed(streamer, 1))
        await streamer.send(image("SPY"), image("OLD"))
        await until(lambda: len(client.events) == 2)
        streamer.cut()
        await client.set_symbols(["SPY"])
        await until(lambda: len(streamer.sessions) == 2 and len(streamer.commands()) == 1)
        await client.set_symbols(["SPY", "OLD"])
        ages = client.status.symbols
    assert (ages["SPY"] is None, ages["OLD"]) == (False, None)


@pytest.mark.parametrize("code", [1000, 1001, 1011, 4000])
async def test_every_close_is_followed_by_another_connection(streamer, code):
    async with running(streamer, Subscriptions(("SPY",), books=False)) as client:
        await until(subscribed(streamer, 1))
        await streamer.close(code)
        await until(lambda: len(streamer.sessions) == 2)
        assert not client.task.done()


async def test_fifty_drops_in_a_row_restore_everything(streamer):
    async with running(streamer, Subscriptions(("SPY", "/ES", OPTION))) as client:
        for drop in range(50):
            await until(lambda number=drop: len(streamer.sessions) == number + 1 and len(streamer.commands()) == 5)
            await streamer.send(image("SPY", **{"3": 5.0 + drop}))
            await until(lambda number=drop: len(client.events) == number + 1)
            streamer.cut()
        await until(lambda: len(streamer.sessions) == 51 and len(streamer.commands()) == 5)
        assert [event.last for event in client.events] == [5.0 + drop for drop in range(50)]
        assert all(sorted(streamer.commands(number)) == sorted(streamer.commands(0)) for number in range(51))


async def test_a_denied_login_refreshes_once_and_tries_again(streamer):
    def answer(request):
        expired = request["command"] == "LOGIN" and request["parameters"]["Authorization"] == "token-0"
        return response(request["requestid"], request["command"], 3 if expired else 0, service=request["service"])

    streamer.answer = answer
    async with running(streamer, Subscriptions(("SPY",), books=False)):
        await until(lambda: len(streamer.sessions) == 2 and len(streamer.commands()) == 1)
        assert streamer.tokens_rejected == ["token-0"]


async def test_a_login_denied_with_a_fresh_token_too_waits_long_and_is_asked_again(streamer):
    streamer.answer = with_code(3, command="LOGIN")
    async with running(streamer, Subscriptions(("SPY",))) as client:
        await until(lambda: client.status.state == "refused")
        assert "denied the login twice" in client.status.last_close
        assert client.status.retry_in_s > 5
        await asyncio.sleep(0.1)
        assert len(streamer.sessions) == 2
        streamer.answer = succeed
        client.retry_now()
        await until(lambda: client.status.state == "ready")


async def test_being_kicked_out_stops_and_tells_and_does_not_fight(streamer):
    alarms = []
    async with running(streamer, Subscriptions(("SPY",)), tell=alarms.append) as client:
        await until(subscribed(streamer, 1))
        await streamer.send(notice(12, "CLOSE_CONNECTION"))
        await until(lambda: client.status.state == "taken_over")
        await asyncio.sleep(0.1)
        assert len(streamer.sessions) == 1
        assert "code 12" in client.status.last_close
        assert client.status.retry_in_s > 1700
        assert len(alarms) == 1 and "/stream start" in alarms[0]


async def test_an_operator_takes_the_stream_back_at_once(streamer):
    alarms = []
    async with running(streamer, Subscriptions(("SPY",), books=False), tell=alarms.append) as client:
        for turn in range(1, 3):
            await until(lambda count=turn: len(streamer.sessions) == count and len(streamer.commands()) == 1)
            await streamer.send(image("SPY", **{"3": 5.0}))
            await until(lambda: client.status.state == "live")
            await streamer.send(notice(12, "CLOSE_CONNECTION"))
            await until(lambda: client.status.state == "taken_over")
            client.retry_now()
        await until(lambda: len(streamer.sessions) == 3)
        assert len(alarms) == 2


class StoredLogins:
    """What is stored, changed by the test."""

    def __init__(self):
        self.stored = "old"

    def glance(self):
        return self.stored

    async def changed_from(self, seen):
        while self.stored == seen:
            await asyncio.sleep(0.005)


async def test_a_denied_login_is_tried_at_once_when_another_one_is_stored(streamer):
    logins = StoredLogins()
    streamer.answer = with_code(3, command="LOGIN")
    async with running(streamer, Subscriptions(("SPY",)), logins=logins) as client:
        await until(lambda: client.status.state == "refused")
        streamer.answer = succeed
        logins.stored = "new"
        await until(lambda: client.status.state == "ready")


@pytest.mark.parametrize("error", [LoginRequiredError, ConfigurationError])
async def test_a_login_that_is_over_or_refused_is_waited_for_and_the_stream_resumes_by_itself(streamer, error):
    alarms, logins = [], StoredLogins()

    async def refuse(**_):
        raise error("No login.", remedy="Run `token login`.")

    accept, streamer.access_token = streamer.access_token, refuse
    async with running(streamer, Subscriptions(("SPY",)), logins=logins, tell=alarms.append) as client:
        await until(lambda: client.status.state == "needs_login")
        await asyncio.sleep(0.1)
        assert len(streamer.sessions) == 0
        assert "token login" in client.status.needs_login
        assert len(alarms) == 1
        streamer.access_token = accept
        logins.stored = "new"
        await until(lambda: client.status.state == "ready")
        assert client.status.needs_login is None


def refusing(*bad):
    """Answer code 21 to every request that names one of `bad`."""

    def answer(request):
        hit = not set(bad).isdisjoint(request["parameters"].get("keys", "").split(","))
        return response(request["requestid"], request["command"], 21 if hit else 0, service=request["service"])

    return answer


class MovableClock(SystemClock):
    """The machine's clock, put forward by the test."""

    ahead_s = 0.0

    def monotonic(self):
        return super().monotonic() + self.ahead_s


LEVEL_ONE = "LEVELONE_EQUITIES"
MANY = tuple(f"S{number}" for number in range(30))


async def test_one_bad_key_costs_itself_and_no_other_of_its_batch(streamer):
    alarms = []
    streamer.answer = refusing("BAD")
    wanted = Subscriptions((*MANY[:17], "BAD", *MANY[17:]), books=False)
    async with running(streamer, wanted, tell=alarms.append) as client:
        await until(lambda: client.status.left_out == {LEVEL_ONE: ("BAD",)})
        await until(lambda: streamer.taken() == set(MANY))
        assert client.status.connects == 1
        assert len(alarms) == 1 and "code 21" in alarms[0] and "for BAD:" in alarms[0]


async def test_a_bad_key_is_asked_for_again_last_and_alone_by_the_next_connection(streamer):
    alarms, clock = [], MovableClock()
    streamer.answer = refusing("BAD")
    async with running(streamer, Subscriptions(("BAD", "SPY"), books=False), tell=alarms.append, clock=clock) as client:
        await until(lambda: client.status.left_out == {LEVEL_ONE: ("BAD",)})
        clock.ahead_s = 10.0
        streamer.answer = succeed
        await streamer.close(1000)
        await until(lambda: len(streamer.sessions) == 2 and len(streamer.commands()) == 2)
        assert streamer.commands() == [("SUBS", LEVEL_ONE, "SPY"), ("ADD", LEVEL_ONE, "BAD")]
        await until(lambda: not client.status.left_out)
        assert len(alarms) == 1


async def test_a_server_that_closes_after_code_21_is_not_asked_by_every_connection(streamer):
    answer = refusing("BAD")

    def closing(request):
        raw = answer(request)
        if b'"code": 21' in raw:
            asyncio.get_running_loop().call_soon(streamer.cut)  # once the answer is out
        return raw

    streamer.answer = closing
    async with running(streamer, Subscriptions((*MANY, "BAD"), books=False)) as client:
        await until(lambda: len(streamer.sessions) == 7 and streamer.taken() == set(MANY))  # 31, 16, 8, 4, 2, 1 keys
        await asyncio.sleep(0.1)
        assert (len(streamer.sessions), client.status.state) == (7, "ready")
        assert client.status.left_out == {LEVEL_ONE: ("BAD",)}


async def test_a_bad_key_is_tried_at_once_when_a_person_asks_for_it_anew(streamer):
    streamer.answer = refusing("BAD")
    async with running(streamer, Subscriptions(("SPY", "BAD"), books=False)) as client:
        await until(lambda: client.status.left_out == {LEVEL_ONE: ("BAD",)})
        await client.set_symbols(["SPY"])
        assert not client.status.left_out
        await client.set_symbols(["SPY", "BAD"])
        await until(lambda: client.status.left_out == {LEVEL_ONE: ("BAD",)})
        streamer.answer = succeed
        await client.ask_again(["BAD"])
        await until(lambda: not client.status.left_out)
        assert streamer.commands()[-1] == ("ADD", LEVEL_ONE, "BAD")
        assert len(streamer.sessions) == 1


async def test_a_service_that_was_down_is_asked_again_while_the_connection_lives(streamer):
    clock = MovableClock()
    streamer.answer = with_code(11, service="NYSE_BOOK")
    async with running(streamer, Subscriptions(("SPY",)), clock=clock) as client:
        await until(lambda: client.status.unavailable)
        streamer.answer = succeed
        clock.ahead_s = 301.0
        await streamer.send(image("SPY", **{"3": 5.0}))
        await streamer.send(image("SPY", **{"3": 6.0}))
        await until(lambda: not client.status.unavailable)
        assert streamer.commands()[-1] == ("SUBS", "NYSE_BOOK", "SPY")
        assert len(streamer.sessions) == 1


async def test_after_a_roll_nothing_of_the_old_contract_is_left_and_a_full_image_is_asked_for(streamer):
    async with running(streamer, Subscriptions(("/ES",))) as client:
        await until(subscribed(streamer, 1))
        full = {"key": "/ES", "delayed": False, "assetMainType": "FUTURE", "1": 10.0, "2": 10.25, "3": 10.0}
        await streamer.send(data_frame("LEVELONE_FUTURES", full | {"34": "/ESU26"}))
        await streamer.send(data_frame("LEVELONE_FUTURES", {"key": "/ES", "2": 20.25, "34": "/ESZ26"}))
        await until(subscribed(streamer, 2))
        ticks = [event for event in client.events if isinstance(event, TickEvent)]
        assert [(tick.contract, tick.bid, tick.ask) for tick in ticks] == [
            ("/ESU26", 10.0, 10.25),
            ("/ESZ26", None, 20.25),
        ]
        assert streamer.commands()[1] == ("ADD", "LEVELONE_FUTURES", "/ES")
        assert dict(client.status.contracts) == {"/ES": "/ESZ26"}


async def test_symbols_that_never_come_are_told_together_and_shown_once_the_session_runs(streamer):
    alarms = []
    timing = StreamTiming(first_image_s=0.05, first_delay_s=0.01, close_s=0.1)
    clock = ShiftedClock(datetime(2026, 8, 20, 15, 0, tzinfo=UTC))
    subscriptions = Subscriptions(("SPY", "SPYY", "SPYZ"), books=False)
    async with running(streamer, subscriptions, timing=timing, tell=alarms.append, clock=clock) as client:
        await until(subscribed(streamer, 1))
        for _ in range(60):
            await streamer.send(image("SPY", **{"3": 5.0}))
            await asyncio.sleep(0.02)
        assert client.status.missing == ("SPYY", "SPYZ")
        assert len(alarms) == 1 and "SPYY, SPYZ" in alarms[0]
        await client.set_symbols(["SPY"])
        await asyncio.sleep(1.0)
        await streamer.send(image("SPY", **{"3": 5.0}))
        await until(lambda: client.status.missing == ())


@pytest.mark.parametrize(("hour", "reconnects"), [(15, True), (2, False)])
async def test_heartbeats_without_data_mean_trouble_in_session_only(streamer, hour, reconnects):
    timing = StreamTiming(data_silence_s=0.2, first_delay_s=0.01, close_s=0.1)
    clock = ShiftedClock(datetime(2026, 8, 20, hour, 0, tzinfo=UTC))
    async with running(streamer, Subscriptions(("SPY",), books=False), timing=timing, clock=clock) as client:
        await until(subscribed(streamer, 1))
        await streamer.send(image("SPY", **{"3": 5.0}))
        for _ in range(60):
            with suppress(ConnectionClosed):  # one that our side is just closing
                await streamer.send('{"notify":[{"heartbeat":"1668715930582"}]}')
            await asyncio.sleep(0.025)
        assert bool(client.status.reconnects) is reconnects
        assert ("no data" in (client.status.last_close or "")) is reconnects


async def test_a_stopped_stream_is_started_again(streamer):
    async with running(streamer, Subscriptions(("SPY",), books=False)) as client:
        await until(subscribed(streamer, 1))
        await streamer.send(notice(30, "Stop streaming due to slowness"))
        await until(lambda: len(streamer.sessions) == 2 and len(streamer.commands()) == 1)
        assert "slowness" in client.status.last_close


async def test_bad_frames_are_counted_and_the_stream_goes_on(streamer):
    async with running(streamer, Subscriptions(("SPY",), books=False)) as client:
        await until(subscribed(streamer, 1))
        await streamer.send("{", "[]", "", '{"data":[{"service":"LEVELONE_EQUITIES","content":[{"1":\x01}]}]}')
        await streamer.send(image("SPY", **{"3": "NaN", "1": 4}), image("SPY", **{"3": 5.0}))
        await until(lambda: len(client.events) == 2)
        status = client.status
        assert (status.bad_frames, status.tolerant_frames, status.connects) == (4, 1, 1)
        assert [event.last for event in client.events] == [None, 5.0]


async def test_a_failing_consumer_does_not_end_the_stream(streamer, caplog):
    seen = []

    def fragile(batch):
        seen.append(batch)
        if len(seen) == 1:
            raise ValueError("a bug")

    async with running(streamer, Subscriptions(("SPY",), books=False), sink=fragile) as client:
        await until(subscribed(streamer, 1))
        for number in (1, 2):
            await streamer.send(image("SPY", **{"3": float(number)}))
            await until(lambda count=number: len(seen) == count)
        assert (client.status.sink_errors, client.status.connects) == (1, 1)
    assert "a bug" in caplog.text


async def test_silence_means_the_connection_is_dead(streamer):
    timing = StreamTiming(silence_s=0.15, first_delay_s=0.01, max_delay_s=0.02, close_s=0.1)
    async with running(streamer, Subscriptions(("SPY",), books=False), timing=timing) as client:
        await until(lambda: len(streamer.sessions) >= 2)
        assert "sent nothing" in client.status.last_close


async def test_heartbeats_are_enough_in_a_quiet_night(streamer):
    timing = StreamTiming(silence_s=0.3, first_delay_s=0.01, max_delay_s=0.02, close_s=0.1)
    async with running(streamer, Subscriptions(("SPY",), books=False), timing=timing) as client:
        await until(subscribed(streamer, 1))
        for _ in range(12):
            await streamer.send('{"notify":[{"heartbeat":"1668715930582"}]}')
            await asyncio.sleep(0.05)
        assert client.status.reconnects == 0


async def test_a_server_that_never_answers_the_login_is_left(streamer):
    streamer.answer = lambda request: None
    timing = StreamTiming(login_s=0.1, first_delay_s=0.01, max_delay_s=0.02, close_s=0.1)
    async with running(streamer, Subscriptions(("SPY",)), timing=timing) as client:
        await until(lambda: len(streamer.sessions) >= 2)
        assert "did not answer the login" in client.status.last_close


async def test_a_request_left_unanswered_means_another_connection(streamer):
    streamer.answer = lambda request: succeed(request) if request["command"] == "LOGIN" else None
    timing = StreamTiming(answer_s=0.1, first_delay_s=0.01, max_delay_s=0.02, close_s=0.1)
    async with running(streamer, Subscriptions(("SPY",)), timing=timing) as client:
        await until(subscribed(streamer, 1))
        await asyncio.sleep(0.15)
        await streamer.send('{"notify":[{"heartbeat":"1668715930582"}]}')
        await until(lambda: len(streamer.sessions) >= 2)
        assert "unanswered" in client.status.last_close


async def test_an_unavailable_service_is_told_and_the_rest_streams(streamer):
    streamer.answer = with_code(11, service="NYSE_BOOK")
    async with running(streamer, Subscriptions(("SPY",))) as client:
        await until(subscribed(streamer, 2))
        await streamer.send(image("SPY", **{"3": 5.0}))
        await until(lambda: client.events)
        assert set(client.status.unavailable) == {"NYSE_BOOK"}
        assert client.status.connects == 1


async def test_the_delay_resets_only_after_data(streamer):
    delays = []

    class WatchedClock(SystemClock):
        async def sleep(self, seconds):
            delays.append(seconds)
            await asyncio.sleep(0)

    timing = StreamTiming(first_delay_s=1.0, max_delay_s=60.0, close_s=0.1, settle_s=0.0)
    client = SchwabStreamClient(
        streamer,
        streamer,
        Subscriptions(("SPY",), books=False),
        lambda batch: None,
        WatchedClock(),
        random.Random(1),
        timing=timing,
    )
    task = asyncio.ensure_future(client.run())
    try:
        for number in range(5):
            await until(lambda count=number: len(streamer.sessions) == count + 1 and len(streamer.commands()) == 1)
            streamer.cut()
        await until(lambda: len(streamer.sessions) == 6 and len(streamer.commands()) == 1)
        assert delays[4] > 8.0
        for number in (1, 2):  # one by one, for what comes together is one arrival
            await streamer.send(image("SPY", **{"3": float(number)}))
            await until(lambda count=number: client.status.events == count)
        streamer.cut()
        await until(lambda: len(delays) == 6)
        assert delays[5] <= 1.0
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_with_nothing_wanted_nobody_is_called(streamer):
    async with running(streamer, Subscriptions()) as client:
        await until(lambda: client.status.state == "idle")
        await asyncio.sleep(0.05)
        assert not streamer.sessions
        await client.set_symbols(["/ES"])
        await until(subscribed(streamer, 1))


async def test_the_engines_options_make_quotes_only(streamer):
    async with running(streamer, Subscriptions(("/ES",), (OPTION,))) as client:
        await until(subscribed(streamer, 2))
        await streamer.send(
            data_frame("LEVELONE_OPTIONS", {"key": OPTION, "delayed": False, "2": 10.2, "10": 16.5}),
            data_frame("LEVELONE_FUTURES", {"key": "/ES", "delayed": True, "1": 6879.25, "4": 11, "3": 6879.5}),
        )
        await until(lambda: len(client.events) == 3)
        assert [type(event) for event in client.events] == [OptionQuote, TickEvent, Level2Event]
        assert client.status.delayed == ("/ES",)


async def test_published_options_are_quoted_as_long_as_an_engine_looks_at_them(streamer):
    row = data_frame("LEVELONE_OPTIONS", {"key": OPTION, "delayed": False, "2": 10.2})
    async with running(streamer, Subscriptions((OPTION,), books=False)) as client:
        await until(subscribed(streamer, 1))
        for wanted, count in ((True, 2), (False, 3), (True, 5)):
            client.quote_symbols(wanted)
            await streamer.send(row)
            await until(lambda so_many=count: len(client.events) == so_many)
    assert [type(event) for event in client.events] == [TickEvent, OptionQuote, TickEvent, TickEvent, OptionQuote]


async def test_a_delay_that_ended_and_came_back_is_told_again(streamer):
    alarms = []
    async with running(streamer, Subscriptions(("SPY",), books=False), tell=alarms.append) as client:
        for number, delayed in enumerate((True, True, False, True), 1):
            await until(lambda count=number: len(streamer.sessions) == count and len(streamer.commands()) == 1)
            for last in (1.0, 2.0):  # one by one: the second is what comes after the data has flowed for a while
                arrived = len(client.events)
                await streamer.send(image("SPY", **{"3": last}).replace(b"false", str(delayed).lower().encode()))
                await until(lambda count=arrived: len(client.events) > count)
            streamer.cut()
        await until(lambda: len(streamer.sessions) == 5)
        assert [alarm.split(":")[0] for alarm in alarms] == ["Schwab sends SPY with a delay"] * 2


async def test_preferences_that_cannot_be_read_are_tried_again(streamer):
    real, failures = streamer.user_preference, []

    async def flaky():
        if len(failures) < 2:
            failures.append(1)
            raise ContractError("no streamer")
        return await real()

    streamer.user_preference = flaky
    async with running(streamer, Subscriptions(("SPY",), books=False)):
        await until(subscribed(streamer, 1))
        assert len(failures) == 2


async def test_a_missing_login_ends_the_run(streamer):
    async def nobody(**_more):
        raise LoginRequiredError("There is no Schwab login.")

    streamer.access_token = nobody
    async with running(streamer, Subscriptions(("SPY",))) as client:
        with pytest.raises(LoginRequiredError):
            await asyncio.wait_for(client.task, 5)
        assert client.status.state == "stopped"


async def test_requests_on_the_wire_are_valid_json_with_both_ids(streamer):
    async with running(streamer, Subscriptions(("SPY", "/ES"))):
        await until(subscribed(streamer, 3))
        for request in streamer.sessions[0]:
            assert request["SchwabClientCustomerId"] == "customer"
            assert request["SchwabClientCorrelId"] == "correl-1"
            json.dumps(request)
