import json

import pytest

from streaming.sim.stream.codes import Limits, ServerCode
from streaming.sim.stream.stream_session import ServerSession

IDS = {"SchwabClientCustomerId": "customer", "SchwabClientCorrelId": "correl"}


class Scripted:
    """Rows that a test sets by hand."""

    def __init__(self) -> None:
        self.rows: dict[str, dict] = {}

    def fixed(self, key):
        return {"delayed": False, "assetMainType": "EQUITY", "cusip": "1", "15": "NAME"} if key in self.rows else None

    def live(self, keys, fields):
        known = {key: self.rows[key] for key in keys if key in self.rows}
        return {key: {name: value for name, value in row.items() if name in fields} for key, row in known.items()}


@pytest.fixture
def rows() -> Scripted:
    scripted = Scripted()
    scripted.rows = {"SPY": {"1": 686.1, "2": 686.2, "8": 100}, "QQQ": {"1": 609.1, "2": 609.2, "8": 50}}
    return scripted


@pytest.fixture
def session(rows) -> ServerSession:
    return ServerSession(
        sources={"LEVELONE_EQUITIES": rows, "NYSE_BOOK": rows},
        admits=lambda token, customer, correl: token == "good",
        now_ms=lambda: 1_787_234_400_000,
        limits=Limits(keys=3),
    )


def ask(session, service, command, **parameters):
    request = {"service": service, "command": command, "requestid": 7, **IDS, "parameters": parameters}
    return answer(session, {"requests": [request]})


def answer(session, message) -> tuple[dict, bool]:
    (reply,) = session.receive(message if isinstance(message, str) else json.dumps(message))
    (item,) = json.loads(reply.frame)["response"]
    return item, reply.close


def code(session, *args, **kwargs) -> int:
    return ask(session, *args, **kwargs)[0]["content"]["code"]


def content(session, service="LEVELONE_EQUITIES") -> list[dict] | None:
    frame = session.frame(service)
    return None if frame is None else json.loads(frame)["data"][0]["content"]


@pytest.fixture
def live(session) -> ServerSession:
    assert code(session, "ADMIN", "LOGIN", Authorization="good") == 0
    return session


def test_a_login_is_acknowledged_with_the_request_id_as_text(session):
    item, close = ask(session, "ADMIN", "LOGIN", Authorization="good")
    assert set(item) == {"service", "command", "requestid", "SchwabClientCorrelId", "timestamp", "content"}
    assert (item["requestid"], item["SchwabClientCorrelId"]) == ("7", "correl")
    assert (item["content"]["code"], close) == (0, False)
    assert item["content"]["msg"].startswith("server=")


def test_a_bad_token_is_denied_and_closed(session):
    item, close = ask(session, "ADMIN", "LOGIN", Authorization="stale")
    assert (item["content"]["code"], close) == (3, True)
    assert item["content"]["msg"] == "Login Denied.: token is invalid or has expired."


def test_a_bare_request_is_understood(session):
    request = {"service": "ADMIN", "command": "LOGIN", "requestid": 0, **IDS, "parameters": {"Authorization": "good"}}
    assert answer(session, request)[0]["content"]["code"] == 0


def test_a_request_without_ids_is_badly_formatted_and_closed(live):
    request = {"service": "LEVELONE_EQUITIES", "command": "SUBS", "requestid": 1, "parameters": {"keys": "SPY"}}
    item, close = answer(live, {"requests": [request]})
    assert (item["content"]["code"], close) == (21, True)


@pytest.mark.parametrize("text", ["{", "[]", '"x"', '{"requests":[{}]}', '{"requests":5}', "null"])
def test_what_is_no_request_is_badly_formatted(session, text):
    item, close = answer(session, text)
    assert (item["content"]["code"], close) == (21, True)


def test_a_command_before_login_finds_no_connection(session):
    assert code(session, "LEVELONE_EQUITIES", "SUBS", keys="SPY", fields="0,1") == 20


