from math import inf, nan

import pytest
from msgspec import UNSET

from streaming.schwab.wire.values import count, instant_ms, price, signed_price, volatility


@pytest.mark.parametrize(
    ("wire", "known"),
    [
        (1.5, 1.5),
        (0.0, None),
        (-999.0, None),
        (None, None),
        (UNSET, None),
        (inf, None),
        (nan, None),
        (True, None),
        (1e300, None),
    ],
)
def test_a_price_is_positive_or_unknown(wire, known):
    assert price(wire) == known


@pytest.mark.parametrize(
    ("wire", "known"),
    [
        (-37.63, -37.63),
        (0.0, 0.0),
        (-999.0, None),
        (None, None),
        (UNSET, None),
        (inf, None),
        (-inf, None),
        (nan, None),
        (True, None),
    ],
)
def test_a_signed_price_may_be_anything_but_the_sentinel(wire, known):
    assert signed_price(wire) == known


@pytest.mark.parametrize(("wire", "known"), [(5, 5), (5.0, 5), (0, 0), (-1, None), (2**60, None), (UNSET, None)])
def test_a_count_is_whole_and_not_negative(wire, known):
    assert count(wire) == known


def test_a_volatility_is_a_fraction_or_unknown():
    assert volatility(16.0) == 0.16
    assert volatility(0) is volatility(-999.0) is volatility(None) is volatility(inf) is volatility(nan) is None


def test_an_instant_is_of_this_century_or_zero():
    assert instant_ms(1787233769803) == 1787233769803
    assert instant_ms(1787233769803.0) == 1787233769803
    assert instant_ms(0) == instant_ms(10**17) == instant_ms(-5) == instant_ms(UNSET) == 0
