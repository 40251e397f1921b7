from math import log, sqrt

import numpy as np

from streaming.sim.prices.random_walk import IndexWalk

DAY = 23400 * 4


def walk(seed: int = 1) -> IndexWalk:
    return IndexWalk.start({"SPX": (6880.0, 0.145), "NDX": (25060.0, 0.19)}, np.random.default_rng(seed))


def test_the_same_seed_walks_the_same_way():
    first, second = walk(), walk()
    for _ in range(100):
        first.step(quiet=False)
        second.step(quiet=False)
    assert first.level("SPX") == second.level("SPX")
    assert first.level("SPX") != 6880.0


def test_volatilities_start_at_their_own_level():
    assert walk().vol_factor("SPX") == 1.0


def test_a_day_moves_by_a_plausible_amount_and_indexes_go_together():
    one = walk()
    levels = []
    for step in range(DAY // 4):
        one.step(quiet=False)
        if step % 40 == 0:
            levels.append((log(one.level("SPX")), log(one.level("NDX"))))
    moves = np.diff(np.array(levels), axis=0)
    yearly = moves.std(axis=0) * sqrt(252 * DAY / 40)
    assert 0.08 < yearly[0] < 0.26
    assert np.corrcoef(moves.T)[0, 1] > 0.7
    assert abs(one.level("SPX") / 6880.0 - 1.0) < 0.03


def test_nights_are_quieter():
    loud, quiet = walk(), walk()
    for _ in range(2000):
        loud.step(quiet=False)
        quiet.step(quiet=True)
    assert abs(log(quiet.level("SPX") / 6880.0)) < abs(log(loud.level("SPX") / 6880.0))
