import pytest

from streaming.settings import StreamSettings
from streaming.streamer.streamed_symbols import SymbolChanges, needed_by, subscriptions_for, useful_to
from streaming.symbols import parse_ticker

CONFIGURED = ("SPY", "QQQ")


def test_changes_come_on_top_of_the_setting():
    changes = SymbolChanges().adding(["AAPL", "SPY"], CONFIGURED).removing(["QQQ"], CONFIGURED)
    assert (changes.added, changes.removed) == (("AAPL",), frozenset({"QQQ"}))
    assert changes.applied_to(CONFIGURED) == ("SPY", "AAPL")


def test_what_was_removed_comes_back_by_adding_and_what_was_added_goes_without_a_trace():
    changes = SymbolChanges(("AAPL",), frozenset({"QQQ"}))
    assert changes.adding(["QQQ"], CONFIGURED) == SymbolChanges(("AAPL",), frozenset())
    assert changes.removing(["AAPL"], CONFIGURED) == SymbolChanges((), frozenset({"QQQ"}))


def test_a_removal_outlives_a_setting_that_lost_the_symbol_and_got_it_back():
    changes = SymbolChanges().removing(["QQQ"], CONFIGURED)
    assert changes.applied_to(("SPY",)) == ("SPY",)
    assert changes.applied_to(CONFIGURED) == ("SPY",)


def test_tickers_need_their_underlying_and_their_future():
    assert needed_by([parse_ticker("NQ"), parse_ticker("NDX"), parse_ticker("SPY")]) == ("$NDX", "/NQ", "SPY")


def test_the_rest_of_the_family_is_useful():
    assert useful_to([parse_ticker("NQ"), parse_ticker("SPX")]) == ("QQQ", "SPY", "/ES")
    assert useful_to([parse_ticker("SPY")]) == ("$SPX", "/ES")
    assert useful_to([parse_ticker("AAPL")]) == ()


@pytest.mark.parametrize(
    ("events", "charts", "books_and_charts"),
    [
        (("ticks", "level2", "candles"), True, (True, True)),
        (("ticks", "level2", "candles"), False, (True, False)),
        (("ticks",), True, (False, False)),
        (("candles",), True, (False, True)),
    ],
)
def test_what_would_not_be_published_is_not_asked_for(events, charts, books_and_charts):
    settings = StreamSettings.model_construct(redis_events=events, schwab_charts=charts)
    wanted = subscriptions_for(settings, ["SPY"], None)
    assert (wanted.books, wanted.charts) == books_and_charts
    assert wanted.symbols == ("SPY",)
