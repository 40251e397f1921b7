"""The clock of a feed's volatilities: told by its greeks or by prices, and what it makes of them."""

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from streaming.gex.pricing.feed_clock import QuotedEnds, measured_ends, on_our_clock, quoted_ends
from streaming.gex.pricing.lines import Lines, sort_lines
from streaming.gex.pricing.volatility import StrikeQuotes
from tests.support.option_lines import ASOF, TODAY, Line, make_chain

MONDAY = date(2023, 6, 12)
NOW_S = ASOF.timestamp()
CLOSE_S = NOW_S + 9300.0
LINES = (
    Line(4295, "P", 0.10), Line(4300, "C", 0.10), Line(4305, "C", 0.10), Line(4500, "C", 0.10),
    Line(4300, "C", 0.12, expiry=MONDAY, root="SPX"),
)  # fmt: skip


def ends(ratios: list[float], *lines: Line) -> list[float]:
    """Of strikes whose prices say these multiples of the feed's volatilities; NaN for no price."""
    rows: Lines = sort_lines(make_chain(lines or LINES))
    sigma = np.array([line.iv for line in lines or LINES]) * np.array(ratios)
    calls = np.array([line.side == "C" for line in lines or LINES])
    series = rows.series_start.size
    found = quoted_ends(rows, StrikeQuotes(sigma, calls), np.full(series, 4300.0), np.full(series, NOW_S))
    return found.tolist()


def test_greeks_speak_for_their_own_root_and_date():
    rows = sort_lines(make_chain(LINES))
    found = measured_ends(rows, {("SPXW", TODAY): 5.0, ("SPX", TODAY): 6.0, ("SPXW", MONDAY): 7.0})
    assert found[0] == 5.0 and np.isnan(found[1])
    assert np.isnan(measured_ends(rows, {})).all()


def test_the_median_of_the_strikes_near_the_money_tells_when_the_feeds_time_ends():
    today, monday = ends([1.02, 1.03, 1.04, 9.0, 1.1])
    assert today == pytest.approx(NOW_S + 9300.0 * 1.03**2, abs=0.01)
    assert math.isnan(monday), "one strike is no evidence"


@pytest.mark.parametrize(
    "ratios",
    [[1.0, 1.1, 1.2, 1.0, 1.0], [1.0, 1.01, math.nan, 1.0, 1.0], [math.nan] * 5],
    ids=["they disagree", "two", "none"],
)
def test_what_prices_do_not_tell_stays_unknown(ratios: list[float]):
    assert np.isnan(ends(ratios)).all()


def test_a_strike_without_a_volatility_of_the_feed_tells_nothing():
    blind = [replace(line, iv=0.02) if line.strike == 4305 else line for line in LINES]
    assert np.isnan(ends([1.0] * 5, *blind)).all()


def test_more_time_of_the_feeds_is_more_volatility_on_our_clock():
    found = on_our_clock(np.array([CLOSE_S + 900.0, CLOSE_S, np.nan]), np.full(3, CLOSE_S), NOW_S)
    assert found.tolist() == pytest.approx([math.sqrt(10_200 / 9300), 1.0, 1.0])
    assert on_our_clock(np.array([CLOSE_S + 900.0]), np.array([CLOSE_S]), CLOSE_S - 1.0) == pytest.approx(
        math.sqrt(901 / 60)
    )


@pytest.mark.parametrize("what", ["nothing", "iv", "sigma", "side", "forward", "at"])
def test_series_that_say_something_else_are_asked_again_and_no_others(what: str):
    both = [replace(line, expiry=day) for day in (TODAY, MONDAY) for line in LINES[:4]]
    rows = sort_lines(make_chain(both))
    sigma = rows.iv[np.maximum(rows.pair_call, rows.pair_put)] * 1.03
    said = StrikeQuotes(sigma, rows.pair_call >= 0)
    forward, at_s = np.full(2, 4300.0), np.full(2, NOW_S)
    kept = QuotedEnds()
    first = kept.of(rows, said, forward, at_s)
    iv = rows.iv.copy()
    if what == "iv":
        iv[0] *= 1.1
    elif what == "sigma":
        sigma[0] = math.nan
    elif what == "side":
        said.call_counts[0] ^= True
    elif what == "forward":
        forward = np.array([4400.0, 4300.0])
    elif what == "at":
        at_s = np.array([NOW_S + 60.0, NOW_S])
    now = replace(rows, iv=iv)
    found = kept.of(now, said, forward, at_s)
    assert np.array_equal(found, quoted_ends(now, said, forward, at_s), equal_nan=True)
    assert found[1] == first[1]
