"""Usable volatilities, mirrored and dropped ones."""

from datetime import date

import numpy as np
import pytest

from streaming.gex.pricing.lines import sort_lines
from streaming.gex.pricing.volatility import clean_iv, is_usable
from tests.support.option_lines import Line, make_chain


@pytest.mark.parametrize("iv", [0.0, 0.02, 10.0, 26.001, -9.99, -999.0, float("nan"), float("inf"), -float("inf")])
def test_sentinels_are_not_usable(iv: float):
    assert not is_usable(np.array([iv]))[0]


@pytest.mark.parametrize("iv", [0.0200001, 0.16, 9.999])
def test_volatilities_inside_the_bounds_are(iv: float):
    assert is_usable(np.array([iv]))[0]


def test_a_bad_side_borrows_from_the_other_side_of_the_same_root_expiry_and_strike():
    lines = sort_lines(make_chain([Line(4300, "C", 0.0, 1), Line(4300, "P", 0.11, 1), Line(4310, "C", 0.0, 1)]))
    clean = clean_iv(lines, lines.iv, "mirror")
    assert clean.iv.tolist()[:2] == [0.11, 0.11]
    assert np.isnan(clean.iv[2])
    assert clean.mirrored.sum() == 1


def test_drop_borrows_nothing():
    lines = sort_lines(make_chain([Line(4300, "C", 0.0, 1), Line(4300, "P", 0.11, 1)]))
    clean = clean_iv(lines, lines.iv, "drop")
    assert np.isnan(clean.iv).sum() == 1
    assert not clean.mirrored.any()


def test_another_root_on_the_same_date_and_strike_lends_nothing():
    friday = date(2023, 6, 16)
    lines = sort_lines(
        make_chain(
            [Line(4300, "C", 0.0, 1, expiry=friday, root="SPX"), Line(4300, "P", 0.11, 1, expiry=friday, root="SPXW")]
        )
    )
    assert np.isnan(clean_iv(lines, lines.iv, "mirror").iv).sum() == 1
