"""streaming/gex/points/basis.py"""

import pytest

from streaming.gex.points.basis import shift, shift_levels
from streaming.model import ScopeFigures, WeightFigures


def test_a_level_is_moved_by_ratio_first_and_points_second():
    assert shift(449.0, 12.5, ratio=10.0) == pytest.approx(4502.5)


def test_etf_levels_map_by_the_ratio_of_the_spots():
    assert shift(449.0, 0.0, ratio=4505.1 / 450.81) == pytest.approx(4487.012044985693, abs=1e-4)


@pytest.mark.parametrize(("level", "points"), [(None, 12.5), (6900.0, None)])
def test_what_is_unknown_stays_unknown(level, points):
    assert shift(level, points) is None


def figures():
    weight = WeightFigures(
        net_gex_usd_per_1pct=4e9,
        net_gex_usd_per_point=6e7,
        zero_gamma=6900.0,
        zero_gamma_roots=(6900.0, 7010.0),
        zero_gamma_directions=(1, -1),
        call_wall=7000.0,
        call_wall_usd_per_1pct=2e9,
    )
    return ScopeFigures(oi=weight, vol=weight, ladder=((7000.0, 1.0, 2.0),), profile=((6950.0, 3.0, 4.0),))


def test_levels_move_and_dollars_stay():
    moved = shift_levels(figures(), 20.0, ratio=2.0)
    assert (moved.oi.zero_gamma, moved.oi.zero_gamma_roots) == (13820.0, (13820.0, 14040.0))
    assert (moved.vol.call_wall, moved.vol.call_wall_usd_per_1pct) == (14020.0, 2e9)
    assert (moved.ladder, moved.profile) == (((14020.0, 1.0, 2.0),), ((13920.0, 3.0, 4.0),))


def test_a_point_of_half_the_size_is_worth_half_as_much():
    moved = shift_levels(figures(), 0.0, ratio=2.0)
    assert (moved.oi.net_gex_usd_per_point, moved.oi.net_gex_usd_per_1pct) == (3e7, 4e9)


def test_without_a_basis_levels_are_unknown_and_dollars_are_not():
    moved = shift_levels(figures(), None)
    assert (moved.oi.zero_gamma, moved.oi.zero_gamma_roots, moved.oi.zero_gamma_directions) == (None, (), ())
    assert (moved.ladder, moved.profile) == ((), ())
    assert moved.oi.net_gex_usd_per_1pct == 4e9
