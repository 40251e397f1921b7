"""Who began a trade, by the quote it came with."""

import random

import pytest

from streaming.engine import inbox
from streaming.engine.inbox import TradeTape
from streaming.model import OptionQuote, OptionTrades
from tests.support.slow_flow import Update, trades_of

CALL = "SPXW  260820C06400000"
MINUTE = 60_000


def quote(volume, *, last=1.1, bid=1.0, ask=1.2, symbol=CALL, at_ms=5, fresh=False):
    return OptionQuote(
        symbol=symbol, volume=volume, last=last, bid=bid, ask=ask, event_ms=at_ms, recv_ms=at_ms, fresh=fresh
    )


def told(*quotes):
    tape = TradeTape()
    for one in quotes:
        tape.take(one)
    return [(trade.bought, trade.sold, trade.unsure) for trade in tape.empty()]


@pytest.mark.parametrize(
    ("last", "bid", "ask", "counts"),
    [
        (1.2, 1.0, 1.2, (7, 0, 0)),
        (1.3, 1.0, 1.2, (7, 0, 0)),
        (1.0, 1.0, 1.2, (0, 7, 0)),
        (0.9, 1.0, 1.2, (0, 7, 0)),
        (1.15, 1.0, 1.2, (7, 0, 0)),
        (1.05, 1.0, 1.2, (0, 7, 0)),
        (1.5, 1.0, 2.0, (0, 0, 7)),
        (0.05, 0.0, 0.05, (7, 0, 0)),
        (0.0, 0.0, 0.05, (0, 7, 0)),
        (1.0, 1.0, 1.0, (0, 0, 7)),
        (1.1, 1.2, 1.0, (0, 0, 7)),
        (None, 1.0, 1.2, (0, 0, 7)),
        (1.2, None, 1.2, (7, 0, 0)),
        (1.1, None, 1.2, (0, 0, 7)),
        (1.0, 1.0, None, (0, 7, 0)),
        (1.1, None, None, (0, 0, 7)),
    ],
)
def test_a_rise_of_volume_is_a_purchase_at_the_ask_and_a_sale_at_the_bid(last, bid, ask, counts):
    assert told(quote(10), quote(17, last=last, bid=bid, ask=ask)) == [counts]


def test_the_first_image_an_equal_volume_and_a_fall_are_no_trades():
    assert told(quote(10)) == []
    assert told(quote(10), quote(10), quote(4), quote(4)) == []
    assert told(quote(10), quote(4), quote(6, last=1.2)) == [(2, 0, 0)], "another day begins at its own volume"


def test_what_was_traded_during_a_gap_was_not_seen():
    assert told(quote(10), quote(900, fresh=True), quote(903, last=1.2)) == [(3, 0, 0)]
    assert told(quote(10), quote(None, fresh=True), quote(900), quote(903, last=1.2)) == [(3, 0, 0)]


def test_an_update_without_a_volume_keeps_what_is_known():
    assert told(quote(10), quote(None), quote(12, last=1.0)) == [(0, 2, 0)]


def test_a_volume_that_cannot_be_true_is_no_trade():
    assert told(quote(10), quote(10**12), quote(12), quote(13, last=1.2)) == [(1, 0, 0)]


def test_trades_are_summed_by_option_and_minute_and_handed_over_once():
    tape = TradeTape()
    for volume, last, at_ms in ((10, 1.2, 0), (13, 1.2, 10), (15, 1.0, 59_999), (16, 1.2, 60_000)):
        tape.take(quote(volume, last=last, at_ms=at_ms))
    assert tape.empty() == [OptionTrades(CALL, 0, 3, 2, 0), OptionTrades(CALL, MINUTE, 1, 0, 0)]
    assert tape.empty() == []


def test_memory_is_bounded_in_options_and_in_what_waits(monkeypatch):
    monkeypatch.setattr(inbox, "MOST_LINES", 2)
    tape = TradeTape()
    for symbol in "ABC":
        tape.take(quote(10, symbol=symbol))
    for symbol in "ABC":
        tape.take(quote(11, symbol=symbol))
    assert [trade.symbol for trade in tape.empty()] == [], "each had been forgotten when it came again"
    monkeypatch.setattr(inbox, "MOST_LINES", 100)
    monkeypatch.setattr(inbox, "MOST_MINUTES", 3)
    for volume in range(20, 30):
        tape.take(quote(volume, at_ms=volume * MINUTE))
    assert [trade.minute_ms // MINUTE for trade in tape.empty()] == [27, 28, 29]


def test_of_five_thousand_options_that_trade_each_second_every_trade_is_told():
    tape = TradeTape()
    for volume in (10, 11, 12):
        for number in range(5_000):
            tape.take(quote(volume, symbol=f"SPXW  260820C{number:08d}"))
    assert sum(trade.bought + trade.sold + trade.unsure for trade in tape.empty()) == 10_000


@pytest.mark.parametrize("seed", range(20))
def test_a_made_tape_is_classed_as_the_slow_model_does(seed):
    rng = random.Random(seed)
    updates, volumes = [], dict.fromkeys("ABCD", 100)
    for step in range(300):
        symbol = rng.choice("ABCD")
        volumes[symbol] = max(volumes[symbol] + rng.choice((0, 0, 1, 3, 250, -120)), 0)
        prices = [rng.choice((None, 0.0, 1.0, 1.05, 1.1, 1.2)) for _ in range(3)]
        volume = rng.choice((None, volumes[symbol], volumes[symbol], volumes[symbol]))
        updates.append(Update(step * 700, symbol, volume, *prices, fresh=rng.random() < 0.03))
    tape = TradeTape()
    for one in updates:
        tape.take(
            quote(
                one.volume, symbol=one.symbol, last=one.last, bid=one.bid, ask=one.ask, at_ms=one.at_ms, fresh=one.fresh
            )
        )
    found = {(trade.symbol, trade.minute_ms): (trade.bought, trade.sold, trade.unsure) for trade in tape.empty()}
    wanted = {}
    for trade in trades_of(updates):
        counts = wanted.setdefault((trade.symbol, trade.at_ms // MINUTE * MINUTE), [0, 0, 0])
        counts[0 if trade.signed > 0 else 1 if trade.signed < 0 else 2] += trade.contracts
    assert found == {place: tuple(counts) for place, counts in wanted.items()}
