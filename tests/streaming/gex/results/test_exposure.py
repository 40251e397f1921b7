"""Exposures per line and their ladders: examples A and F."""

import math

import numpy as np
import pytest

from streaming.gex.pricing.formulas import YEAR_S, charm, delta, gamma, vanna
from streaming.gex.pricing.lines import sort_lines
from streaming.gex.pricing.priced import build_kernel
from streaming.gex.pricing.scopes import slice_scopes
from streaming.gex.pricing.selection import select
from streaming.gex.pricing.volatility import by_line
from streaming.gex.results.exposure import OTHERS, hedges_usd_per_1pct, line_exposures, side_ladders, total_exposures
from tests.support.option_lines import ASOF, block_a_chain

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
    lines, kernel = priced
    exposures = line_exposures(lines, kernel, CLOSE_S)
    oi, vol = (side_ladders(lines, row, [(0, 6)], 3)[0, 6].sum(axis=0) for row in exposures.gex)
    assert oi == pytest.approx([-283053178.353941, 44074490.35701913, 276396856.42633384], rel=1e-10)
    assert vol == pytest.approx([-498173593.9029362, 88148980.71403825, 362386989.5367488], rel=1e-10)


def test_totals_by_open_interest_are_those_of_example_f(priced):
    net, gross, *others = total_exposures(priced[0], line_exposures(*priced, CLOSE_S), [(0, 6)])[0, 6][0].tolist()
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
    exposures = line_exposures(priced, build_kernel(priced, chain.spot, chain.asof.timestamp()), CLOSE_S)
    own = (chain.spot, priced.strike, priced.iv, 0.02)
    dollars = 100 * chain.spot
    assert exposures.each[4] == pytest.approx(dollars * delta(*own, priced.is_call, ratio=1.01), rel=1e-9)
    assert exposures.gex[0] == pytest.approx(
        priced.sign * priced.weight[0] * dollars * chain.spot * 0.01 * gamma(*own, ratio=1.01), rel=1e-9
    )
    vex, chex = exposures.each[2:4]
    assert vex == pytest.approx(priced.sign * dollars * 0.01 * vanna(*own, ratio=1.01), rel=1e-9)
    assert chex == pytest.approx(priced.sign * dollars / 365 * charm(*own, priced.is_call, ratio=1.01), rel=1e-9)


def test_until_the_close_dealers_gain_delta_then_less_delta_now(priced):
    lines, kernel = priced
    years = 0.02 - 9300.0 / YEAR_S
    now, then = (delta(5000.0, lines.strike, lines.iv, left, lines.is_call) for left in (0.02, years))
    expected = lines.sign * 100 * 5000.0 * (then - now)
    exposures = line_exposures(lines, kernel, CLOSE_S)
    assert exposures.each[2 + OTHERS.index("chex_usd_to_close")] == pytest.approx(expected, rel=1e-9)
    per_day = exposures.each[2 + OTHERS.index("chex_usd_per_day")]
    assert np.sign(expected).tolist() == np.sign(per_day).tolist()
    assert np.abs(expected / per_day) * 86_400 / 9300 == pytest.approx(1.0, abs=0.01)


def test_until_the_close_example_a_gains_what_the_method_says(priced):
    totals = total_exposures(priced[0], line_exposures(*priced, CLOSE_S), [(0, 6)])[0, 6][0]
    assert totals[2 + OTHERS.index("chex_usd_to_close")] == pytest.approx(-8_306_829, abs=0.5)


def test_a_line_that_ends_at_the_close_gains_no_more_than_its_delta(priced):
    lines, _ = priced
    close_s = float(lines.settle_s[0])
    for left_s in (9300.0, 600.0, 61.0, 30.0):
        gains = line_exposures(lines, build_kernel(lines, 5000.0, close_s - left_s), close_s).each[-1]
        assert np.abs(gains).max() <= 0.5 * 100 * 5000.0
    assert np.abs(gains).max() == pytest.approx(0.0, abs=1e-6)


def test_the_hedge_is_half_the_swing_of_delta_and_stays_finite(priced):
    lines, kernel = priced
    rows = slice(0, 6)

    def delta_at(level: float, row: int) -> float:
        d1 = kernel.slope[row] * math.log(level / kernel.anchor) + kernel.offset[row]
        return 0.5 * math.erfc(-d1 / math.sqrt(2.0))

    expected = sum(
        sign * oi * 100 * 5000.0 * (delta_at(5050.0, row) - delta_at(4950.0, row)) / 2
        for row, (sign, oi) in enumerate(zip(lines.sign, lines.weight[0], strict=True))
    )
    assert hedges_usd_per_1pct(lines, kernel, rows)[0] == pytest.approx(expected, rel=1e-9)
    last_minute = build_kernel(lines, 5000.0, float(lines.settle_s[0]) - 1.0)
    assert abs(hedges_usd_per_1pct(lines, last_minute, rows)[0]) <= 0.5 * 100 * 5000.0 * lines.weight[0].sum()


def test_spans_that_overlap_add_up_from_their_pieces(priced):
    lines, kernel = priced
    exposures = line_exposures(lines, kernel, CLOSE_S)
    spans = [(0, 6), (0, 2), (2, 2), (1, 5)]
    totals = total_exposures(lines, exposures, spans)
    ladders = side_ladders(lines, exposures.gex[0], spans, 3)
    for low, high in spans:
        assert totals[low, high][:, 0] == pytest.approx(exposures.gex[:, low:high].sum(axis=1))
        assert ladders[low, high].sum() == pytest.approx(exposures.gex[0, low:high].sum())
