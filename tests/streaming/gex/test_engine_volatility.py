"""The engine between polls: whose price says a strike's volatility, at which spot and when, and how it ages."""

import math
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from streaming.clock import epoch_ms
from streaming.gex.engine import GexEngine
from streaming.gex.pricing import live_book
from streaming.model import OptionQuote
from streaming.symbols import parse_ticker
from tests.support.option_lines import ASOF, Line, make_chain

SPOT = 4300.0
MONDAY = date(2023, 6, 12)
SECOND = timedelta(seconds=1)
CALL = Line(4320.0, "C", 0.20, 1000.0, bid=3.9, ask=4.1)
PUT = Line(4320.0, "P", 0.30, 0.0, bid=23.9, ask=24.1)
LATER = Line(4330.0, "C", 0.20, 500.0, expiry=MONDAY, bid=9.9, ask=10.1)


def black_call(w: float, forward: float, strike: float) -> float:
    d1 = math.log(forward / strike) / w + w / 2.0
    upper, lower = (0.5 * math.erfc(-d / math.sqrt(2.0)) for d in (d1, d1 - w))
    return forward * upper - strike * lower


def w_of(price: float, forward: float = SPOT, strike: float = 4320.0) -> float:
    low, high = 1e-6, 5.0
    for _ in range(90):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if black_call(middle, forward, strike) < price else (low, middle)
    return low


def gex(w: float, *, spot: float = SPOT, line: Line = CALL) -> float:
    """Dollars per 1 % of a line's open interest."""
    d1 = math.log(spot / line.strike) / w + w / 2.0
    return line.oi * spot * math.exp(-0.5 * d1 * d1) / math.sqrt(2.0 * math.pi) / w


def left_s(at: datetime) -> float:
    return (datetime.fromisoformat("2023-06-09T16:00-04:00") - at).total_seconds()


def engine_of(*lines: Line, rule: Any = "quotes", forward: Any = "none", spot: float = SPOT) -> GexEngine:
    engine = GexEngine(parse_ticker("SPX"), scope="zero", volatility=rule, forward=forward)
    engine.on_chain(make_chain(lines or (CALL, PUT), spot=spot))
    return engine


def quote(line: Line, after_s: float, **fields: Any) -> OptionQuote:
    at_ms = epoch_ms(ASOF + after_s * SECOND)
    return OptionQuote(symbol=line.symbol, event_ms=at_ms, recv_ms=at_ms, **fields)


def net(engine: GexEngine, at: datetime = ASOF) -> float:
    found = engine.compute(at).scopes["zero"].oi.net_gex_usd_per_1pct
    assert found is not None
    return found


def test_each_rule_prices_with_what_it_says():
    sigma = 0.20 * math.sqrt(left_s(ASOF) / (365 * 86_400))
    assert net(engine_of()) == pytest.approx(gex(w_of(4.0)), rel=1e-9)
    assert net(engine_of(rule="otm")) == net(engine_of(rule="line")) == pytest.approx(gex(sigma), rel=1e-12)
    unusable = replace(CALL, iv=0.0)
    assert net(engine_of(unusable, PUT)) == net(engine_of())
    assert net(engine_of(unusable, PUT, rule="otm")) == pytest.approx(gex(1.5 * sigma), rel=1e-12)


def test_between_quotes_the_total_volatility_shrinks_with_our_clock():
    engine = engine_of()
    engine.on_spot(SPOT, epoch_ms(ASOF + 3600 * SECOND))
    later = ASOF + 3600 * SECOND
    w = w_of(4.0) * math.sqrt(left_s(later) / left_s(ASOF))
    assert net(engine, later) == pytest.approx(gex(w), rel=1e-9)


def test_a_live_price_is_solved_at_the_spot_and_the_time_it_came():
    engine = engine_of()
    engine.on_spot(4310.0, epoch_ms(ASOF + 30 * SECOND))
    engine.on_option([quote(CALL, 60.0, bid=6.9, ask=7.1)])
    w = w_of(7.0, forward=4310.0)
    assert net(engine, ASOF + 60 * SECOND) == pytest.approx(gex(w, spot=4310.0), rel=1e-9)
    engine.on_spot(4305.0, epoch_ms(ASOF + 90 * SECOND))
    aged = w * math.sqrt(left_s(ASOF + 90 * SECOND) / left_s(ASOF + 60 * SECOND))
    assert net(engine, ASOF + 90 * SECOND) == pytest.approx(gex(aged, spot=4305.0), rel=1e-9)


