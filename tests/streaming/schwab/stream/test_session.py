import json

import pytest

from streaming.errors import ContractError
from streaming.schwab.stream.session import State, StreamSession
from streaming.schwab.stream.session_events import (
    BadFrame,
    ConnectionUnknown,
    Data,
    KeysRefused,
    KickedOut,
    LoggedIn,
    LoggedOut,
    LoginDenied,
    Oddity,
    ServerHeartbeat,
    ServiceUnavailable,
    StopStreaming,
    Subscribed,
    SymbolLimit,
    Tolerated,
)
from streaming.schwab.wire.fields import Service
from streaming.schwab.wire.frames import StreamerInfo
from streaming.schwab.wire.service_table import FIELDS
from tests.data_builders.frames import equities, every_frame
from tests.support.frames import data_frame, notice, response

INFO = StreamerInfo("wss://x/ws", "customer", "correl", "N9", "APIAPP")
L1 = Service.LEVELONE_EQUITIES
BOOK = Service.NYSE_BOOK


class Talk:
    """A session and the other side of its conversation."""

    def __init__(self, wanted, **more):
        self.session = StreamSession(INFO, wanted, **more)
        self.now_s = 0.0

    def next(self):
        text = self.session.to_send(self.now_s)
        return None if text is None else json.loads(text)["requests"][0]

    def answer(self, request, code=0, msg=""):
        raw = response(request["requestid"], request["command"], code, service=request["service"], msg=msg)
        return self.session.receive(raw)

    def log_in(self):
        self.session.login("token")
        return self.answer(self.next())


def logged_in(wanted, **more):
    talk = Talk(wanted, **more)
    talk.log_in()
    return talk


def test_login_comes_first_and_alone():
    talk = Talk({L1: ("SPY",)})
    assert talk.next() is None
    talk.session.login("secret-token")
    request = talk.next()
    assert (request["service"], request["command"]) == ("ADMIN", "LOGIN")
    assert request["parameters"]["Authorization"] == "secret-token"
    assert talk.next() is None
    assert talk.answer(request, msg="status=NP") == [LoggedIn("status=NP")]


def test_requests_go_out_one_at_a_time_and_in_order():
    talk = logged_in({L1: ("A", "B", "C"), BOOK: ("A",)}, chunk=2)
    said = []
    while (request := talk.next()) is not None:
        assert talk.next() is None
        said.append((request["command"], request["service"], request["parameters"]["keys"]))
        (event,) = talk.answer(request, msg="SUBS command succeeded")
        assert isinstance(event, Subscribed)
    assert said == [("SUBS", L1, "A,B"), ("ADD", L1, "C"), ("SUBS", BOOK, "A")]
    assert talk.session.settled


def test_every_request_carries_both_ids_its_own_number_and_ascending_fields():
    talk = logged_in({L1: ("A",), BOOK: ("A",)})
    first = talk.next()
    talk.answer(first)
    second = talk.next()
    assert [first["requestid"], second["requestid"]] == ["1", "2"]
    for request in (first, second):
        assert (request["SchwabClientCustomerId"], request["SchwabClientCorrelId"]) == ("customer", "correl")
    assert first["parameters"]["fields"] == FIELDS[L1]


@pytest.mark.parametrize("code", [0, 26, 27, 28, 29])
def test_both_kinds_of_success_are_accepted(code):
    talk = logged_in({L1: ("A",)})
    assert talk.answer(talk.next(), code) == [Subscribed(L1, "SUBS", ("A",))]


def test_a_denied_login_ends_the_session():
    talk = Talk({L1: ("A",)})
    talk.session.login("old")
    events = talk.answer(talk.next(), 3, "Login Denied.: token is invalid or has expired.")
    assert events == [LoginDenied(3, "Login Denied.: token is invalid or has expired.")]
    assert talk.session.state is State.ENDED
    assert talk.next() is None


@pytest.mark.parametrize("content", ['{"code":0,"msg":null}', '{"code":"0"}', '[{"code":0,"msg":""}]'])
def test_an_odd_answer_to_the_login_is_an_answer(content):
    talk = Talk({L1: ("A",)})
    talk.session.login("token")
    talk.next()
    raw = f'{{"response":[{{"service":"ADMIN","command":"LOGIN","requestid":"0","content":{content}}}]}}'
    assert talk.session.receive(raw.encode()) == [Tolerated(0), LoggedIn("")]
    assert talk.next()["command"] == "SUBS"


@pytest.mark.parametrize("code", [9, 20, 21])
def test_another_refusal_of_the_login_means_a_new_connection(code):
    talk = Talk({})
    talk.session.login("token")
    assert talk.answer(talk.next(), code, "no") == [ConnectionUnknown(code, "no")]


def test_an_unavailable_service_leaves_the_others():
    talk = logged_in({L1: ("A",), BOOK: ("A", "B")}, chunk=1)
    assert talk.answer(talk.next(), 11, "Service not available or temporary down.") == [
        ServiceUnavailable(L1, "Service not available or temporary down.")
    ]
    request = talk.next()
    assert (request["service"], request["command"]) == (BOOK, "SUBS")


