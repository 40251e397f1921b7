"""Zeros of the re-priced total: example A, silence far from strikes, fine grids, following roots."""

from datetime import timedelta

import numpy as np
import pytest

from streaming.gex.pricing.lines import sort_lines
from streaming.gex.pricing.priced import Kernel, PricedStrikes, build_kernel
from streaming.gex.pricing.scopes import slice_scopes
from streaming.gex.pricing.selection import select
from streaming.gex.pricing.spans import span_of
from streaming.gex.pricing.volatility import by_line
from streaming.gex.results.roots import RootBook, sweep
from streaming.gex.results.zero_gamma import Roots, Total, find_roots, sweep_levels, track_roots
from streaming.option_chain import OptionChain
from tests.support.option_lines import ASOF, Line, block_a_chain, make_chain


def priced_of(chain: OptionChain, *, asof_s: float | None = None, spot: float | None = None):
    lines = sort_lines(chain)
    weight = np.stack((lines.open_interest, lines.volume))
    none = np.full(lines.series_start.size, np.nan)
    selection = select(lines, by_line(lines, lines.iv, "mirror"), weight, none, slice_scopes(lines, chain.asof))
    at_s = chain.asof.timestamp() if asof_s is None else asof_s
    return selection.priced, build_kernel(selection.priced, chain.spot if spot is None else spot, at_s)


def roots_of(priced: PricedStrikes, kernel: Kernel, scope: str = "all") -> tuple[Roots, Roots]:
    span = span_of(priced.scopes[scope])
    found, _ = sweep(priced, kernel, (span,))
    return found[span, 0], found[span, 1]


def test_example_a_has_one_root_under_each_weight():
    oi, vol = roots_of(*priced_of(block_a_chain()))
    assert [root.level for root in oi.roots] == pytest.approx([4991.074813752607], abs=1e-6)
    assert [root.level for root in vol.roots] == pytest.approx([5007.582986073734], abs=1e-6)
    assert [root.direction for root in oi.roots + vol.roots] == [1, 1]


def test_the_derivative_is_the_slope_of_the_total():
    priced, kernel = priced_of(block_a_chain())
    total = Total(kernel, priced.scopes["all"], 0)
    (low, _), (high, _), (_, slope) = total.at(4999.5), total.at(5000.5), total.at(5000.0)
    assert slope == pytest.approx(high - low, rel=1e-4)


def test_sign_changes_where_the_total_has_faded_away_are_no_roots():
    lines = [Line(4250, "P", 0.14, 4000), Line(4300, "C", 0.11, 6000), Line(4300, "P", 0.11, 5000)]
    oi, _ = roots_of(*priced_of(make_chain([*lines, Line(4350, "C", 0.10, 9000)])))
    assert [root.level for root in oi.roots] == pytest.approx([4279.838567309621], abs=1e-6)


@pytest.mark.parametrize(("side", "note"), [("C", "positive everywhere"), ("P", "negative everywhere")])
def test_one_sign_everywhere_has_no_root_and_says_so(side: str, note: str):
    oi, vol = roots_of(*priced_of(make_chain([Line(4300, side, 0.2, 10)])))
    assert (oi.roots, oi.note) == ((), note)
    assert (vol.roots, vol.note) == ((), "no exposure")


def test_no_lines_at_all_is_no_exposure():
    oi, vol = roots_of(*priced_of(make_chain([])))
    assert oi.note == vol.note == "no exposure"


def test_the_nearest_root_is_published_and_the_lower_one_when_tied():
    oi, _ = roots_of(*priced_of(block_a_chain()))
    level = oi.roots[0].level
    twice = Roots((oi.roots[0], type(oi.roots[0])(level + 10.0, -1, -1.0)))
    assert twice.nearest(level + 5.0).level == level
    assert twice.nearest(level + 5.1).level == level + 10.0
    assert Roots().nearest(5000.0) is None


@pytest.mark.parametrize("deviation", [0.0, 0.00016, 0.002, 0.0099, 0.2, 50.0])
def test_levels_cover_a_fifth_of_spot_and_are_fine_enough_near_it(deviation: float):
    levels = sweep_levels(5000.0, deviation)
    steps = np.diff(levels) / 5000.0
    assert levels[0] == pytest.approx(4000.0)
    assert levels[-1] == pytest.approx(6000.0)
    assert 5000.0 in levels
    assert np.all(steps > 1e-9)
    assert steps.max() <= 0.0025 + 1e-12
    assert levels.size < 500
    if deviation > 0.0:
        near = np.abs(levels[:-1] / 5000.0 - 1.0) < 7.5 * deviation
        assert steps[near].max() <= deviation / 4 + 1e-9