def test_a_live_price_is_solved_at_the_forward_that_parity_gave_its_series():
    pairs = [Line(4300.0 + step, side, 0.2, 0.0, bid=19.9 - sign * step, ask=20.1 - sign * step)
             for step in (-1.0, 0.0, 1.0) for side, sign in (("C", 0.5), ("P", -0.5))]  # fmt: skip
    shifted = [replace(line, bid=line.bid + 4.3, ask=line.ask + 4.3) if line.side == "C" else line for line in pairs]
    engine = engine_of(CALL, *shifted, forward="parity")
    engine.on_option([quote(CALL, 1.0, bid=6.9, ask=7.1)])
    w = w_of(7.0, forward=4304.3)
    d1 = math.log(4304.3 / 4320.0) / w + w / 2.0
    expected = CALL.oi * SPOT * math.exp(-0.5 * d1 * d1) / math.sqrt(2.0 * math.pi) / w
    assert net(engine, ASOF + SECOND) == pytest.approx(expected, rel=1e-9)


def test_a_live_price_in_the_money_says_nothing():
    engine = engine_of()
    engine.on_option([quote(PUT, 0.0, bid=40.0, ask=40.2, iv=0.9)])
    assert net(engine) == net(engine_of())


def test_a_strike_that_spot_has_crossed_is_told_by_its_other_side():
    engine = engine_of()
    engine.on_spot(4330.0, epoch_ms(ASOF))
    engine.on_option([quote(CALL, 0.0, bid=14.9, ask=15.1), quote(PUT, 0.0, bid=4.9, ask=5.1)])
    assert net(engine) == pytest.approx(gex(w_of(15.0, forward=4330.0), spot=4330.0), rel=1e-9)


def test_where_spot_has_crossed_a_strike_the_feeds_volatility_is_that_of_the_other_side_too():
    engine = engine_of()
    engine.on_spot(4330.0, epoch_ms(ASOF))
    engine.on_option([quote(PUT, 0.0, bid=0.0, ask=5.0, iv=0.25)])
    sigma = 0.25 * math.sqrt(left_s(ASOF) / (365 * 86_400))
    assert net(engine) == pytest.approx(gex(sigma, spot=4330.0), rel=1e-9)


@pytest.mark.parametrize("prices", [{}, {"bid": 5.0}, {"ask": 5.0}])
def test_a_live_quote_without_both_prices_leaves_what_was_said(prices: dict[str, float]):
    engine = engine_of()
    engine.on_option([quote(CALL, 0.0, volume=10, **prices)])
    assert net(engine) == net(engine_of())


def test_a_live_quote_that_says_no_price_any_more_hands_over_to_the_feed():
    engine = engine_of()
    engine.on_option([quote(CALL, 0.0, bid=0.0, ask=0.1, iv=0.25)])
    found = engine.compute(ASOF).scopes["zero"]
    assert found.contracts_quoted == 0
    assert found.oi.net_gex_usd_per_1pct == pytest.approx(net(engine_of(replace(CALL, iv=0.25), PUT, rule="otm")))


def test_a_newer_poll_takes_a_live_price_back_and_an_older_one_does_not():
    engine = engine_of()
    engine.on_spot(4310.0, epoch_ms(ASOF))
    engine.on_option([quote(CALL, 5.0, bid=6.9, ask=7.1)])
    engine.on_chain(make_chain([CALL, PUT], asof=ASOF + 2 * SECOND))
    live = w_of(7.0, forward=4310.0)
    assert net(engine, ASOF + 5 * SECOND) == pytest.approx(gex(live, spot=4310.0), rel=1e-9), "at its own spot"
    engine.on_chain(make_chain([CALL, PUT], asof=ASOF + 20 * SECOND))
    aged = w_of(4.0) * math.sqrt(left_s(ASOF + 20 * SECOND) / left_s(ASOF))
    assert net(engine, ASOF + 20 * SECOND) == pytest.approx(gex(aged), rel=1e-9)