def test_too_many_symbols_are_left_out():
    talk = logged_in({L1: ("A", "B")}, chunk=1)
    talk.answer(talk.next())
    assert talk.answer(talk.next(), 19) == [SymbolLimit(L1, ("B",))]
    assert talk.session.settled


@pytest.mark.parametrize("code", [9, 22, 24])
def test_a_failed_command_is_repeated_twice_and_then_given_up(code):
    talk = logged_in({L1: ("A",)})
    first = talk.next()
    assert isinstance(talk.answer(first, code)[0], Oddity)
    second = talk.next()
    assert (second["command"], second["parameters"]) == (first["command"], first["parameters"])
    assert second["requestid"] != first["requestid"]
    talk.answer(second, code)
    assert talk.answer(talk.next(), code, "no") == [KeysRefused(L1, "SUBS", ("A",), code, "no")]
    assert talk.next() is None


def test_a_malformed_batch_is_split_until_the_bad_key_alone_is_left_out():
    keys = tuple(f"K{number}" for number in range(40))
    talk = logged_in({L1: (*keys[:23], "BAD", *keys[23:])})
    events, streamed = [], set()
    while (request := talk.next()) is not None:
        asked = request["parameters"]["keys"].split(",")
        streamed.update([] if "BAD" in asked else asked)
        events += talk.answer(request, 21 if "BAD" in asked else 0, "Bad command formatting.")
    assert streamed == set(keys)
    assert [event for event in events if isinstance(event, KeysRefused)] == [
        KeysRefused(L1, "ADD", ("BAD",), 21, "Bad command formatting.")
    ]
    assert talk.session.left_out == {L1: ("BAD",)}


@pytest.mark.parametrize("code", [11, 24, 77])
def test_what_failed_for_no_fault_of_its_own_is_asked_again_after_five_minutes(code):
    talk = logged_in({L1: ("A",)})
    talk.now_s = 1000.0
    while (request := talk.next()) is not None:
        talk.answer(request, code)
    talk.session.awaken(1299.0)
    assert talk.next() is None
    talk.session.awaken(1300.0)
    assert talk.answer(talk.next()) == [Subscribed(L1, "SUBS", ("A",))]


def test_words_of_the_server_are_one_short_line():
    talk = logged_in({L1: ("A",)})
    (refused,) = talk.answer(talk.next(), 77, "no\n\x1b[31m " + "x" * 500)
    assert refused.message == "no ?[31m " + "x" * 111


def test_a_malformed_command_is_never_repeated():
    talk = logged_in({L1: ("A",)})
    assert talk.answer(talk.next(), 21) == [KeysRefused(L1, "SUBS", ("A",), 21, "")]
    assert talk.next() is None


def test_a_connection_the_server_forgot_ends():
    talk = logged_in({L1: ("A",)})
    assert talk.answer(talk.next(), 20, "gone") == [ConnectionUnknown(20, "gone")]
    assert talk.session.state is State.ENDED


@pytest.mark.parametrize(
    ("raw", "event"),
    [
        (notice(12, "taken"), KickedOut("taken")),
        (notice(30, "empty"), StopStreaming("empty")),
        (notice(20, "gone"), ConnectionUnknown(20, "gone")),
        (response("77", "SUBS", 12, msg="taken"), KickedOut("taken")),
    ],
)
def test_notices_that_end_the_session(raw, event):
    talk = logged_in({})
    assert talk.session.receive(raw) == [event]
    assert talk.session.state is State.ENDED


def test_harmless_notices_are_oddities():
    talk = logged_in({})
    assert isinstance(talk.session.receive(notice(77, "?"))[0], Oddity)
    assert isinstance(talk.session.receive(b'{"notify":[{"service":"ADMIN"}]}')[0], Oddity)
    assert talk.session.state is State.READY


def test_heartbeats_are_told():
    talk = logged_in({})
    assert talk.session.receive(b'{"notify":[{"heartbeat":"1668715930582"}]}') == [ServerHeartbeat()]
    assert talk.session.receive(b'{"notify":[{"heartbeat":"soon"}]}') == [ServerHeartbeat()]


def test_data_passes_through_at_any_time():
    talk = Talk({})
    (event,) = talk.session.receive(equities()[0])
    assert isinstance(event, Data)
    assert [row.key for row in event.blocks[0].content] == ["QQQ", "SPY", "IWM"]


def test_an_answer_to_another_request_is_ignored():
    talk = logged_in({L1: ("A",)})
    request = talk.next()
    assert isinstance(talk.session.receive(response("999", "SUBS", 22))[0], Oddity)
    assert talk.next() is None
    assert talk.answer(request) == [Subscribed(L1, "SUBS", ("A",))]


@pytest.mark.parametrize(("command", "service"), [("LOGIN", "ADMIN"), ("ADD", L1), ("SUBS", BOOK)])
def test_the_right_number_with_another_command_or_service_is_an_oddity(command, service):
    talk = logged_in({L1: ("A",)})
    request = talk.next()
    [oddity] = talk.session.receive(response(request["requestid"], command, 22, service=service))
    assert f"{service} {command}" in oddity.what
    assert talk.answer(request) == [Subscribed(L1, "SUBS", ("A",))]


