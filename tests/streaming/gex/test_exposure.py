"""Exposures per line and their ladders: examples A and F."""

import math

import numpy as np
import pytest

from streaming.gex.exposure import FIGURES, line_exposures, side_ladder
from streaming.gex.lines import sort_lines
from streaming.gex.priced import build_kernel
from streaming.gex.selection import select
from streaming.gex.volatility import clean_iv
from tests.support.option_lines import block_a_chain


@pytest.fixture
def priced():
    chain = block_a_chain()
    lines = sort_lines(chain)
    weight = np.stack((lines.open_interest, lines.volume))
    none = np.full(lines.series_start.size, np.nan)
    selection = select(lines, clean_iv(lines, lines.iv, "mirror"), weight, none, chain.asof)
    return selection.priced, build_kernel(selection.priced, chain.spot, chain.asof.timestamp())


def test_net_values_per_strike_are_those_of_example_a(priced):
    lines, kernel = priced
    exposures = line_exposures(lines, kernel)
    oi, vol = (side_ladder(lines, row, lines.scopes["all"], 3).sum(axis=0) for row in exposures.gex)
    assert oi == pytest.approx([-283053178.353941, 44074490.35701913, 276396856.42633384], rel=1e-10)
    assert vol == pytest.approx([-498173593.9029362, 88148980.71403825, 362386989.5367488], rel=1e-10)


def test_totals_by_open_interest_are_those_of_example_f(priced):
    totals = dict(zip(FIGURES, line_exposures(*priced).usd[0].sum(axis=1).tolist(), strict=True))
    assert totals["gex_usd_per_1pct"] == pytest.approx(37418168.429411955, rel=1e-9)
    assert totals["vex_usd_per_vol_point"] == pytest.approx(68233958.95902899, rel=1e-9)
    assert totals["chex_usd_per_day"] == pytest.approx(-76531421.80592692, rel=1e-9)
    assert totals["dex_usd"] == pytest.approx(141938243.72244272, rel=1e-9)
    assert totals["dex_dealer_usd"] == pytest.approx(3051736514.754358, rel=1e-9)


def test_the_hedge_is_half_the_swing_of_delta_and_stays_finite(priced):
    lines, kernel = priced
    hedge = line_exposures(lines, kernel).usd[0, FIGURES.index("hedge_usd_per_1pct")]

    def delta(level: float, row: int) -> float:
        d1 = kernel.slope[row] * math.log(level / kernel.anchor) + kernel.offset[row]
        return 0.5 * math.erfc(-d1 / math.sqrt(2.0))

    expected = [
        sign * oi * 100 * 5000.0 * (delta(5050.0, row) - delta(4950.0, row)) / 2
        for row, (sign, oi) in enumerate(zip(lines.sign, lines.weight[0], strict=True))
    ]
    assert hedge == pytest.approx(expected, rel=1e-9)
    last_minute = build_kernel(lines, 5000.0, float(lines.settle_s[0]) - 1.0)
    assert np.all(np.abs(line_exposures(lines, last_minute).usd[0, -1]) <= 0.5 * 100 * 5000.0 * lines.weight[0])