def test_a_series_whose_quotes_rest_keeps_what_they_said_at_their_own_spot():
    engine = engine_of()
    engine.on_chain(make_chain([CALL, PUT], spot=4310.0, asof=ASOF + 10 * SECOND))
    aged = w_of(4.0) * math.sqrt(left_s(ASOF + 10 * SECOND) / left_s(ASOF))
    assert net(engine, ASOF + 10 * SECOND) == pytest.approx(gex(aged, spot=4310.0), rel=1e-9)


def test_only_series_with_news_are_solved_again(monkeypatch: pytest.MonkeyPatch):
    asked: list[int] = []
    solve = live_book.strike_quotes

    def counted(*arguments: Any) -> Any:
        asked.append(arguments[-1].size)
        return solve(*arguments)

    monkeypatch.setattr(live_book, "strike_quotes", counted)
    engine = engine_of(CALL, PUT, LATER)
    engine.on_chain(make_chain([CALL, PUT, LATER]))
    engine.on_chain(make_chain([CALL, PUT, replace(LATER, ask=10.3)]))
    engine.on_chain(make_chain([replace(CALL, bid=3.8), PUT, LATER]))
    engine.on_chain(make_chain([CALL, LATER]))
    assert asked == [2, 0, 1, 2, 2]


def test_a_chain_without_a_spot_says_nothing_until_it_has_one():
    engine = engine_of(CALL, PUT, spot=math.nan)
    engine.on_spot(SPOT, epoch_ms(ASOF))
    assert engine.compute(ASOF).scopes["zero"].contracts_quoted == 0
    engine.on_chain(make_chain([CALL, PUT], asof=ASOF + SECOND))
    assert engine.compute(ASOF + SECOND).scopes["zero"].contracts_quoted == 2
    assert np.isfinite(net(engine, ASOF + SECOND))


EVENING = ASOF.timestamp() + left_s(ASOF) + 900.0
"""A quarter of an hour after the close."""


def test_a_feeds_volatility_counts_on_the_clock_that_its_greeks_tell():
    chain = replace(make_chain([replace(CALL, bid=0.0), PUT]), vendor_end_s={("SPXW", CALL.expiry): EVENING})
    engine = GexEngine(parse_ticker("SPX"), scope="zero", volatility="quotes", forward="none")
    engine.on_chain(chain)
    assert net(engine) == pytest.approx(gex(0.20 * math.sqrt((left_s(ASOF) + 900.0) / (365 * 86_400))), rel=1e-12)
    later = ASOF + 3600 * SECOND
    engine.on_option([quote(CALL, 3600.0, bid=0.0, ask=1.0, iv=0.25)])
    assert net(engine, later) == pytest.approx(
        gex(0.25 * math.sqrt((left_s(later) + 900.0) / (365 * 86_400))), rel=1e-12
    )


def test_by_line_a_feeds_volatility_counts_as_it_is():
    engine = GexEngine(parse_ticker("SPX"), scope="zero", volatility="line", forward="none")
    engine.on_chain(replace(make_chain([CALL, PUT]), vendor_end_s={("SPXW", CALL.expiry): EVENING}))
    assert net(engine) == net(engine_of(rule="line"))


def solved_to(end_s: float, strike: float, side: str, middle: float) -> Line:
    """A line whose quote says `middle`, and whose volatility the feed solved to another end than ours."""
    w = w_of(middle, strike=strike) if side == "C" else w_of(middle + SPOT - strike, strike=strike)
    iv = w / math.sqrt((end_s - ASOF.timestamp()) / (365 * 86_400))
    return Line(strike, side, iv, 0.0, bid=middle - 0.05, ask=middle + 0.05)


@pytest.mark.parametrize(("spread", "counts"), [(0.0, True), (0.2, False)])
def test_prices_tell_the_clock_of_the_strikes_that_have_none(spread: float, counts: bool):
    told = [solved_to(EVENING, 4295.0, "P", 8.0), solved_to(EVENING, 4300.0, "C", 10.0),
            solved_to(EVENING, 4305.0, "C", 8.0)]  # fmt: skip
    told[0] = replace(told[0], iv=told[0].iv * (1.0 + spread))
    engine = engine_of(*told, replace(CALL, bid=0.0))
    seconds = left_s(ASOF) + (900.0 if counts else 0.0)
    assert net(engine) == pytest.approx(gex(0.20 * math.sqrt(seconds / (365 * 86_400))), rel=1e-6)
    assert net(engine_of(*told, CALL, rule="otm")) == net(engine_of(CALL, rule="otm")), "which knows nothing of prices"


