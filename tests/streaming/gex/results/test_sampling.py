"""Totals at many levels: what nodes give is what adding up gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.chains.files.chain_files import parse_any
from streaming.gex.pricing.priced import Kernel
from streaming.gex.results.sampling import sample_totals
from streaming.gex.results.zero_gamma import sweep_levels
from tests.data_builders.chains import RECIPES, made
from tests.support.direct_sums import Swept, check_samples, direct_totals, swept

SPOT = 4300.0
LEVELS = sweep_levels(SPOT, 0.004)


def kernel_of(strike: np.ndarray, deviation: np.ndarray, weight: np.ndarray) -> Kernel:
    """Lines by strike over spot, σ·√T and signed weights of shape (2, lines)."""
    slope = 1.0 / deviation
    return Kernel(
        anchor=SPOT,
        moneyness=-np.log(strike),
        slope=slope,
        offset=-np.log(strike) * slope + 0.5 * deviation,
        coefficient=weight * slope,
        deviation=deviation,
        years=np.full(strike.size, 0.1),
    )


def sampled(kernel: Kernel, *spans: tuple[int, int]) -> Swept:
    return Swept(kernel, LEVELS, spans, sample_totals(kernel, LEVELS, spans))


@pytest.mark.parametrize("name", RECIPES)
def test_a_sweep_finds_the_sums_and_roots_of_adding_up_line_by_line(name: str):
    check_samples(swept(parse_any(made(name).payload)))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.floats(-3.5, 0.3), st.floats(0.0, 1.0))
def test_lines_of_any_width_and_place_are_sampled_as_they_add_up(seed: int, lines: int, widest: float, tilt: float):
    rng = np.random.default_rng(seed)
    strike = np.exp(rng.uniform(-0.9, 0.9, lines))
    weight = rng.choice([-1.0, 1.0], lines) * rng.uniform(0.0, 1e5, (2, lines)) + tilt * 5e4
    kernel = kernel_of(strike, 10.0 ** rng.uniform(-4.0, widest, lines), weight)
    middle = lines // 2
    check_samples(sampled(kernel, (0, middle), (middle, middle), (middle // 2, lines), (0, lines)))


@pytest.mark.parametrize("deviation", np.geomspace(0.02, 3.0, 40).tolist())
def test_every_width_is_given_nodes_enough_for_a_line_by_itself(deviation: float):
    strike = np.exp(np.linspace(-0.5, 0.5, 21))
    kernel = kernel_of(strike, np.full(21, deviation), np.ones((2, 21)))
    found = sampled(kernel, *((row, row + 1) for row in range(21)))
    net, gross = direct_totals(kernel, LEVELS, found.spans)
    assert np.all(np.abs(found.samples - net) <= 1e-14 * gross)


def test_where_almost_nothing_is_left_the_sign_is_still_that_of_the_lines():
    weight = np.array([[1e6, -1e6 * (1.0 - 1e-8)], [1e6, 0.0]])
    faint = kernel_of(np.ones(2), np.full(2, 0.024), weight)
    found = sampled(faint, (0, 2))
    net, _ = direct_totals(faint, LEVELS, found.spans)
    assert np.array_equal(np.sign(found.samples), np.sign(net))


def test_spans_without_lines_have_totals_of_nothing():
    nothing = kernel_of(np.ones(0), np.ones(0), np.zeros((2, 0)))
    assert sample_totals(nothing, LEVELS, ((0, 0), (0, 0))).shape == (2, 2, LEVELS.size)
    assert not sample_totals(nothing, LEVELS, ((0, 0),)).any()
