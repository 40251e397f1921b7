"""Exposures per strike and their ladders: examples A and F."""

import math
from datetime import date

import numpy as np
import pytest

from streaming.gex.pricing.formulas import YEAR_S
from streaming.gex.pricing.lines import sort_lines
from streaming.gex.pricing.priced import build_kernel
from streaming.gex.pricing.scopes import slice_scopes
from streaming.gex.pricing.selection import select
from streaming.gex.pricing.volatility import by_line
from streaming.gex.results.exposure import (
    CALL_DELTA,
    CHARM,
    GAMMA,
    OTHERS,
    PUT_DELTA,
    TO_CLOSE,
    VANNA,
    exposures_at_spot,
    hedges_usd_per_1pct,
    side_ladders,
    total_exposures,
)
from tests.support.black_scholes import charm, delta, gamma, vanna
from tests.support.option_lines import ASOF, Line, block_a_chain, make_chain

CLOSE_S = ASOF.timestamp() + 9300.0
"""16:00 in New York, 2 hours and 35 minutes after the quotes."""


@pytest.fixture
def priced():
    chain = block_a_chain()
    lines = sort_lines(chain)
    weight = np.stack((lines.open_interest, lines.volume))
    none = np.full(lines.series_start.size, np.nan)
    selection = select(lines, by_line(lines, lines.iv, "mirror"), weight, none, slice_scopes(lines, chain.asof))
    return selection.priced, build_kernel(selection.priced, chain.spot, chain.asof.timestamp())


def test_net_values_per_strike_are_those_of_example_a(priced):
    strikes, kernel = priced
    ladders = side_ladders(strikes, exposures_at_spot(strikes, kernel, CLOSE_S)[GAMMA], 3)
    oi, vol = ladders[0].sum(axis=1)
    assert oi == pytest.approx([-283053178.353941, 44074490.35701913, 276396856.42633384], rel=1e-10)
    assert vol == pytest.approx([-498173593.9029362, 88148980.71403825, 362386989.5367488], rel=1e-10)


def test_totals_by_open_interest_are_those_of_example_f(priced):
    net, gross, *others = total_exposures(priced[0], exposures_at_spot(*priced, CLOSE_S))[:, 0, 0].tolist()
    totals = dict(zip(OTHERS, others, strict=True))
    assert net == pytest.approx(37418168.429411955, rel=1e-9)
    assert gross > abs(net)
    assert totals["vex_usd_per_vol_point"] == pytest.approx(68233958.95902899, rel=1e-9)
    assert totals["chex_usd_per_day"] == pytest.approx(-76531421.80592692, rel=1e-9)
    assert totals["dex_usd"] == pytest.approx(141938243.72244272, rel=1e-9)
    assert totals["dex_dealer_usd"] == pytest.approx(3051736514.754358, rel=1e-9)


def test_with_a_forward_the_greeks_are_those_of_the_ratio():
    chain = block_a_chain()
    lines = sort_lines(chain)
    weight = np.stack((lines.open_interest, lines.volume))
    clean = by_line(lines, lines.iv, "mirror")
    priced = select(lines, clean, weight, np.array([1.01]), slice_scopes(lines, chain.asof)).priced
    each = exposures_at_spot(priced, build_kernel(priced, chain.spot, chain.asof.timestamp()), CLOSE_S)
    own = (chain.spot, priced.strike, priced.iv, 0.02)
    dollars = 100 * chain.spot
    assert each[CALL_DELTA] == pytest.approx(dollars * delta(*own, is_call=True, ratio=1.01), rel=1e-9)
    assert each[PUT_DELTA] == pytest.approx(-dollars * delta(*own, is_call=False, ratio=1.01), rel=1e-9)
    assert each[GAMMA] == pytest.approx(dollars * chain.spot * 0.01 * gamma(*own, ratio=1.01), rel=1e-9)
    assert each[VANNA] == pytest.approx(dollars * 0.01 * vanna(*own, ratio=1.01), rel=1e-9)
    assert each[CHARM] == pytest.approx(dollars / 365 * charm(*own, is_call=True, ratio=1.01), rel=1e-9)


def test_until_the_close_dealers_gain_delta_then_less_delta_now(priced):
    strikes, kernel = priced
    years = 0.02 - 9300.0 / YEAR_S
    now, then = (delta(5000.0, strikes.strike, strikes.iv, left, is_call=True) for left in (0.02, years))
    expected = 100 * 5000.0 * (then - now)
    each = exposures_at_spot(strikes, kernel, CLOSE_S)
    assert each[TO_CLOSE] == pytest.approx(expected, rel=1e-9)
    assert np.sign(expected).tolist() == np.sign(each[CHARM]).tolist()
    assert np.abs(expected / each[CHARM]) * 86_400 / 9300 == pytest.approx(1.0, abs=0.01)


