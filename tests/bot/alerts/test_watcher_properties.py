"""What holds of the state machine for any market."""

import random
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.alerts.rules import AlertKind
from tests.support.alerts import LEVEL, Scene, rule, shot

MARGIN = 1.29
"""A little more than 0.02 % of any spot below."""
COOLDOWN_S = 60
prices = st.floats(6300, 6440)
walks = st.lists(prices, min_size=2, max_size=120)
steps = st.sampled_from([0.5, 1.0, 5.0, 20.0])
kinds = st.sampled_from([AlertKind.ZERO_GAMMA, AlertKind.CALL_WALL, AlertKind.NET_GEX, AlertKind.CALL_WALL_MOVES])


@settings(max_examples=150, deadline=None)
@given(kind=kinds, walk=walks, levels=st.lists(prices, min_size=1, max_size=120), step=steps)
def test_it_never_fires_twice_within_the_cool_down(kind, walk, levels, step):
    scene = Scene(rule(kind))
    fired = []
    for n, spot in enumerate(walk):
        level = levels[n % len(levels)]
        shown = shot(n * step, spot=spot, zero_gamma=level, call_wall=round(level / 5) * 5, net_bn=spot - level)
        fired += [firing.after.fired_ms for firing in scene.take(shown)]
    assert all(later - earlier >= COOLDOWN_S * 1000 for earlier, later in pairwise(fired))


@settings(max_examples=150, deadline=None)
@given(walk=st.lists(st.floats(LEVEL - 1.27, LEVEL + 1.27), min_size=1, max_size=200), start=st.sampled_from([-9, 9]))
def test_wavering_within_the_margin_never_fires(walk, start):
    assert Scene(rule()).run(LEVEL + start, *walk) == []


@settings(max_examples=150, deadline=None)
@given(
    before=st.lists(st.floats(6300, LEVEL - MARGIN), min_size=1, max_size=30),
    between=st.lists(st.floats(LEVEL - 1.27, LEVEL + 1.27), max_size=30),
    after=st.lists(st.floats(LEVEL + MARGIN, 6500), min_size=1, max_size=90),
    upwards=st.booleans(),
)
def test_a_crossing_always_fires_exactly_once(before, between, after, upwards):
    walk = [*before, *between, *after]
    spots = walk if upwards else [2 * LEVEL - spot for spot in walk]
    (firing,) = Scene(rule()).run(*spots)
    assert firing.after.told == (1 if upwards else -1)
    assert not firing.before.by_level


@settings(max_examples=150, deadline=None)
@given(walk=walks)
def test_after_a_quiet_cool_down_the_reader_knows_the_side(walk):
    scene = Scene(rule())
    scene.run(*walk)
    last = walk[-1]
    scene.run(last, start=len(walk) + 2 * COOLDOWN_S)
    state = scene.watcher.state(1)
    if abs(last - LEVEL) >= MARGIN:
        assert state.told == (1 if last > LEVEL else -1)


@settings(max_examples=100, deadline=None)
@given(walk=walks, seed=st.integers(0, 2**32))
def test_duplicates_and_snapshots_out_of_order_do_not_matter(walk, seed):
    rng = random.Random(seed)
    plain, shaken = Scene(rule()), Scene(rule())
    shots = [shot(n, spot=spot, seq=n) for n, spot in enumerate(walk)]
    expected, found = [], []
    for n, shown in enumerate(shots):
        expected += plain.take(shown)
        found += shaken.take(shown)
        for late in rng.sample(shots[max(0, n - 50) : n + 1], k=min(n + 1, rng.randrange(3))):
            found += shaken.take(late, age_s=(shown.asof_ms - late.asof_ms) / 1000 % 5)
    assert [firing.after for firing in found] == [firing.after for firing in expected]


@settings(max_examples=100, deadline=None)
@given(walk=walks, holes=st.lists(st.booleans(), min_size=1, max_size=40))
def test_missing_figures_never_fire(walk, holes):
    whole, holed = Scene(rule()), Scene(rule())
    for n, spot in enumerate(walk):
        if holes[n % len(holes)]:
            assert holed.take(shot(n, spot=spot, zero_gamma=None)) == []
        else:
            assert [f.after for f in holed.take(shot(n, spot=spot))] == [
                f.after for f in whole.take(shot(n, spot=spot))
            ]


@settings(max_examples=100, deadline=None)
@given(walk=walks, state=st.sampled_from(["closing", "closed", "warming"]))
def test_a_frozen_market_never_fires(walk, state):
    scene = Scene(rule())
    scene.run(LEVEL - 5, LEVEL - 5)
    assert [f for n, spot in enumerate(walk) for f in scene.take(shot(n + 2, spot=spot, state=state))] == []