def test_the_worked_example_of_the_method_is_true():
    w = w_of(4.0)
    assert w == pytest.approx(0.00656786, abs=5e-9)
    assert w / math.sqrt(left_s(ASOF) / (365 * 86_400)) == pytest.approx(0.382460, abs=5e-7)
    assert net(engine_of()) == pytest.approx(203_968_908, abs=0.5)


def test_a_series_that_left_its_neighbours_is_priced_by_them_and_counted():
    days = [date(2023, 6, 12), date(2023, 6, 13), date(2023, 6, 14)]
    lines = [
        Line(SPOT, side, 0.2, 1.0, expiry=day, bid=20.0 + shift * (side == "C"), ask=20.2 + shift * (side == "C"))
        for day, shift in zip(days, (1.0, 60.0, 2.0), strict=True)
        for side in "CP"
    ]
    engine = engine_of(*lines, forward="parity")
    found = engine.compute(ASOF)
    assert (found.scopes["all"].series_by_neighbours, found.scopes["one"].series_by_neighbours) == (1, 1)
    assert found.scopes["zero"].series_by_neighbours == found.scopes["all"].pairs_too_wide == 0
    assert engine.series()[1]["forward"] == pytest.approx(SPOT + 1.5, abs=0.01)


FRIDAY, TUESDAY = date(2023, 6, 9), date(2023, 6, 13)


def pair(day: date, forward: float) -> list[Line]:
    """Call and put of 430 that say a forward, at quotes of a tenth."""
    prices = {"C": 5.0, "P": 5.0 + 430.0 - forward}
    return [
        Line(430.0, side, 0.2, 1.0, expiry=day, root="SPY", bid=mid - 0.05, ask=mid + 0.05)
        for side, mid in prices.items()
    ]


def eve(
    ticker: str, dividend: float, day: date = MONDAY, *, at: datetime = ASOF, today: float | None = None, **told: date
) -> float | None:
    """What a chain says whose next expiry's forward lies that much below a spot of 430, today's at `today`."""
    engine = GexEngine(parse_ticker(ticker), scope="all")
    lines = [*([] if today is None else pair(FRIDAY, today)), *pair(day, 430.0 - dividend)]
    engine.on_chain(make_chain(lines, spot=430.0, ticker=ticker, asof=at), **told)
    return engine.compute(at).dividend_ahead


def test_a_forward_below_spot_in_the_next_session_tells_of_a_dividend_where_calls_are_exercised_early():
    assert eve("SPY", 1.29) == pytest.approx(0.003, abs=1e-6)
    assert eve("SPY", 0.3) is eve("SPY", -1.29) is None, "less than 0.1 %, or above"
    assert eve("SPY", 1.29, TUESDAY) is None, "not the next session"
    assert eve("SPX", 1.29) is None, "European"


def test_a_spot_from_after_the_close_is_no_dividend_but_a_step_from_todays_forward_is():
    closed = datetime.fromisoformat("2023-06-09T16:00-04:00")
    assert eve("SPY", 1.29, at=closed) is None, "all forwards may be as far below spot"
    assert eve("SPY", 1.29, at=closed, today=428.71) is None, "today's is"
    assert eve("SPY", 1.29, today=428.71) is None
    assert eve("SPY", 1.29, at=closed, today=430.0) == pytest.approx(0.003, abs=1e-6)
    assert eve("SPY", 0.0, at=closed, today=431.29) == pytest.approx(0.003, abs=1e-6), "whatever spot is"


def test_a_declared_date_decides_where_the_forward_could_only_guess():
    assert eve("SPY", 1.29, ex_dividend=TUESDAY) is None
    assert eve("SPY", 1.29, ex_dividend=MONDAY) == pytest.approx(0.003, abs=1e-6)
    engine = GexEngine(parse_ticker("SPY"), scope="all")
    engine.on_chain(make_chain(pair(TUESDAY, 430.0), spot=430.0, ticker="SPY"), ex_dividend=MONDAY)
    found = engine.compute(ASOF)
    assert (found.ex_dividend_date, found.dividend_ahead) == ("2023-06-12", None)
