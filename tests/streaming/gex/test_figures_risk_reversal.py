"""The 25-delta risk reversal: example E."""

from datetime import timedelta

import numpy as np
import pytest

from streaming.gex.engine import GexEngine
from streaming.gex.results.spot_figures import iv_at_quarter
from streaming.symbols import parse_ticker
from tests.support.black_scholes import delta
from tests.support.option_lines import ASOF, Line, make_chain

YEARS = 30 / 365
CALLS = np.array([[5000.0, 0.150], [5100.0, 0.138], [5200.0, 0.130], [5300.0, 0.126]])
PUTS = np.array([[5000.0, 0.150], [4900.0, 0.165], [4800.0, 0.180], [4700.0, 0.196]])


def test_example_e_to_the_digits():
    call_delta = delta(5000.0, CALLS[:, 0], CALLS[:, 1], YEARS, True)
    put_delta = delta(5000.0, PUTS[:, 0], PUTS[:, 1], YEARS, False)
    assert iv_at_quarter(call_delta, CALLS[:, 1]) == pytest.approx(0.134826074654408, abs=1e-12)
    assert iv_at_quarter(-put_delta, PUTS[:, 1]) == pytest.approx(0.174584323036620, abs=1e-12)


def test_it_is_unknown_when_a_quarter_is_not_bracketed():
    assert iv_at_quarter(np.array([0.5, 0.4, 0.3]), np.array([0.1, 0.1, 0.1])) is None
    assert iv_at_quarter(np.array([]), np.array([])) is None


def test_a_line_exactly_at_a_quarter_is_the_answer():
    assert iv_at_quarter(np.array([0.5, 0.25, 0.1]), np.array([0.1, 0.2, 0.3])) == pytest.approx(0.2)


@pytest.mark.parametrize("step", [0.5, 3.0])
def test_a_quarter_is_found_however_many_strikes_lie_before_it(step: float):
    strikes = 5000.0 + step * np.arange(-400, 401)
    iv = 0.15 - 1e-5 * (strikes - 5000.0)
    at = ASOF + timedelta(days=30)
    lines = [
        Line(strike, side, own, 1, expiry=at.date())
        for strike, own in zip(strikes.tolist(), iv.tolist(), strict=True)
        for side in "CP"
    ]
    engine = GexEngine(parse_ticker("SPX"), scope="all")
    engine.on_chain(make_chain(lines, spot=5000.0, settle_s=[at.timestamp()] * len(lines)))
    call = iv_at_quarter(delta(5000.0, strikes[400:], iv[400:], YEARS, True), iv[400:])
    put = iv_at_quarter(-delta(5000.0, strikes[400::-1], iv[400::-1], YEARS, False), iv[400::-1])
    assert engine.compute(ASOF).scopes["all"].rr25 == pytest.approx(call - put, abs=1e-12)
