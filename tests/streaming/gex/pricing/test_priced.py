"""Which lines are priced, and when the last selection is good enough."""

from datetime import date

import numpy as np
import pytest

from streaming.gex.pricing.lines import sort_lines
from streaming.gex.pricing.priced import PricedLines, build_kernel, select_priced
from streaming.gex.pricing.scopes import slice_scopes
from streaming.gex.pricing.volatility import by_line
from tests.support.option_lines import ASOF, Line, make_chain

LINES = sort_lines(
    make_chain(
        [
            Line(4300, "C", 0.11, 5, 0, expiry=date(2023, 6, 8)),
            Line(4300, "C", 0.11, 5, 0),
            Line(4310, "C", 0.11, 0, 7),
            Line(4320, "C", 0.11, 0, 0),
            Line(4330, "C", 0.0, 5, 5),
        ]
    )
)
NO_RATIO = np.full(LINES.series_start.size, np.nan)


def priced_with(iv: np.ndarray, volume: np.ndarray, last: PricedLines | None = None) -> PricedLines:
    weight = np.stack((LINES.open_interest, volume))
    return select_priced(LINES, by_line(LINES, iv, "mirror"), weight, NO_RATIO, slice_scopes(LINES, ASOF), last=last)


def test_settled_weightless_and_unpriceable_lines_are_left_out():
    priced = priced_with(LINES.iv, LINES.volume)
    assert priced.strike.tolist() == [4300.0, 4310.0]
    assert priced.weight.tolist() == [[5.0, 0.0], [0.0, 7.0]]
    assert priced.scopes["zero"] == priced.scopes["all"] == slice(0, 2)
    assert priced.scopes["one"] == slice(2, 2)


def test_the_last_selection_is_reused_only_when_the_same_lines_count():
    last = priced_with(LINES.iv, LINES.volume)
    moved = priced_with(LINES.iv * 2.0, LINES.volume * 3.0, last)
    assert moved.iv.tolist() == [0.22, 0.22]
    assert moved.weight[1].tolist() == [0.0, 21.0]
    assert moved.log_strike is last.log_strike
    grown = priced_with(LINES.iv, LINES.volume + 1.0, last)
    assert grown.strike.tolist() == [4300.0, 4310.0, 4320.0]


def test_the_kernel_is_gamma_by_its_definition():
    priced = priced_with(LINES.iv, LINES.volume)
    kernel = build_kernel(priced, 4300.0, ASOF.timestamp())
    deviation = 0.11 * np.sqrt(9300 / (365 * 86_400))
    at_the_money = 5.0 * 100 * 4300.0 * 0.01 * np.exp(-0.125 * deviation**2) / (np.sqrt(2 * np.pi) * deviation)
    assert 4300.0 * kernel.coefficient[0, 0] * np.exp(-0.5 * kernel.offset[0] ** 2) == pytest.approx(at_the_money)
