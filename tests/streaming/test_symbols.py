import pytest

from streaming.errors import RequestError
from streaming.symbols import (
    has_standard_size,
    is_am_settled,
    is_future,
    is_index,
    is_option,
    parse_ticker,
    parse_wire_symbol,
)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("spx", "SPX"),
        ("$SPX", "SPX"),
        ("$SPX.X", "SPX"),
        (" ndx ", "NDX"),
        ("nq", "NQ_NDX"),
        ("MNQ", "NQ_NDX"),
        ("/NQ", "NQ_NDX"),
        ("/es", "ES_SPX"),
        ("mes", "ES_SPX"),
        ("es_spx", "ES_SPX"),
        ("BRK.B", "BRK.B"),
        ("brk/b", "BRK.B"),
        ("BRK-B", "BRK.B"),
    ],
)
def test_a_ticker_is_understood_the_way_people_write_it(typed, name):
    assert parse_ticker(typed).name == name


def test_a_futures_ticker_prices_the_index_chain_and_is_shifted_by_the_future():
    ticker = parse_ticker("nq")
    assert (ticker.underlying, ticker.future, ticker.wire) == ("NDX", "/NQ", "$NDX")


def test_a_share_has_no_dollar_on_the_wire():
    assert parse_ticker("SPY").wire == "SPY"
    assert parse_ticker("SPY").future is None


@pytest.mark.parametrize("typed", ["", "   ", "S P X", "1SPX", "SPX;DROP", "A" * 13, "<@123>", "../x"])
def test_what_is_no_ticker_is_refused_with_an_example(typed):
    with pytest.raises(RequestError, match="is not a ticker") as caught:
        parse_ticker(typed)
    assert "SPX" in caught.value.remedy


def test_a_share_of_a_class_is_one_ticker_and_has_schwabs_name_on_the_wire():
    spellings = {parse_ticker(typed) for typed in ("BRK/B", "BRK.B", "BRK-B")}
    assert {(ticker.name, ticker.wire) for ticker in spellings} == {("BRK.B", "BRK/B")}


@pytest.mark.parametrize(
    ("root", "index"), [("SPXW", "SPX"), ("ndxp", "NDX"), ("$RUTW", "RUT"), ("VIXW", "VIX"), ("$SPXW.X", "SPX")]
)
def test_a_root_of_weekly_options_leads_to_its_index_with_a_sentence(root, index):
    with pytest.raises(RequestError, match=f"part of {index}") as caught:
        parse_ticker(root)
    assert caught.value.remedy == f"Use {index}."
    with pytest.raises(RequestError, match=f"part of .{index}") as caught:
        parse_wire_symbol(root)
    assert caught.value.remedy == f"Use ${index}."


def test_an_option_of_a_weekly_root_is_a_symbol_all_the_same():
    assert parse_wire_symbol("SPXW  260820C06400000") == "SPXW  260820C06400000"


def test_a_refusal_does_not_repeat_endless_input():
    with pytest.raises(RequestError) as caught:
        parse_ticker("?" * 5000)
    assert len(str(caught.value)) < 80


@pytest.mark.parametrize(
    ("configured", "wire"),
    [
        ("spy", "SPY"),
        ("SPX", "$SPX"),
        ("$spx", "$SPX"),
        ("$SPX.X", "$SPX"),
        ("/mnq:xcme", "/MNQ"),
        ("/ES", "/ES"),
        ("/MNQZ25:XCME", "/MNQZ25"),
        ("bac/prk", "BAC/PRK"),
        ("BRK/B", "BRK/B"),
        ("BRK.B", "BRK/B"),
        ("brk-b", "BRK/B"),
        ("SPXW  260820C06400000", "SPXW  260820C06400000"),
    ],
)
def test_a_configured_symbol_becomes_schwabs(configured, wire):
    assert parse_wire_symbol(configured) == wire


@pytest.mark.parametrize("configured", ["./ESZ26C6900", "./ozcz23c565:xcbt", "EUR/USD", "usd/jpy"])
def test_options_on_futures_and_currencies_are_refused_with_what_to_use_instead(configured):
    with pytest.raises(RequestError, match="not streamed") as caught:
        parse_wire_symbol(configured)
    assert "/ES" in caught.value.remedy


@pytest.mark.parametrize("configured", ["", "?", "SPY QQQ", "/", "$", "spy;qqq"])
def test_what_cannot_be_a_symbol_is_refused(configured):
    with pytest.raises(RequestError, match="is not a symbol"):
        parse_wire_symbol(configured)


def test_kinds_of_symbols_are_told_apart():
    option = "SPXW  260820C06400000"
    assert is_index("$SPX")
    assert is_future("/MNQ")
    assert is_option(option)
    assert not is_option("SPY")
    assert not is_future(option)
    assert not is_index("SPY")


@pytest.mark.parametrize("root", ["SPX", "NDX", "RUT", "VIX", "VIXW", "DJX", "MXEA", "MXEF", "RUI", "RLG"])
def test_these_roots_settle_in_the_morning(root: str):
    assert is_am_settled(root)


@pytest.mark.parametrize("root", ["SPXW", "NDXP", "RUTW", "XSP", "OEX", "XEO", "XND", "MRUT", "SPY", "AAPL"])
def test_these_roots_settle_at_the_close(root: str):
    assert not is_am_settled(root)


@pytest.mark.parametrize("name", ["RUI", "RLG", "MXEA", "MXEF", "MRUT"])
def test_indexes_are_asked_for_as_such(name: str):
    assert parse_ticker(name).wire == f"${name}"


def test_a_root_of_small_contracts_is_none_of_a_hundred():
    assert not has_standard_size("NANOS")
    assert has_standard_size("SPX")
