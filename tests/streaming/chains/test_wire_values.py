"""streaming/chains/wire_values.py"""

import pytest

from streaming.chains.wire_values import number, price, whole


@pytest.mark.parametrize("written", [None, True, "x", [], {}, "inf", float("nan"), 10**400])
def test_what_is_no_number_is_none(written):
    assert (number(written), price(written), whole(written)) == (None, None, None)


def test_numbers_may_be_text_and_a_price_has_bounds():
    assert number("1,234.5") == 1234.5
    assert [price(value) for value in (0, -1, 1e10, 6400.25)] == [None, None, None, 6400.25]
    assert [whole(value) for value in ("7", 2**60)] == [7, None]
