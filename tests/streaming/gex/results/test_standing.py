"""Where spot stands, by our own snapshots and by those of others."""

from datetime import timedelta

import msgspec
import pytest

from streaming.gex.engine import GexEngine
from streaming.gex.results.standing import between_walls_pct, distance_pct, regime, standing
from streaming.model import Standing
from streaming.symbols import parse_ticker
from tests.support.option_lines import ASOF, TODAY, Line, make_chain
from tests.support.snapshots import snapshot


@pytest.mark.parametrize(
    ("net", "gross", "word"),
    [
        (None, 1.0, None),
        (5.0, 100.0, "dampened"),
        (-5.0, 100.0, "amplified"),
        (4.99, 100.0, "undecided"),
        (-4.99, 100.0, "undecided"),
        (0.0, None, "undecided"),
        (-1.0, None, "amplified"),
    ],
)
def test_a_regime_is_a_sign_that_stands_out_of_the_gross(net, gross, word):
    assert regime(net, gross) == word


def test_distance_is_positive_above_the_level():
    assert distance_pct(4400.0, 4356.0) == pytest.approx(1.0)
    assert distance_pct(4400.0, 4444.0) == pytest.approx(-1.0)
    assert distance_pct(None, 4400.0) is distance_pct(4400.0, None) is distance_pct(0.0, 4400.0) is None


def test_the_place_between_the_walls_may_lie_beyond_them_and_crossed_walls_have_none():
    assert between_walls_pct(4350.0, 4300.0, 4400.0) == 50.0
    assert between_walls_pct(4425.0, 4300.0, 4400.0) == 125.0
    assert between_walls_pct(4350.0, 4400.0, 4300.0) is between_walls_pct(4350.0, 4300.0, 4300.0) is None


def engine_snapshot(lines, at=ASOF):
    engine = GexEngine(parse_ticker("SPX"), scope="full")
    engine.on_chain(make_chain(lines, asof=at))
    return engine.compute(at)


LINES = [
    Line(4350, "C", 0.11, oi=900, volume=5),
    Line(4250, "P", 0.12, oi=100, volume=50),
    Line(4400, "C", 0.11, oi=100, volume=0, expiry=TODAY + timedelta(days=7)),
]


def test_a_snapshot_carries_the_standing_of_its_own_scope_under_both_weights():
    seen = engine_snapshot(LINES)
    assert set(seen.standing) == {"oi", "vol"}
    found, scope = seen.standing["oi"], seen.scopes["full"]
    assert found == standing(seen, None, "oi") == standing(seen, "full", "oi")
    assert found.regime == "dampened"
    assert found.net_share == pytest.approx(scope.oi.net_gex_usd_per_1pct / scope.oi.gross_gex_usd_per_1pct)
    assert found.between_walls_pct == between_walls_pct(4300.0, scope.oi.put_wall, scope.oi.call_wall)
    assert 0.0 < found.between_walls_pct < 100.0
    nearest = seen.scopes["zero"].oi
    assert found.zero_share == pytest.approx(nearest.gross_gex_usd_per_1pct / scope.oi.gross_gex_usd_per_1pct)
    assert found.rolls_off_usd_per_1pct == nearest.net_gex_usd_per_1pct
    assert seen.standing["vol"].regime == "amplified"


def test_on_a_day_without_an_expiry_nothing_rolls_off():
    found = standing(engine_snapshot(LINES[2:]), None, "oi")
    assert (found.zero_share, found.rolls_off_usd_per_1pct) == (0.0, 0.0)


def test_of_another_producers_snapshot_only_what_it_tells_is_said():
    classic = msgspec.structs.replace(snapshot(), scopes={}, scope=None, min_dte=None)
    found = standing(classic, None, "oi")
    assert found.regime == "amplified"
    assert found.zero_gamma_distance_pct == pytest.approx(100 * (6400.25 - 6380) / 6400.25)
    assert (found.net_share, found.zero_share, found.rolls_off_usd_per_1pct) == (None, None, None)
    empty = msgspec.structs.replace(classic, ladder_split=None, sum_gex_oi=None, major_pos_oi=None, spot=None)
    assert standing(empty, None, "oi") == Standing()
