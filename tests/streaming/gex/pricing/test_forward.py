"""Parity forwards: example I, and which quotes count."""

import dataclasses
from datetime import date

import numpy as np
import pytest

from streaming.gex.pricing.forward import implied_spot, judged, parity_forwards, parity_ratios, too_wide
from streaming.gex.pricing.lines import sort_lines
from tests.support.option_lines import Line, make_chain

PAIRS = [(4975, 149.9, 65.1), (5000, 132.0, 72.2), (5025, 115.6, 80.8), (5050, 100.1, 91.0), (4950, 168.0, 58.1)]
DAY = date(2023, 9, 8)


def quoted(strike: float, side: str, mid: float, *, root: str = "SPXW", half: float = 0.5) -> Line:
    return Line(strike, side, 0.14, 1, expiry=DAY, root=root, bid=mid - half, ask=mid + half)


def pair(strike: float, call: float, put: float, **more: object) -> list[Line]:
    return [quoted(strike, "C", call, **more), quoted(strike, "P", put, **more)]


def forwards_of(lines: list[Line], spot: float = 5000.0) -> list[float]:
    sorted_lines = sort_lines(make_chain(lines, spot=spot))
    return parity_forwards(sorted_lines, spot, sorted_lines.bid, sorted_lines.ask).tolist()


def test_example_i_the_forward_is_the_median_over_the_strikes():
    lines = [line for strike, call, put in PAIRS for line in pair(strike, call, put)]
    assert forwards_of(lines) == pytest.approx([5059.8])
    sorted_lines = sort_lines(make_chain(lines, spot=5000.0))
    assert parity_ratios(sorted_lines, 5000.0, sorted_lines.bid, sorted_lines.ask) == pytest.approx([1.01196])


def implied(lines: list[Line]) -> float:
    return implied_spot(sort_lines(make_chain(lines, spot=float("nan"))))


def test_without_a_price_the_pairs_nearest_to_the_money_say_what_the_underlying_costs():
    lines = [line for strike, call, put in PAIRS for line in pair(strike, call, put)]
    assert implied(lines) == pytest.approx(5059.8)


def test_wide_quotes_and_fewer_than_three_pairs_imply_no_price():
    lines = [line for strike, call, put in PAIRS for line in pair(strike, call, put)]
    far = [dataclasses.replace(line, bid=0.05, ask=500.0) for line in pair(9000.0, 250.0, 250.0)]
    assert implied(lines + far) == pytest.approx(5059.8)
    assert np.isnan(implied(lines[:4] + far))
    assert np.isnan(implied([]))


def test_only_the_seven_strikes_nearest_spot_count():
    near = [line for step in range(-3, 4) for line in pair(5000.0 + step, (20.0 if step > -1 else 11.0) - step, 10.0)]
    next_two = [line for step in (-5, 5) for line in pair(5000.0 + step, 15.0 - step, 10.0)]
    far = [line for step in range(50, 60) for line in pair(5000.0 + step, 900.0, 10.0)]
    assert forwards_of(far + near + next_two) == pytest.approx([5010.0])


def test_am_and_pm_roots_have_their_own_forwards():
    lines = pair(5000.0, 20.0, 10.0) + pair(5000.0, 25.0, 10.0, root="SPX")
    assert forwards_of(lines) == pytest.approx([5015.0, 5010.0])


@pytest.mark.parametrize("spoilt", [{"bid": 0.0}, {"bid": np.nan}, {"ask": np.nan}, {"bid": 9.0, "ask": 8.0}])
def test_one_sided_and_crossed_quotes_count_as_none(spoilt: dict[str, float]):
    call, put = pair(5000.0, 20.0, 10.0)
    assert np.isnan(forwards_of([dataclasses.replace(call, **spoilt), put])).all()


def test_without_a_spot_or_with_an_absurd_result_there_is_no_ratio():
    lines = sort_lines(make_chain(pair(5000.0, 20.0, 10.0)))
    assert np.isnan(parity_ratios(lines, float("nan"), lines.bid, lines.ask)).all()
    assert np.isnan(parity_ratios(lines, 100.0, lines.bid, lines.ask)).all()


def curve(*ratios: float) -> tuple[list[float], list[bool]]:
    """What becomes of the ratios of series a quarter of a year apart."""
    days = [date(2023, month, 15) for month in (3, 6, 9, 12)] + [date(2024, month, 15) for month in (3, 6, 9, 12)]
    lines = sort_lines(make_chain([Line(5000, "C", 0.1, expiry=day) for day in days[: len(ratios)]]))
    found, off = judged(lines, np.array(ratios))
    return found.tolist(), off.tolist()


def test_a_forward_that_leaves_its_neighbours_is_judged_by_them():
    found, off = curve(1.00, 1.01, 1.02, 1.06, 1.04, 1.05)
    assert off == [False, False, False, True, False, False]
    assert found[3] == pytest.approx(1.03, abs=1e-4)
    assert found[:3] + found[4:] == [1.00, 1.01, 1.02, 1.04, 1.05]


@pytest.mark.parametrize(
    "ratios",
    [
        (1.00, 1.01, 1.02, 0.98, 0.99, 1.00),
        (1.00, 1.01, 1.02, 1.034, 1.04, 1.05),
        (1.20, 1.01, 1.02, 1.03, 1.04, 1.25),
        (1.00, np.nan, 1.02, np.nan, 1.04, 1.05),
        (1.5, 0.7),
        (),
    ],
    ids=["a step that stays", "noise", "the ends", "unknown ones", "two", "none"],
)
def test_what_is_believed(ratios: tuple[float, ...]):
    found, off = curve(*ratios)
    assert found == pytest.approx(list(ratios), nan_ok=True)
    assert not any(off)


def test_an_unknown_ratio_is_no_neighbour():
    found, off = curve(1.00, 1.01, np.nan, 1.06, np.nan, 1.05, 1.06)
    assert off == [False, False, False, True, False, False, False]
    assert found[3] == pytest.approx(1.03, abs=1e-3)


def test_pairs_with_absurd_spreads_are_counted_and_no_evidence():
    wide = [Line(5000, side, 0.1, expiry=DAY, bid=0.05, ask=500.0) for side in "CP"]
    one_sided = [Line(5010, "C", 0.1, expiry=DAY, bid=0.05, ask=500.0), quoted(5010, "P", 10.0)]
    blind = [Line(5020, side, 0.1, expiry=DAY, bid=0.0, ask=500.0) for side in "CP"]
    lines = sort_lines(make_chain([*wide, *one_sided, *blind, *pair(5030.0, 20.0, 10.0)]))
    assert np.flatnonzero(too_wide(lines)).tolist() == [0, 2]
    assert forwards_of([*wide, *pair(5030.0, 20.0, 10.0)]) == pytest.approx([5040.0])