def test_far_from_the_money_what_is_gained_until_the_close_keeps_its_digits():
    years, later = 0.02, 0.02 - 86_400.0 / YEAR_S
    chain = make_chain([Line(strike, "C", 0.1, 10) for strike in (4600, 4800, 5200, 5450)], spot=5000.0)
    lines = sort_lines(chain)
    weight, none = np.stack((lines.open_interest, lines.volume)), np.full(1, np.nan)
    priced = select(lines, by_line(lines, lines.iv, "mirror"), weight, none, slice_scopes(lines, chain.asof)).priced
    now_s = float(priced.settle_s[0]) - years * YEAR_S
    found = exposures_at_spot(priced, build_kernel(priced, 5000.0, now_s), now_s + 86_400.0)[TO_CLOSE]

    def tail(strike: float, left: float) -> float:
        total = 0.1 * math.sqrt(left)
        return math.erfc(abs(math.log(5000.0 / strike) / total + 0.5 * total) / math.sqrt(2.0)) / 2.0

    expected = [
        500_000.0 * (tail(strike, later) - tail(strike, years)) * (1.0 if strike > 5000.0 else -1.0)
        for strike in priced.strike.tolist()
    ]
    assert found == pytest.approx(np.array(expected), rel=1e-9)


def test_until_the_close_example_a_gains_what_the_method_says(priced):
    totals = total_exposures(priced[0], exposures_at_spot(*priced, CLOSE_S))[:, 0, 0]
    assert totals[2 + OTHERS.index("chex_usd_to_close")] == pytest.approx(-8_306_829, abs=0.5)


def test_a_strike_that_ends_at_the_close_gains_no_more_than_its_delta(priced):
    strikes, _ = priced
    close_s = float(strikes.settle_s[0])
    for left_s in (9300.0, 600.0, 61.0, 30.0):
        gains = exposures_at_spot(strikes, build_kernel(strikes, 5000.0, close_s - left_s), close_s)[TO_CLOSE]
        assert np.abs(gains).max() <= 0.5 * 100 * 5000.0
    assert np.abs(gains).max() == pytest.approx(0.0, abs=1e-6)


def test_the_hedge_is_half_the_swing_of_delta_and_stays_finite(priced):
    strikes, kernel = priced
    entries = strikes.scopes["all"]

    def delta_at(level: float, row: int) -> float:
        d1 = kernel.slope[row] * math.log(level / kernel.anchor) + kernel.offset[row]
        return 0.5 * math.erfc(-d1 / math.sqrt(2.0))

    expected = sum(
        oi * 100 * 5000.0 * (delta_at(5050.0, row) - delta_at(4950.0, row)) / 2
        for row, oi in enumerate(strikes.net[0].tolist())
    )
    assert hedges_usd_per_1pct(strikes, kernel, entries)[0] == pytest.approx(expected, rel=1e-9)
    last_minute = build_kernel(strikes, 5000.0, float(strikes.settle_s[0]) - 1.0)
    assert abs(hedges_usd_per_1pct(strikes, last_minute, entries)[0]) <= 0.5 * 100 * 5000.0 * strikes.held[0].sum()


def test_spans_that_overlap_add_up_from_their_pieces():
    days = [date(2023, 6, day) for day in (9, 12, 13)]
    chain = make_chain(
        [
            Line(4300 + 10 * n, side, 0.2, 5 + n + place, 3 - place, expiry=day)
            for n, day in enumerate(days)
            for place, side in enumerate("CP")
        ]
    )
    lines = sort_lines(chain)
    weight = np.stack((lines.open_interest, lines.volume))
    cut = slice_scopes(lines, chain.asof)
    priced = select(lines, by_line(lines, lines.iv, "mirror"), weight, np.full(3, np.nan), cut).priced
    each = exposures_at_spot(priced, build_kernel(priced, chain.spot, chain.asof.timestamp()), CLOSE_S)
    totals, ladders = total_exposures(priced, each), side_ladders(priced, each[GAMMA], lines.strikes.size)
    for number, (low, high) in enumerate(priced.pieces.spans):
        own = (priced.net * each[GAMMA])[:, low:high].sum(axis=1)
        assert totals[0, :, number] == pytest.approx(own)
        assert ladders[number].sum(axis=(1, 2)) == pytest.approx(own)