def test_other_ids_than_those_of_the_login_find_no_connection(live):
    request = {"service": "LEVELONE_EQUITIES", "command": "SUBS", "requestid": 1, **IDS, "SchwabClientCorrelId": "x"}
    assert answer(live, {"requests": [request]})[0]["content"]["code"] == 20


@pytest.mark.parametrize("service", ["FUTURES_BOOK", "TIMESALE_EQUITY", "NYSE_BOOK"])
def test_services_that_are_unknown_or_down_are_not_available(live, service):
    live.faults.unavailable = {"NYSE_BOOK"}
    assert code(live, service, "SUBS", keys="SPY", fields="0,1") == 11


def test_too_many_keys_reach_the_limit(live):
    assert code(live, "LEVELONE_EQUITIES", "SUBS", keys="A,B,C", fields="0,1") == 0
    assert code(live, "LEVELONE_EQUITIES", "ADD", keys="D", fields="0,1") == 19
    assert code(live, "NYSE_BOOK", "SUBS", keys="D", fields="0,1") == 19
    assert code(live, "LEVELONE_EQUITIES", "SUBS", keys="E", fields="0,1") == 0


@pytest.mark.parametrize(("command", "failed"), [("SUBS", 22), ("UNSUBS", 23), ("ADD", 24), ("VIEW", 25)])
def test_a_command_in_parallel_fails(live, command, failed):
    live.busy = True
    assert code(live, "LEVELONE_EQUITIES", command, keys="SPY", fields="0,1") == failed


def test_success_is_code_zero_with_the_command_in_its_text(live):
    item, _ = ask(live, "LEVELONE_EQUITIES", "SUBS", keys="SPY", fields="0,1")
    assert item["content"] == {"code": 0, "msg": "SUBS command succeeded"}


def test_the_first_row_is_a_full_image_and_then_only_changes_come(live, rows):
    ask(live, "LEVELONE_EQUITIES", "SUBS", keys="SPY,QQQ", fields="0,1,2,8,15")
    assert content(live)[0] == {
        "key": "SPY", "delayed": False, "assetMainType": "EQUITY", "cusip": "1",
        "1": 686.1, "2": 686.2, "8": 100, "15": "NAME",
    }  # fmt: skip
    assert content(live) is None
    rows.rows["QQQ"]["8"] = 51
    assert content(live) == [{"key": "QQQ", "8": 51}]


def test_only_asked_fields_are_sent(live):
    ask(live, "LEVELONE_EQUITIES", "SUBS", keys="SPY", fields="0,8")
    assert set(content(live)[0]) == {"key", "delayed", "assetMainType", "cusip", "8"}


def test_subs_replaces_the_keys(live):
    ask(live, "LEVELONE_EQUITIES", "SUBS", keys="SPY", fields="0,1")
    ask(live, "LEVELONE_EQUITIES", "SUBS", keys="QQQ", fields="0,1")
    assert [row["key"] for row in content(live)] == ["QQQ"]


def test_add_appends_and_images_a_known_key_again(live, rows):
    ask(live, "LEVELONE_EQUITIES", "SUBS", keys="SPY", fields="0,1")
    content(live)
    ask(live, "LEVELONE_EQUITIES", "ADD", keys="QQQ", fields="0,1")
    assert [row["key"] for row in content(live)] == ["QQQ"]
    rows.rows["SPY"]["1"] = 687.0
    assert content(live) == [{"key": "SPY", "1": 687.0}]
    ask(live, "LEVELONE_EQUITIES", "ADD", keys="SPY", fields="0,1")
    assert content(live)[0]["cusip"] == "1"


def test_what_answers_a_command_are_the_first_images_alone(live, rows):
    ask(live, "LEVELONE_EQUITIES", "SUBS", keys="SPY", fields="0,1")
    live.frame("LEVELONE_EQUITIES")
    rows.rows["SPY"]["1"] = 686.3
    ask(live, "LEVELONE_EQUITIES", "ADD", keys="QQQ", fields="0,1")
    (image,) = json.loads(live.frame("LEVELONE_EQUITIES", first_images=True))["data"][0]["content"]
    assert image["key"] == "QQQ"
    assert content(live) == [{"key": "SPY", "1": 686.3}]


