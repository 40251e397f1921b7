"""The 25-delta risk reversal: example E."""

import numpy as np
import pytest

from streaming.gex.results.spot_figures import iv_at_quarter, risk_reversal
from tests.support.black_scholes import delta

YEARS = 30 / 365
CALLS = np.array([[5000.0, 0.150], [5100.0, 0.138], [5200.0, 0.130], [5300.0, 0.126]])
PUTS = np.array([[5000.0, 0.150], [4900.0, 0.165], [4800.0, 0.180], [4700.0, 0.196]])


def test_example_e_to_the_digits():
    call_delta = delta(5000.0, CALLS[:, 0], CALLS[:, 1], YEARS, True)
    put_delta = delta(5000.0, PUTS[:, 0], PUTS[:, 1], YEARS, False)
    assert iv_at_quarter(call_delta, CALLS[:, 1]) == pytest.approx(0.134826074654408, abs=1e-12)
    assert iv_at_quarter(-put_delta, PUTS[:, 1]) == pytest.approx(0.174584323036620, abs=1e-12)
    found = risk_reversal(call_delta, CALLS[:, 1], put_delta, PUTS[:, 1])
    assert found == pytest.approx(-0.039758248382213, abs=1e-12)


def test_it_is_unknown_when_a_quarter_is_not_bracketed():
    assert iv_at_quarter(np.array([0.5, 0.4, 0.3]), np.array([0.1, 0.1, 0.1])) is None
    assert iv_at_quarter(np.array([]), np.array([])) is None
    assert risk_reversal(np.array([0.5]), np.array([0.1]), np.array([-0.5, -0.2]), np.array([0.1, 0.1])) is None


def test_a_line_exactly_at_a_quarter_is_the_answer():
    assert iv_at_quarter(np.array([0.5, 0.25, 0.1]), np.array([0.1, 0.2, 0.3])) == pytest.approx(0.2)
