"""Names from outside: what may be shown and stored of them."""

import pytest

from streaming.bus.snapshots.names import is_note, is_producer, is_ticker, ticker_of
from streaming.errors import ContractError


@pytest.mark.parametrize("name", ["SPX", "$SPX", "/NQ", "BRK.B", "^VIX", "NQ_NDX", "x" * 24])
def test_what_exchanges_and_programs_call_a_ticker_is_one(name):
    assert is_ticker(name)


@pytest.mark.parametrize("name", ["", "x" * 25, "S P", "@here", "<@1>", "SPX\n", "https://a.b", "`SPX`"])
def test_what_discord_would_read_as_more_than_a_name_is_no_ticker(name):
    assert not is_ticker(name)


@pytest.mark.parametrize(
    ("name", "fine"), [("cboe", True), ("file:2024-06-03", True), ("$cboe", False), ("a//b", False), ("", False)]
)
def test_a_producer_is_a_plain_name_without_a_link(name, fine):
    assert is_producer(name) is fine


@pytest.mark.parametrize(
    ("text", "fine"), [("", True), ("positive everywhere", True), ("x" * 41, False), ("*x*", False)]
)
def test_a_note_is_a_few_plain_words(text, fine):
    assert is_note(text) is fine


@pytest.mark.parametrize(("given", "ours"), [("nq", "NQ_NDX"), ("$SPX", "SPX"), ("A:B:C+1", "A:B:C+1")])
def test_a_ticker_gets_our_own_name_where_there_is_one(given, ours):
    assert ticker_of(given) == ours


@pytest.mark.parametrize("given", [None, 7, ["SPX"], "", "http://x"])
def test_what_is_no_ticker_is_refused(given):
    with pytest.raises(ContractError):
        ticker_of(given)
