"""streaming/sources/wire_values.py"""

import pytest

from streaming.sources.wire_values import instant_ms, number, price, whole

NOON_MS = 1_787_241_600_000


@pytest.mark.parametrize(
    "written",
    [
        1_787_241_600,
        "1787241600",
        NOON_MS,
        NOON_MS * 1000,
        NOON_MS * 1_000_000,
        "2026-08-20T16:00:00Z",
        "2026-08-20 12:00:00-04:00",
        " 2026-08-20T16:00:00 ",
    ],
)
def test_an_instant_is_the_same_in_every_way_of_writing_it(written):
    assert instant_ms(written) == NOON_MS


@pytest.mark.parametrize("written", [None, 0, -1, True, "soon", [], "nan", 12])
def test_what_is_no_instant_is_none(written):
    assert instant_ms(written) is None


@pytest.mark.parametrize("written", [None, True, "x", [], {}, "inf", float("nan"), 10**400])
def test_what_is_no_number_is_none(written):
    assert (number(written), price(written), whole(written)) == (None, None, None)


def test_numbers_may_be_text_and_a_price_has_bounds():
    assert number("1,234.5") == 1234.5
    assert [price(value) for value in (0, -1, 1e10, 6400.25)] == [None, None, None, 6400.25]
    assert [whole(value) for value in ("7", 2**60)] == [7, None]
