"""Usable volatilities, mirrored and dropped ones."""

import math
from datetime import date

import numpy as np
import pytest

from streaming.gex.pricing.lines import sort_lines
from streaming.gex.pricing.volatility import StrikeQuotes, by_line, by_strike, is_usable, strike_quotes
from tests.support.option_lines import ASOF, Line, make_chain


@pytest.mark.parametrize("iv", [0.0, 0.02, 10.0, 26.001, -9.99, -999.0, float("nan"), float("inf"), -float("inf")])
def test_sentinels_are_not_usable(iv: float):
    assert not is_usable(np.array([iv]))[0]


@pytest.mark.parametrize("iv", [0.0200001, 0.16, 9.999])
def test_volatilities_inside_the_bounds_are(iv: float):
    assert is_usable(np.array([iv]))[0]


def test_a_bad_side_borrows_from_the_other_side_of_the_same_root_expiry_and_strike():
    lines = sort_lines(make_chain([Line(4300, "C", 0.0, 1), Line(4300, "P", 0.11, 1), Line(4310, "C", 0.0, 1)]))
    clean = by_line(lines, lines.iv, "mirror")
    assert clean.iv.tolist()[:2] == [0.11, 0.11]
    assert np.isnan(clean.iv[2])
    assert not clean.quoted.any()


def test_drop_borrows_nothing():
    lines = sort_lines(make_chain([Line(4300, "C", 0.0, 1), Line(4300, "P", 0.11, 1)]))
    clean = by_line(lines, lines.iv, "drop")
    assert np.isnan(clean.iv).sum() == 1


def test_another_root_on_the_same_date_and_strike_lends_nothing():
    friday = date(2023, 6, 16)
    lines = sort_lines(
        make_chain(
            [Line(4300, "C", 0.0, 1, expiry=friday, root="SPX"), Line(4300, "P", 0.11, 1, expiry=friday, root="SPXW")]
        )
    )
    assert np.isnan(by_line(lines, lines.iv, "mirror").iv).sum() == 1


def priced(strike: float, side: str, w: float, *, forward: float = 4300.0, iv: float = 0.3) -> Line:
    """A line whose quote says exactly w, by Black's formula."""
    sign = 1.0 if side == "C" else -1.0
    d1 = math.log(forward / strike) / w + w / 2.0
    upper, lower = (0.5 * math.erfc(-sign * d / math.sqrt(2.0)) for d in (d1, d1 - w))
    middle = sign * (forward * upper - strike * lower)
    return Line(strike, side, iv, 1, bid=middle - 0.05, ask=middle + 0.05)


def said(lines: list[Line], forward: float = 4300.0) -> StrikeQuotes:
    rows = sort_lines(make_chain(lines))
    series = rows.series_start.size
    at_s = np.full(series, ASOF.timestamp())
    return strike_quotes(rows, np.full(series, forward), at_s, np.arange(rows.pair_call.size))


LEFT = math.sqrt(9300 / (365 * 86_400))
"""Root of the years from ASOF to the close."""


def test_the_price_of_the_side_out_of_the_money_tells_the_volatility_of_both():
    lines = [priced(4290, "P", 0.004), priced(4290, "C", 0.009), priced(4300, "C", 0.002), priced(4300, "P", 0.005)]
    found = said(lines)
    assert found.call_counts.tolist() == [False, True]
    assert found.sigma == pytest.approx([0.004 / LEFT, 0.002 / LEFT])
    rows = sort_lines(make_chain(lines))
    clean = by_strike(rows, rows.iv, np.ones(len(rows)), found)
    assert clean.iv == pytest.approx(np.repeat([0.004, 0.002], 2) / LEFT)
    assert clean.quoted.all() and clean.bad.size == 0


def test_the_forward_decides_which_side_counts():
    assert said([priced(4300, "C", 0.004), priced(4300, "P", 0.004)], forward=4301.0).call_counts.tolist() == [False]


