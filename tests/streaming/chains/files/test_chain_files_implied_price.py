"""A price that nobody sent, from the quotes that live."""

from datetime import date

import numpy as np
import pytest

from streaming.chains.files.chain_files import with_spot
from tests.support.option_lines import ASOF, Line, make_chain

YESTERDAY, NEXT = date(2023, 6, 8), date(2023, 6, 16)


def quoted(forward: float, expiry: date) -> list[Line]:
    found = []
    for strike in range(4250, 4360, 10):
        for side, worth in (("C", forward - strike), ("P", strike - forward)):
            mid = max(worth, 0.0) + 12.0
            found.append(Line(strike, side, 0.1, 10, 5, expiry, bid=mid - 0.2, ask=mid + 0.2))
    return found


def test_a_price_that_was_sent_stays():
    chain = make_chain(quoted(4310.0, NEXT), spot=4300.0)
    assert with_spot(chain) is chain


@pytest.mark.parametrize("sent", [0.0, -1.0, float("nan")])
def test_the_nearest_living_expiry_says_what_is_missing(sent: float):
    chain = with_spot(make_chain(quoted(4200.0, YESTERDAY) + quoted(4310.0, NEXT), spot=sent, asof=ASOF))
    assert chain.spot == pytest.approx(4310.0)
    assert chain.quality.spot_implied


def test_without_quotes_it_stays_unknown():
    chain = with_spot(make_chain([Line(4300, "C", 0.1, 10, 5)], spot=0.0))
    assert np.isnan(chain.spot)
    assert not chain.quality.spot_implied