def test_an_answer_without_a_number_is_matched_by_its_command():
    talk = logged_in({L1: ("A",)})
    talk.next()
    assert talk.session.receive(response("", "SUBS", 0, service=L1)) == [Subscribed(L1, "SUBS", ("A",))]


def test_wishes_may_change_while_an_answer_is_awaited():
    talk = logged_in({L1: ("A",)})
    request = talk.next()
    talk.session.want({L1: ("B",)})
    assert talk.next() is None
    talk.answer(request)
    added = talk.next()
    assert (added["command"], added["parameters"]["keys"]) == ("ADD", "B")
    talk.answer(added)
    removed = talk.next()
    assert (removed["command"], removed["parameters"]) == ("UNSUBS", {"keys": "A"})


def test_an_unanswered_request_becomes_overdue():
    talk = logged_in({L1: ("A",)})
    assert not talk.session.overdue(100.0, 15.0)
    talk.now_s = 100.0
    talk.next()
    assert not talk.session.overdue(115.0, 15.0)
    assert talk.session.overdue(115.1, 15.0)


def test_logging_out_is_the_last_word():
    talk = logged_in({L1: ("A",)})
    request = json.loads(talk.session.logout())["requests"][0]
    assert (request["service"], request["command"], request["parameters"]) == ("ADMIN", "LOGOUT", {})
    assert talk.answer(request) == [LoggedOut()]
    assert talk.next() is None


def test_rubbish_is_a_contract_error_and_the_session_goes_on():
    talk = logged_in({L1: ("A",)})
    with pytest.raises(ContractError):
        talk.session.receive(b"\x00\x01")
    assert talk.next()["command"] == "SUBS"


def test_a_tolerated_frame_tells_what_was_lost():
    talk = logged_in({})
    odd = b'{"data":[{"service":"LEVELONE_EQUITIES","content":[{"key":"A","1":"NaN"},{}]}]}'
    assert [type(event) for event in talk.session.receive(odd)] == [Tolerated, Data]
    assert talk.session.receive(odd)[0] == Tolerated(dropped=1)
    assert [type(event) for event in talk.session.receive(data_frame("LEVELONE_EQUITIES", {"key": "A"}))] == [Data]


def test_frames_that_come_together_mean_what_they_mean_one_by_one():
    frames = every_frame()
    odd = b'{"data":[{"service":"LEVELONE_EQUITIES","content":[{"key":"A","1":"NaN"},{}]}]}'
    frames = [*frames[:3], odd, b"\x00", notice(77, "?"), *frames[3:], b'{"notify":[{"heartbeat":"1"}]}', *frames]
    one_by_one = []
    for raw in frames:
        try:
            one_by_one += logged_in({}).session.receive(raw)
        except ContractError as error:
            one_by_one.append(BadFrame(str(error)))
    together = list(logged_in({}).session.receive_all(frames))
    assert apart(together) == apart(one_by_one)
    assert len(together) < len(one_by_one)


def test_a_long_frame_is_decoded_in_parts_and_what_is_odd_in_it_spoils_its_part_only():
    rows = [{"key": f"Q{n}", "1": 5.0, "8": n, "33": "x" * 200} for n in range(2_000)]
    rows[1_500] = {"key": "ODD", "1": "no price"}
    events = list(logged_in({}).session.receive_all([data_frame("LEVELONE_EQUITIES", *rows)]))
    parts = [event for event in events if isinstance(event, Data)]
    assert [event.continues for event in parts[:3]] == [False, True, True]
    assert max(len(part.blocks[0].content) for part in parts) < 400
    assert [row.key for part in parts for row in part.blocks[0].content if row.key != "ODD"] == [
        row["key"] for row in rows if row["key"] != "ODD"
    ]
    assert sum(isinstance(event, Tolerated) for event in events) == 1


def test_of_a_long_frame_of_two_services_each_is_one_block_to_who_counts():
    shares = data_frame("LEVELONE_EQUITIES", *({"key": f"Q{n}", "33": "x" * 500} for n in range(300)))
    options = data_frame("LEVELONE_OPTIONS", *({"key": f"O{n}", "33": "x" * 500} for n in range(300)))
    both = shares.removesuffix(b"]}") + b"," + options.removeprefix(b'{"data":[')
    parts = list(logged_in({}).session.receive_all([both]))
    assert len(parts) > 4
    assert [part.blocks[0].service for part in parts if not part.continues] == ["LEVELONE_EQUITIES", "LEVELONE_OPTIONS"]
    assert sum(len(block.content) for part in parts for block in part.blocks) == 600


def apart(events):
    """Every block of rows as an event of its own."""
    return [block for event in events for block in (event.blocks if isinstance(event, Data) else [event])]


def test_rows_before_and_after_an_event_keep_their_places():
    talk = logged_in({})
    tick = data_frame("LEVELONE_EQUITIES", {"key": "A", "1": 5.0})
    kinds = [type(event) for event in talk.session.receive_all([tick, tick, notice(12, "bye"), tick])]
    assert kinds == [Data, KickedOut, Data]