@pytest.mark.parametrize(
    ("bid", "ask", "says"),
    [
        (0.05, 0.15, True), (0.05, 0.21, False), (0.0, 0.1, False), (1.0, 1.6, True), (1.0, 1.7, False),
        (2.0, 1.9, False), (2.0, 2.0, True), (math.nan, 1.0, False), (1.0, math.nan, False), (1.0, math.inf, False),
        (4390.0, 4400.0, False),
    ],
)  # fmt: skip
def test_a_quote_says_a_price_or_nothing(bid: float, ask: float, says: bool):
    assert np.isfinite(said([Line(4400, "C", 0.1, 1, bid=bid, ask=ask)]).sigma).tolist() == [says]


def test_what_no_quote_says_the_feed_does_of_that_side_else_of_the_other():
    lines = [
        Line(4310, "C", 0.11), Line(4310, "P", 0.5), Line(4320, "C", 0.0), Line(4320, "P", 0.12),
        Line(4330, "P", 0.13), Line(4340, "C", 26.001), Line(4340, "P", 0.0), Line(4350, "C", math.nan),
    ]  # fmt: skip
    rows = sort_lines(make_chain(lines))
    clean = by_strike(rows, rows.iv, np.ones(len(rows)), said(lines))
    assert clean.iv.tolist()[:5] == [0.11, 0.11, 0.12, 0.12, 0.13]
    assert np.isnan(clean.iv[5:]).all()
    assert not clean.quoted.any()
    assert clean.bad.tolist() == [2, 3, 4, 5, 6, 7]


def test_a_side_that_is_not_listed_says_nothing():
    assert np.isnan(said([priced(4250, "C", 0.004)]).sigma).all()


@pytest.mark.parametrize("seed", range(6))
def test_pairs_of_which_something_was_heard_are_cleaned_as_all_would_be(seed: int):
    rng = np.random.default_rng(seed)
    listed = [(strike, side) for strike in range(4200, 4300, 5) for side in "CP" if rng.random() < 0.9]
    lines = sort_lines(make_chain([Line(strike, side, 0.1 + 0.001 * (strike % 7), 1) for strike, side in listed]))
    iv, factor = lines.iv.copy(), np.ones(len(lines))
    quotes = StrikeQuotes(np.full(lines.pair_call.size, 0.12), rng.random(lines.pair_call.size) < 0.5)
    last = by_strike(lines, iv, factor, quotes)
    for _ in range(4):
        pairs = np.flatnonzero(rng.random(lines.pair_call.size) < 0.3)
        heard = np.flatnonzero(np.isin(lines.pair, pairs))
        iv[heard] = rng.choice([0.0, 0.01, 0.2, 0.25, 26.001, np.nan], heard.size)
        factor[heard] = rng.choice([1.0, 1.1], heard.size)
        quotes.sigma[pairs] = rng.choice([np.nan, 0.2, 0.3], pairs.size)
        quotes.call_counts[pairs] ^= rng.random(pairs.size) < 0.5
        found = by_strike(lines, iv, factor, quotes, last=last, pairs=pairs)
        whole = by_strike(lines, iv, factor, quotes)
        for name in ("iv", "bad", "code", "quoted", "apart"):
            assert np.array_equal(getattr(found, name), getattr(whole, name), equal_nan=name == "iv")
        last = found


def test_columns_in_which_nothing_changed_are_those_of_before():
    lines = sort_lines(make_chain([Line(4300, "C", 0.2, 1), Line(4300, "P", 0.0, 1), Line(4310, "C", 0.0, 1)]))
    quotes = StrikeQuotes(np.array([0.2, np.nan]), np.array([True, True]))
    last = by_strike(lines, lines.iv, np.ones(3), quotes)
    quotes.sigma[0] = 0.3
    found = by_strike(lines, lines.iv, np.ones(3), quotes, last=last, pairs=np.array([0]))
    assert found.iv.tolist()[:2] == [0.3, 0.3]
    assert (found.bad is last.bad, found.quoted is last.quoted, found.apart is last.apart) == (True, True, True)
