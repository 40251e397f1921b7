"""Basis and ratio: example G and the ages of quotes."""

import pytest

from streaming.gex.points.basis import live_basis


def test_the_basis_is_future_minus_index_at_the_same_time():
    basis = live_basis()
    basis.on_first(6628.73, 1_000)
    assert basis.current is None
    basis.on_second(6668.38, 2_000)
    assert basis.current.points == pytest.approx(39.65)
    assert basis.current.measured_ms == 2_000


def test_it_is_the_median_of_thirty_seconds():
    basis = live_basis()
    for second, future in enumerate((110.0, 111.0, 112.0, 190.0)):
        basis.on_first(100.0, second * 1_000)
        basis.on_second(future, second * 1_000)
    assert 10.0 <= basis.current.points <= 12.0
    basis.on_first(100.0, 60_000)
    basis.on_second(120.0, 60_000)
    assert basis.current.points == pytest.approx(20.0)


def test_quotes_five_seconds_apart_make_no_pair_and_the_last_basis_is_held():
    basis = live_basis()
    basis.on_first(100.0, 0)
    basis.on_second(110.0, 0)
    basis.on_second(150.0, 5_000)
    assert basis.current.points == pytest.approx(10.0)
    assert basis.current.is_live(30_000)
    assert not basis.current.is_live(30_001)


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf")])
def test_prices_that_are_no_prices_are_ignored(price: float):
    basis = live_basis()
    basis.on_first(100.0, 0)
    basis.on_second(price, 0)
    assert basis.current is None


def test_an_older_quote_never_replaces_a_newer_one():
    basis = live_basis()
    basis.on_first(100.0, 10_000)
    basis.on_first(1.0, 9_000)
    basis.on_second(110.0, 10_000)
    assert basis.current.points == pytest.approx(10.0)
