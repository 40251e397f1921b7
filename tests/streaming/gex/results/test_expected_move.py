"""The straddle of the nearest quoted expiry."""

import math
from datetime import timedelta

import msgspec
import pytest

from streaming.clock import epoch_ms
from streaming.gex.engine import GexEngine
from streaming.gex.points.point_views import seen_in
from streaming.model import PointView
from streaming.symbols import parse_ticker
from tests.support.option_lines import ASOF, TODAY, Line, make_chain

LATER = TODAY + timedelta(days=3)


def pair(strike, call, put, *, expiry=TODAY, spread=0.2):
    both = (("C", call), ("P", put))
    return [
        Line(strike, side, 0.12, 10, 5, expiry=expiry, bid=mid - spread / 2, ask=mid + spread / 2) for side, mid in both
    ]


def computed(lines, ticker="SPX"):
    engine = GexEngine(parse_ticker(ticker), scope="all")
    engine.on_chain(make_chain(lines))
    engine.on_spot(4300.0, epoch_ms(ASOF))
    if ticker == "ES_SPX":
        engine.on_relative("future", 4310.0, epoch_ms(ASOF))
    return engine.compute(ASOF)


def test_it_is_call_and_put_at_the_strike_nearest_to_the_forward():
    found = computed([*pair(4290, 14.0, 3.0), *pair(4300, 8.0, 7.0), *pair(4310, 3.5, 12.5)]).expected_move
    assert (found.expiry, found.root, found.strike) == (TODAY.isoformat(), "SPXW", 4300.0)
    assert found.straddle_points == pytest.approx(15.0)
    assert found.straddle_pct == pytest.approx(100 * 15.0 / 4300.0)


def test_one_standard_deviation_is_spot_times_the_strikes_total_volatility():
    found = computed(pair(4300, 8.0, 8.0)).expected_move
    by_black = 8.0 / 4300.0 * math.sqrt(2.0 * math.pi)  # a straddle half at the money is S·w/√(2π)
    assert found.sigma_points == pytest.approx(4300.0 * by_black, rel=1e-4)


def test_quotes_that_are_absurdly_wide_say_nothing():
    assert computed(pair(4300, 8.0, 8.0, spread=7.0)).expected_move is None


def test_a_forward_above_spot_chooses_the_strike_there():
    lines = [line for strike in (4290, 4300, 4310) for line in pair(strike, 10.0 + 4310 - strike, 10.0)]
    assert computed(lines).expected_move.strike == 4310.0


def test_a_nearest_expiry_without_quotes_on_both_sides_is_passed_over():
    silent = [Line(4300, "C", 0.12, 10, 5, bid=1.0, ask=2.0), Line(4300, "P", 0.12, 10, 5, bid=0.0, ask=2.0)]
    found = computed([*silent, *pair(4300, 20.0, 20.0, expiry=LATER)]).expected_move
    assert found.expiry == LATER.isoformat()
    assert computed(silent).expected_move is None


def test_its_strike_follows_the_points_and_its_width_only_a_ratio():
    lines = pair(4300, 8.0, 7.0)
    future = computed(lines, "ES_SPX").expected_move
    assert (future.strike, future.straddle_points) == (4310.0, pytest.approx(15.0))
    views = {"etf": PointView(symbol="SPY", ratio=0.1, ratio_ms=1)}
    seen = msgspec.structs.replace(computed(lines), views=views)
    etf = seen_in(seen, "etf", parse_ticker("SPX")).expected_move
    assert (etf.strike, etf.straddle_points, etf.straddle_pct) == pytest.approx((430.0, 1.5, 100 * 15.0 / 4300.0))
