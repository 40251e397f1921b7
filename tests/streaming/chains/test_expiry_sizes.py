"""What falls short of what is known of a chain."""

from datetime import timedelta

import pytest

from streaming.chains.expiry_sizes import ExpirySize, Known, are_alike, doubt, known_after
from tests.support.chains import ASOF, TODAY, TOMORROW


def sized(calls=11.0, puts=11.0, calls_oi=1000.0, puts_oi=1000.0, *, day=TODAY) -> tuple[ExpirySize, ...]:
    return (ExpirySize(day, (calls, puts), (calls_oi, puts_oi)),)


def doubted(sizes, known=None, *, strikes=0, known_strikes=0, at=ASOF):
    return doubt(sizes, Known(known or sized(), known_strikes), strikes=strikes, at=at)


@pytest.mark.parametrize("kept", [sized(), sized(6, 6), sized(500, 500, 1e6, 1e6), sized(11, 11, 500, 500)])
def test_half_of_what_is_known_and_anything_more_is_believed(kept):
    assert doubted(kept) is None


@pytest.mark.parametrize(
    ("sizes", "why"),
    [
        (sized(11, 1), "It has 1 of 11 puts of 2026-08-20."),
        (sized(2, 11), "It has 2 of 11 calls of 2026-08-20."),
        ((), "It has 0 of 11 calls of 2026-08-20."),
        (sized(day=TOMORROW), "It has 0 of 11 calls of 2026-08-20."),
        (sized(11, 11, 499, 1000), "Its open interest of calls is 499, after 1000."),
        (sized(11, 11, 1000, 10), "Its open interest of puts is 10, after 1000."),
    ],
)
def test_less_than_half_of_a_side_is_doubted_with_the_figures(sizes, why):
    assert doubted(sizes) == why


@pytest.mark.parametrize("sizes", [sized(11, 11, 0, 0), sized(11, 11, 1000, 0)])
def test_a_side_without_any_open_interest_says_nothing_about_it(sizes):
    assert doubted(sizes) is None


def test_an_expiry_that_has_settled_is_not_missed():
    known = (*sized(), *sized(day=TOMORROW))
    assert doubted(sized(day=TOMORROW), known) is not None
    assert doubted(sized(day=TOMORROW), known, at=ASOF + timedelta(hours=5, minutes=1)) is None


def test_a_narrower_window_of_strikes_is_measured_by_itself():
    known = sized(500, 500, 1e6, 1e6)
    assert doubted(sized(40, 40, 900, 900), known, strikes=20) is None
    assert doubted(sized(40, 40, 900, 900), known, strikes=20, known_strikes=60) is None
    assert doubted(sized(3, 3, 900, 900), known, strikes=20) == "It has 3 of 40 calls of 2026-08-20."
    assert doubted(sized(40, 40, 900, 900), known, strikes=20, known_strikes=20) is not None


def test_answers_are_alike_within_a_tenth():
    assert are_alike(sized(), sized(11, 11, 950, 1050))
    assert not are_alike(sized(), sized(11, 5))
    assert not are_alike(sized(), sized(day=TOMORROW))


def test_what_is_known_does_not_lose_its_open_interest_to_an_answer_without():
    known = known_after(Known(sized()), sized(12, 12, 0, 1100), strikes=30)
    assert known == Known(sized(12, 12, 1000, 1100), 30)