def test_add_may_be_the_first_command(live):
    assert code(live, "LEVELONE_EQUITIES", "ADD", keys="SPY", fields="0,1") == 0
    assert json.loads(live.frame("LEVELONE_EQUITIES"))["data"][0]["command"] == "ADD"


def test_unsubs_removes_and_the_last_key_ends_the_service(live):
    ask(live, "LEVELONE_EQUITIES", "SUBS", keys="SPY,QQQ", fields="0,1")
    ask(live, "LEVELONE_EQUITIES", "UNSUBS", keys="SPY")
    assert [row["key"] for row in content(live)] == ["QQQ"]
    ask(live, "LEVELONE_EQUITIES", "UNSUBS", keys="QQQ")
    assert live.key_count == 0
    assert content(live) is None


def test_view_changes_the_fields_of_all_keys(live):
    ask(live, "LEVELONE_EQUITIES", "SUBS", keys="SPY,QQQ", fields="0,1")
    content(live)
    ask(live, "LEVELONE_EQUITIES", "VIEW", fields="0,2")
    assert [set(row) & {"1", "2", "cusip"} for row in content(live)] == [{"2", "cusip"}, {"2", "cusip"}]


def test_books_are_sent_whole(live, rows):
    ask(live, "NYSE_BOOK", "SUBS", keys="SPY", fields="0,1,2")
    content(live, "NYSE_BOOK")
    rows.rows["SPY"]["1"] = 687
    assert content(live, "NYSE_BOOK") == [{"key": "SPY", "1": 687, "2": 686.2}]


def test_unknown_keys_are_acknowledged_and_silent(live):
    assert code(live, "LEVELONE_EQUITIES", "SUBS", keys="XYZ", fields="0,1") == 0
    assert content(live) is None


def test_logout_is_acknowledged_and_closed(live):
    item, close = ask(live, "ADMIN", "LOGOUT")
    assert (item["content"], close) == ({"code": 0, "msg": "SUCCESS"}, True)


def test_heartbeats_are_text_and_notifies_carry_codes(live):
    assert json.loads(live.heartbeat()) == {"notify": [{"heartbeat": "1787234400000"}]}
    (item,) = json.loads(live.notify(ServerCode.STOP_STREAMING))["notify"]
    assert (item["service"], item["content"]["code"]) == ("ADMIN", 30)


def test_fixed_fields_that_a_new_day_changed_are_sent_once(live, rows):
    edition = 1
    live.edition = lambda: edition
    ask(live, "LEVELONE_EQUITIES", "SUBS", keys="SPY", fields="0,1,15")
    content(live)
    rows.fixed = lambda key: {"delayed": False, "15": "ANOTHER NAME"}
    assert content(live) is None
    edition = 2
    assert content(live) == [{"key": "SPY", "15": "ANOTHER NAME"}]
    assert content(live) is None


def test_a_row_that_is_held_back_comes_whole_with_the_next_frame(live, rows):
    ask(live, "LEVELONE_EQUITIES", "SUBS", keys="SPY", fields="0,1,8")
    content(live)
    live.holds_back = lambda: True
    rows.rows["SPY"] = {"1": 687.0, "8": 100}
    assert content(live) is None
    rows.rows["SPY"] = {"1": 687.0, "8": 101}
    live.holds_back = lambda: False
    assert content(live) == [{"key": "SPY", "1": 687.0, "8": 101}]


def test_images_of_a_user_without_real_time_data_say_delayed(live):
    live.faults.delayed = True
    ask(live, "LEVELONE_EQUITIES", "SUBS", keys="SPY", fields="0,1")
    assert content(live)[0]["delayed"] is True
