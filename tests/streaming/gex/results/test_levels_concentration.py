import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.gex.results.levels import concentrations

VALUES = st.lists(st.integers(-1000, 1000), min_size=1, max_size=40)


def of(values):
    strikes = np.arange(1.0, len(values) + 1.0)
    net = np.array(values, np.float64)
    (found,) = concentrations(strikes, np.stack((np.minimum(net, 0.0), np.maximum(net, 0.0)))[None])
    return found


@given(VALUES)
def test_the_strongest_come_first_with_their_share_of_everything(values):
    found, total = of(values), sum(map(abs, values))
    if total == 0:
        assert found == ((), None, ())
        return
    expected = sorted(
        ((strike + 1.0, value) for strike, value in enumerate(values) if value), key=lambda row: -abs(row[1])
    )
    assert [row[:2] for row in found.top] == expected[:5]
    assert [share for *_, share in found.top] == pytest.approx([abs(value) / total for _, value in expected[:5]])


@given(VALUES)
def test_no_fewer_strikes_hold_nine_tenths(values):
    found, sizes = of(values), sorted(map(abs, values), reverse=True)
    if not any(values):
        return
    assert sum(sizes[: found.strikes]) >= 0.9 * sum(sizes) - 1e-6
    assert sum(sizes[: found.strikes - 1]) < 0.9 * sum(sizes)


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=1, max_size=40))
def test_calls_and_puts_that_cancel_are_among_the_largest_gross(sides):
    calls, puts = np.array(sides, np.float64).T
    (found,) = concentrations(np.arange(1.0, len(sides) + 1.0), np.stack((-puts, calls))[None])
    total, gross = (calls + puts).sum(), [call + put for call, put in sides]
    expected = sorted(((at + 1.0, size) for at, size in enumerate(gross) if size), key=lambda row: -row[1])[:5]
    assert [row[:2] for row in found.gross] == expected
    assert [share for *_, share in found.gross] == pytest.approx([size / total for _, size in expected])


def test_a_chain_without_strikes_has_none():
    assert concentrations(np.zeros(0), np.zeros((2, 2, 0))) == [((), None, ())] * 2
