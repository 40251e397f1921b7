"""Which lines are priced, and when the last selection is good enough."""

from datetime import date

import numpy as np
import pytest

from streaming.gex.pricing.formulas import years_to_expiry
from streaming.gex.pricing.lines import sort_lines
from streaming.gex.pricing.priced import PricedStrikes, build_kernel, select_priced
from streaming.gex.pricing.scopes import slice_scopes
from streaming.gex.pricing.volatility import by_line
from tests.support.option_lines import ASOF, TODAY, Line, make_chain

LATER = date(2023, 6, 16)
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


def priced_with(iv: np.ndarray, volume: np.ndarray, last: PricedStrikes | None = None) -> PricedStrikes:
    weight = np.stack((LINES.open_interest, volume))
    return select_priced(LINES, by_line(LINES, iv, "mirror"), weight, NO_RATIO, slice_scopes(LINES, ASOF), last=last)


def test_settled_weightless_and_unpriceable_lines_are_left_out():
    priced = priced_with(LINES.iv, LINES.volume)
    assert priced.strike.tolist() == [4300.0, 4310.0]
    assert priced.held.tolist() == [[[0.0, 0.0], [5.0, 0.0]], [[0.0, 0.0], [0.0, 7.0]]]
    assert priced.scopes["zero"] == priced.scopes["all"] == slice(0, 2)
    assert priced.scopes["one"] == slice(2, 2)


def test_the_last_selection_is_reused_only_when_the_same_lines_count():
    last = priced_with(LINES.iv, LINES.volume)
    moved = priced_with(LINES.iv * 2.0, LINES.volume * 3.0, last)
    assert moved.iv.tolist() == [0.22, 0.22]
    assert moved.net[1].tolist() == [0.0, 21.0]
    assert moved.log_strike is last.log_strike
    grown = priced_with(LINES.iv, LINES.volume + 1.0, last)
    assert grown.strike.tolist() == [4300.0, 4310.0, 4320.0]


def test_the_kernel_is_gamma_by_its_definition():
    priced = priced_with(LINES.iv, LINES.volume)
    kernel = build_kernel(priced, 4300.0, ASOF.timestamp())
    deviation = 0.11 * np.sqrt(9300 / (365 * 86_400))
    at_the_money = 5.0 * 100 * 4300.0 * 0.01 * np.exp(-0.125 * deviation**2) / (np.sqrt(2 * np.pi) * deviation)
    assert 4300.0 * kernel.coefficient[0, 0] * np.exp(-0.5 * kernel.offset[0] ** 2) == pytest.approx(at_the_money)


def test_time_left_and_deviation_are_those_of_each_entry():
    listed = [Line(strike, "C", 0.11, 5, 1, expiry=day) for day in (TODAY, LATER) for strike in (4300, 4310, 4320)]
    lines = sort_lines(make_chain(listed[:-1]))
    weight, cut = np.stack((lines.open_interest, lines.volume)), slice_scopes(lines, ASOF)
    priced = select_priced(lines, by_line(lines, lines.iv, "mirror"), weight, np.full(2, np.nan), cut)
    assert priced.sizes.tolist() == [3, 2]
    years = years_to_expiry(priced.settle_s, ASOF.timestamp())
    assert priced.years_at(ASOF.timestamp()).tolist() == years.tolist()
    assert priced.deviation_at(ASOF.timestamp()) == pytest.approx(priced.iv * np.sqrt(years), rel=1e-15)


def test_call_and_put_of_one_volatility_are_one_entry_and_of_two_are_two():
    both = [
        Line(4300, "C", 0.11, 5, 1),
        Line(4300, "P", 0.11, 2, 3),
        Line(4310, "C", 0.12, 4),
        Line(4310, "P", 0.13, 6),
    ]
    lines = sort_lines(make_chain(both))
    weight = np.stack((lines.open_interest, lines.volume))
    cut = slice_scopes(lines, ASOF)
    priced = select_priced(lines, by_line(lines, lines.iv, "mirror"), weight, np.full(1, np.nan), cut)
    assert priced.strike.tolist() == [4300.0, 4310.0, 4310.0]
    assert priced.entry.tolist() == [0, 0, 1, 2]
    assert priced.held[0].tolist() == [[2.0, 0.0, 6.0], [5.0, 4.0, 0.0]]
    assert priced.net.tolist() == [[3.0, 4.0, -6.0], [-2.0, 0.0, 0.0]]
    assert priced.places_of(np.array([1, 3, 3]))[0].tolist() == [0, 2, 2]


def test_sides_that_part_in_volatility_are_priced_anew():
    lines = sort_lines(make_chain([Line(4300, "C", 0.11, 5), Line(4300, "P", 0.11, 2)]))
    weight, cut = np.stack((lines.open_interest, lines.volume)), slice_scopes(lines, ASOF)
    apart = np.array([0.11, 0.12])
    last = select_priced(lines, by_line(lines, lines.iv, "mirror"), weight, np.full(1, np.nan), cut)
    now = select_priced(lines, by_line(lines, apart, "mirror"), weight, np.full(1, np.nan), cut, last=last)
    assert (last.iv.tolist(), now.iv.tolist()) == ([0.11], [0.11, 0.12])


def test_with_the_same_weights_only_the_lines_that_lose_or_get_a_volatility_are_selected_anew():
    weight, cut = np.stack((LINES.open_interest, LINES.volume)), slice_scopes(LINES, ASOF)

    def priced(iv: np.ndarray, last: PricedStrikes | None = None) -> PricedStrikes:
        return select_priced(LINES, by_line(LINES, iv, "drop"), weight, NO_RATIO, cut, last=last)

    last = priced(LINES.iv)
    moved = priced(LINES.iv * 2.0, last)
    assert (moved.held is last.held, moved.iv.tolist()) == (True, [0.22, 0.22])
    assert priced(np.where(LINES.strike == 4310.0, 0.0, LINES.iv), last).strike.tolist() == [4300.0]
    assert priced(np.full(LINES.iv.size, 0.3), last).strike.tolist() == [4300.0, 4310.0, 4330.0]
