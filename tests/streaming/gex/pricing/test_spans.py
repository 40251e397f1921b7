"""Sums over slices that overlap are those of each slice alone."""

import numpy as np
import pytest

from streaming.gex.pricing.spans import Pieces, span_of

VALUES = np.arange(1.0, 21.0).reshape(2, 10)


@pytest.mark.parametrize(
    "spans", [[(0, 10)], [(0, 3), (0, 10)], [(0, 4), (2, 6), (0, 10), (9, 10)], [(3, 5), (5, 8)], [(2, 2), (4, 7)]]
)
def test_every_span_has_the_sum_of_its_own_lines(spans):
    pieces = Pieces(spans)
    sums = pieces.sums(VALUES[:, pieces.rows])
    for low, high in spans:
        assert pieces.total(sums, (low, high)).tolist() == VALUES[:, low:high].sum(axis=1).tolist()
    assert pieces.totals(sums).T.tolist() == [pieces.total(sums, span).tolist() for span in pieces.spans]


@pytest.mark.parametrize("spans", [[(0, 10)], [(0, 3), (0, 10)], [(3, 5), (4, 8)], [(2, 2), (4, 7)]])
def test_every_span_has_the_sum_of_products_of_its_own_lines(spans):
    pieces = Pieces(spans)
    left, right = VALUES, np.cos(np.arange(30.0)).reshape(3, 10)
    products = pieces.products(left[:, pieces.rows], right[:, pieces.rows])
    for low, high in spans:
        own = [[(one[low:high] * two[low:high]).sum() for two in right] for one in left]
        assert pieces.total(products, (low, high)) == pytest.approx(np.array(own))


def test_without_lines_every_sum_is_zero():
    pieces = Pieces([(4, 4), (0, 0)])
    assert pieces.rows == slice(0, 0)
    assert pieces.total(pieces.sums(VALUES[:, pieces.rows]), (4, 4)).tolist() == [0.0, 0.0]
    nothing = VALUES[:, pieces.rows]
    assert pieces.total(pieces.products(nothing, nothing), (4, 4)).tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_a_slice_is_a_key():
    assert span_of(slice(3, 7)) == (3, 7)