def test_the_last_minutes_show_roots_between_neighbouring_strikes():
    lines = [Line(4290, "P", 0.1, 10), Line(4295, "C", 0.1, 10), Line(4300, "P", 0.1, 10), Line(4305, "C", 0.1, 10)]
    chain = make_chain(lines, asof=ASOF.replace(hour=19, minute=58))
    oi, _ = roots_of(*priced_of(chain))
    near = [root for root in oi.roots if 4285 < root.level < 4310]
    assert [root.direction for root in near] == [1, -1, 1]
    assert [round(root.level, 1) for root in near] == [4292.5, 4297.5, 4302.5]


def test_followed_roots_are_the_swept_ones():
    chain = block_a_chain()
    priced, kernel = priced_of(chain)
    known, _ = roots_of(priced, kernel)
    later_s = (chain.asof + timedelta(days=2)).timestamp()
    priced, kernel = priced_of(chain, asof_s=later_s, spot=5003.0)
    total = Total(kernel, priced.scopes["all"], 0)
    followed = track_roots(total, known, 5003.0, total.at(5003.0)[0])
    swept, _ = roots_of(priced, kernel)
    assert [root.level for root in followed.roots] == pytest.approx([root.level for root in swept.roots], abs=1e-6)
    assert abs(followed.roots[0].level - known.roots[0].level) > 0.5


def test_a_sign_at_spot_that_does_not_fit_the_roots_asks_for_a_sweep():
    priced, kernel = priced_of(block_a_chain())
    known, _ = roots_of(priced, kernel)
    total = Total(kernel, priced.scopes["all"], 0)
    assert track_roots(total, known, 5000.0, total.at(5000.0)[0]) is not None
    assert track_roots(total, known, 5000.0, -1.0) is None
    assert track_roots(total, Roots(note="negative everywhere"), 5000.0, 1.0) is None
    assert track_roots(total, Roots(note="negative everywhere"), 5000.0, -1.0) is not None


def test_the_root_book_sweeps_rarely_and_follows_often():
    priced, kernel = priced_of(block_a_chain())
    book = RootBook()
    span = span_of(priced.scopes["all"])
    at_spot = {span: np.array([Total(kernel, priced.scopes["all"], weight).at(5000.0)[0] for weight in (0, 1)])}
    for second in range(21):
        book.update(priced, kernel, float(second), "dates", at_spot)
    assert (book.sweeps, book.lost) == (3, 0)
    book.update(priced, kernel, 21.0, "other dates", at_spot)
    assert book.sweeps == 4


def test_a_sweep_ahead_of_time_spares_the_next_update_its_own():
    priced, kernel = priced_of(block_a_chain())
    book = RootBook()
    span = span_of(priced.scopes["all"])
    at_spot = {span: np.array([Total(kernel, priced.scopes["all"], weight).at(5000.0)[0] for weight in (0, 1)])}
    assert not book.is_aging(0.0)
    book.update(priced, kernel, 0.0, "dates", at_spot)
    assert [book.is_aging(second) for second in (4.9, 5.0)] == [False, True]
    book.refresh(priced, kernel, 6.0)
    found = book.update(priced, kernel, 15.0, "dates", at_spot)
    assert found[span, 0].roots[0].level == pytest.approx(4991.074813752607, abs=1e-6)
    assert book.sweeps == 2


def test_lines_that_join_leave_the_roots_followed():
    chain, more = block_a_chain(), block_a_chain()
    more.volume[0] = more.open_interest[0] = 0.0
    book = RootBook()
    for second, (priced, kernel) in enumerate(priced_of(part) for part in (more, chain)):
        rows = priced.scopes["all"]
        at_spot = {span_of(rows): np.array([Total(kernel, rows, weight).at(5000.0)[0] for weight in (0, 1)])}
        found = book.update(priced, kernel, float(second), "dates", at_spot)
    assert book.sweeps - book.lost == 1
    assert found[span_of(rows), 0].roots[0].level == pytest.approx(4991.074813752607, abs=1e-6)
    assert set(book.profiles) == {span_of(rows)}


def test_samples_of_zero_carry_no_sign():
    priced, kernel = priced_of(block_a_chain())
    total = Total(kernel, priced.scopes["all"], 0)
    levels = np.array([4900.0, 4950.0, 4991.0, 5050.0])
    samples = np.array([total.at(float(level))[0] for level in levels])
    samples[2] = 0.0
    assert [root.level for root in find_roots(total, levels, samples).roots] == pytest.approx([4991.074813752607])


def test_a_root_between_two_far_bells_is_found_although_newton_creeps_there():
    oi, _ = roots_of(*priced_of(make_chain([Line(3440, "P", 0.05, 1), Line(3569, "C", 0.05, 1)])))
    priced, kernel = priced_of(make_chain([Line(3440, "P", 0.05, 1), Line(3569, "C", 0.05, 1)]))
    total = Total(kernel, priced.scopes["all"], 0)
    level = next(root.level for root in oi.roots if 3440 < root.level < 3569)
    assert total.at(level - 0.01)[0] < 0.0 < total.at(level + 0.01)[0]
