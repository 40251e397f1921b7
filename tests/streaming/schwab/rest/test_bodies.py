import json
from datetime import date

import pytest

from streaming.errors import ContractError
from streaming.schwab.rest.bodies import (
    is_truncated,
    join_sides,
    parse_ex_dividends,
    parse_expirations,
    parse_preferences,
    require_quotes,
)
from tests.data_builders import answers
from tests.support.schwab_chains import chain_document, contract


def test_preferences_name_the_streamer():
    raw = answers.preferences()
    info = parse_preferences(raw)
    assert (info.url, info.channel, info.function_id, info.level2) == (
        "wss://streamer.example/ws",
        "N9",
        "APIAPP",
        True,
    )
    assert (info.customer_id, info.correl_id) == ("c0ffee" * 8, "11111111-2222-3333-4444-555555555555")
    assert parse_preferences(b"[" + raw + b"]") == info


STREAMER = {"streamerSocketUrl": "ws://127.0.0.1:1/ws", "schwabClientCustomerId": "c", "schwabClientCorrelId": "d"}


@pytest.mark.parametrize("info", [STREAMER, [STREAMER], [{}, STREAMER], [None, 5, STREAMER]])
def test_the_streamer_is_read_from_an_object_as_from_a_list(info):
    found = parse_preferences(json.dumps({"streamerInfo": info}).encode())
    assert (found.url, found.customer_id, found.correl_id) == ("ws://127.0.0.1:1/ws", "c", "d")


def test_ids_may_be_numbers_and_what_is_null_is_not_sent_as_a_word():
    info = STREAMER | {"schwabClientCustomerId": 123456, "schwabClientChannel": None, "schwabClientFunctionId": 7}
    found = parse_preferences(b"\xef\xbb\xbf" + json.dumps({"streamerInfo": info}).encode())
    assert (found.customer_id, found.channel, found.function_id) == ("123456", "", "7")


@pytest.mark.parametrize(
    ("offers", "level2"),
    [({"level2Permissions": False}, False), ([{"level2Permissions": None}], True), ([{}], True), ("none", True)],
)
def test_only_a_plain_no_means_no_books(offers, level2):
    body = json.dumps({"streamerInfo": STREAMER, "offers": offers}).encode()
    assert parse_preferences(body).level2 is level2


def test_without_level_two_permission_there_are_no_books():
    assert parse_preferences(answers.preferences(level2=False)).level2 is False


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"streamerInfo":[]}', b'{"streamerInfo":[{"streamerSocketUrl":""}]}']
)
def test_preferences_without_a_streamer_say_what_to_do(body):
    with pytest.raises(ContractError) as caught:
        parse_preferences(body)
    assert "Trader product" in caught.value.sentence


def test_expirations_are_read_and_put_in_order():
    found = parse_expirations(answers.expirations("SPY", date(2026, 8, 20)))
    assert found[0] == date(2026, 8, 20)
    assert found == sorted(found)
    assert len(found) > 20


def test_the_other_name_of_the_date_is_read_and_nonsense_left_out():
    body = b'{"expirationList":[{"expiration":"2025-07-22","optionRoots":"SPX,SPXW"},{"expirationDate":"never"},5]}'
    assert parse_expirations(body) == [date(2025, 7, 22)]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"expirationList":null}'])
def test_what_lists_no_expirations_is_a_contract_error(body):
    with pytest.raises(ContractError):
        parse_expirations(body)


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>"])
def test_what_cannot_hold_quotes_is_a_contract_error(body):
    require_quotes(answers.share_quote("NVDA"))
    with pytest.raises(ContractError):
        require_quotes(body)


def test_ex_dividend_dates_are_read_where_a_quote_names_them():
    body = json.loads(answers.share_quote("KO")) | json.loads(answers.index_quote())
    body |= {
        "errors": {"invalidSymbols": ["XYZ"]},
        "A": {"fundamental": {"divExDate": "soon", "nextDivExDate": None}},
        "B": 5,
    }
    found = parse_ex_dividends(json.dumps(body).encode())
    assert found == {"KO": (date(2026, 6, 5), date(2026, 9, 5)), "$SPX": (), "A": ()}
    with pytest.raises(ContractError):
        parse_ex_dividends(b"<html>")


def test_two_halves_become_one_chain():
    calls = chain_document(contract("SPXW  250520C05660000"))
    puts = chain_document(contract("SPXW  250520P05660000"))
    whole = json.loads(join_sides(calls, puts))
    assert list(whole["callExpDateMap"]) == list(whole["putExpDateMap"]) == ["2025-05-20:9"]
    assert whole["underlyingPrice"] == 5659.91
    with pytest.raises(ContractError):
        join_sides(calls, b"[]")


@pytest.mark.parametrize("halves", [("FAILED", "SUCCESS"), ("SUCCESS", "FAILED")])
def test_a_half_that_failed_makes_the_whole_fail(halves):
    calls, puts = (chain_document(status=status) for status in halves)
    assert json.loads(join_sides(calls, puts))["status"] == "FAILED"


@pytest.mark.parametrize("odd", [b"{}", b'{"errors":[]}'])
def test_a_half_without_its_side_joins_with_nothing(odd):
    whole = chain_document(contract("SPXW  250520C05660000"))
    for halves in ((odd, whole), (whole, odd)):
        with pytest.raises(ContractError, match="two halves"):
            join_sides(*halves)


def test_a_truncated_chain_is_noticed():
    assert is_truncated(chain_document(isChainTruncated=True))
    assert not is_truncated(chain_document(isChainTruncated=False))
    assert not is_truncated(b"x")
