"""Whose time a vendor's volatilities were solved with, told by its own greeks."""

import math
from datetime import date

import numpy as np
import pytest

from streaming.chains.vendor_clock import Greeks, clock_ends

SPOT = 766.82
ASOF_S = 1_787_234_100.0
CLOSE_S = ASOF_S + 6 * 3600.0
EXPIRY = date(2026, 8, 20)
SETTLES = [(("SPY", EXPIRY), CLOSE_S), (("SPY", date(2026, 8, 21)), CLOSE_S + 86_400.0)]
YEAR_S = 365 * 86_400


def greeks_of(ends_s: list[float], *, iv: float = 0.165, unit: float = 1e-6, gamma: float = 0.1) -> Greeks:
    """Contracts of one gamma, whose vegas say when their time ends."""
    years = (np.array(ends_s) - ASOF_S) / YEAR_S
    vega = years * gamma * SPOT**2 * iv / 100.0
    return Greeks(np.full(years.size, iv), np.full(years.size, gamma), vega, unit)


def ends(greeks: Greeks, series: list[int] | None = None) -> dict[tuple[str, date], float]:
    places = np.array(series or [0] * greeks.iv.size, np.intp)
    return clock_ends(greeks, SPOT, ASOF_S, places, SETTLES)


def test_the_median_of_an_expirys_contracts_is_its_clock():
    late = CLOSE_S + 900.0
    assert ends(greeks_of([late, late - 60.0, late + 9000.0])) == {("SPY", EXPIRY): pytest.approx(late, abs=0.01)}


def test_each_series_has_its_own():
    found = ends(greeks_of([CLOSE_S + 900.0] * 3 + [CLOSE_S + 90_000.0] * 3), [0, 0, 0, 1, 1, 1])
    assert [round(end_s - CLOSE_S) for end_s in found.values()] == [900, 90_000]


def test_the_streamed_contract_of_a_recorded_morning_ends_at_a_quarter_past_four():
    one = Greeks(np.full(3, 0.1650358958), np.full(3, 0.1165604), np.full(3, 0.08171809), 1e-6)
    quoted_s = ASOF_S - 7.1
    found = clock_ends(one, SPOT, quoted_s, np.zeros(3, np.intp), [(("SPY", EXPIRY), quoted_s + 6 * 3600.0)])
    assert found["SPY", EXPIRY] - quoted_s == pytest.approx(6.329 * 3600.0, abs=10.0)


@pytest.mark.parametrize(
    "greeks",
    [
        greeks_of([CLOSE_S + 900.0] * 2),
        greeks_of([CLOSE_S + 900.0] * 3, unit=0.01),
        greeks_of([CLOSE_S + 900.0] * 3, iv=0.02),
        greeks_of([CLOSE_S + 900.0] * 3, iv=math.nan),
        greeks_of([ASOF_S - 900.0] * 3),
        greeks_of([CLOSE_S + 5 * 86_400.0] * 3),
        Greeks(np.full(3, 0.165), np.full(3, math.nan), np.full(3, 0.08), 1e-6),
    ],
    ids=["two contracts", "one digit", "no volatility", "unknown", "past", "days away", "no gamma"],
)
def test_what_is_no_clock_tells_none(greeks: Greeks):
    assert ends(greeks) == {}
