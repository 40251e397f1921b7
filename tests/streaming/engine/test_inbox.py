"""What is kept for the engines while they are busy, and who hears of it."""

from datetime import UTC, datetime

from streaming.engine import inbox as engine_inbox
from streaming.engine.inbox import EngineInbox
from streaming.engine.protocol import ChainReceipt
from streaming.model import OptionQuote, OptionTrades, TickEvent
from streaming.symbols import parse_ticker

AT = datetime(2026, 8, 20, 15, tzinfo=UTC)


def tick(symbol: str, last: float | None, event_ms: int = 1) -> TickEvent:
    return TickEvent(symbol=symbol, timestamp=AT, last=last, event_ms=event_ms, recv_ms=event_ms, source="x", seq=1)


def quote(symbol: str = "SPXW  260820C06400000", *, iv: float = 0.2, event_ms: int = 1) -> OptionQuote:
    return OptionQuote(symbol=symbol, iv=iv, event_ms=event_ms, recv_ms=event_ms)


def receipt(*roots: str, complete: bool = True) -> ChainReceipt:
    return ChainReceipt(2, roots, complete, 6400.0, AT, delayed=False)


def inbox_of(*names: str) -> EngineInbox:
    return EngineInbox([parse_ticker(name) for name in names])


def fresh(inbox: EngineInbox) -> set[str]:
    return {name for name, event in inbox.news.items() if event.is_set()}


def test_only_what_engines_need_is_kept():
    inbox = inbox_of("SPX", "NQ")
    inbox.take([tick("AAPL", 240.0), tick("$SPX", None), tick("$SPX", 6400.0), tick("/NQ", 23000.0)])
    assert inbox.empty().spots == [("$SPX", 6400.0, 1), ("/NQ", 23000.0, 1)]
    assert inbox.empty() is None


def test_the_newest_of_each_symbol_is_enough():
    inbox = inbox_of("SPX")
    inbox.take([tick("$SPX", 6400.0), quote(iv=0.2), tick("$SPX", 6401.0, 2), quote(iv=0.3)])
    taken = inbox.empty()
    assert taken.spots == [("$SPX", 6401.0, 2)]
    assert [item.iv for item in taken.quotes] == [0.3]


def test_quotes_that_wait_are_bounded(monkeypatch):
    monkeypatch.setattr(engine_inbox, "MOST_WAITING", 3)
    inbox = inbox_of("SPX")
    inbox.take([quote(f"SPXW  260820C0640{n}000") for n in range(5)])
    assert [item.symbol[-4] for item in inbox.empty().quotes] == ["2", "3", "4"]


def test_news_goes_to_the_tickers_of_the_underlying_and_of_the_future():
    inbox = inbox_of("SPX", "ES", "NDX")
    inbox.take([tick("/ES", 6412.0)])
    assert fresh(inbox) == {"ES_SPX"}
    inbox.take([tick("$SPX", 6400.0)])
    assert fresh(inbox) == {"ES_SPX", "SPX"}


def test_prices_for_the_views_are_passed_on_and_are_no_news():
    inbox = inbox_of("SPX")
    inbox.take([tick("SPY", 640.0), tick("/ES", 6412.0)])
    assert fresh(inbox) == set()
    assert [spot[0] for spot in inbox.empty().spots] == ["SPY", "/ES"]


def test_a_quote_is_news_for_the_tickers_whose_chain_has_its_root():
    inbox = inbox_of("SPX", "NDX")
    inbox.take([quote()])
    assert fresh(inbox) == set()
    inbox.loaded("SPX", receipt("SPX", "SPXW", complete=False))
    inbox.take([quote()])
    assert fresh(inbox) == {"SPX"}


def test_a_chain_is_news_once_it_is_whole():
    inbox = inbox_of("SPX", "ES", "NDX")
    inbox.loaded("SPX", receipt("SPXW", complete=False))
    assert fresh(inbox) == set()
    inbox.loaded("SPX", receipt("SPXW"))
    assert fresh(inbox) == {"SPX", "ES_SPX"}


def test_new_engines_get_the_last_prices_again():
    inbox = inbox_of("SPX")
    inbox.take([tick("$SPX", 6400.0)])
    inbox.empty()
    inbox.repeat_spots()
    assert inbox.empty().spots == [("$SPX", 6400.0, 1)]


def test_trades_are_told_though_a_newer_quote_replaced_theirs():
    inbox = inbox_of("SPX")
    symbol = "SPXW  260820C06400000"
    states = [(10, 1.0, 1), (13, 1.2, 2), (18, 1.0, 3)]
    inbox.take(
        [
            OptionQuote(symbol=symbol, volume=volume, last=last, bid=1.0, ask=1.2, event_ms=at_ms, recv_ms=at_ms)
            for volume, last, at_ms in states
        ]
    )
    taken = inbox.empty()
    assert [item.volume for item in taken.quotes] == [18]
    assert taken.trades == [OptionTrades(symbol, 0, 3, 5, 0)]
