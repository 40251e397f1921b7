"""Ladders and profiles as they travel: near spot, whole dollars, in a futures ticker's points."""

from datetime import timedelta

import numpy as np
import pytest

from streaming.bus.codec import encode_snapshot
from streaming.bus.snapshots.classic import parse_snapshot
from streaming.clock import epoch_ms
from streaming.commands.gex import chain_report
from streaming.gex.engine import GexEngine
from streaming.gex.results.levels import ladder_rows, profile_points
from streaming.model import SCOPES, GexSnapshot
from streaming.symbols import parse_ticker
from tests.support.option_lines import ASOF, Line, block_a_chain, make_chain

FAR = Line(9000, "C", 0.3, 100, 100)


def snapshot_of(chain, ticker: str = "SPX", *, future: float | None = None) -> GexSnapshot:
    engine = GexEngine(parse_ticker(ticker), scope="all")
    engine.on_chain(chain)
    if future is not None:
        engine.on_spot(chain.spot, epoch_ms(ASOF))
        engine.on_relative("future", future, epoch_ms(ASOF))
    found = engine.compute(ASOF)
    assert found is not None
    return found


def test_the_ladder_holds_the_listed_strikes_within_ten_percent_of_spot():
    strikes = np.array([89.0, 90.0, 100.0, 105.0, 110.0, 111.0])
    values = np.arange(6.0)
    listed = np.array([True, True, True, False, True, True])
    rows = ladder_rows(strikes, listed, np.stack((-values, values)), 100.0)
    assert rows == ((90.0, 1.0, -1.0), (100.0, 2.0, -2.0), (110.0, 4.0, -4.0))


def test_dollars_are_whole():
    assert ladder_rows(np.array([100.0]), np.array([True]), np.array([[-2.4], [1.6]]), 100.0) == ((100.0, 2.0, -2.0),)
    assert profile_points(np.array([100.00004]), np.array([[1.6], [-2.4]]), 100.0) == ((100.0, -2.0, 2.0),)


def test_points_of_a_profile_keep_their_distance():
    levels = np.linspace(99.0, 101.0, 2001)
    points = profile_points(levels, np.zeros((2, levels.size)), 100.0)
    gaps = np.diff([level for level, _, _ in points])
    assert gaps.min() >= 0.02 - 1e-9
    assert points[0][0] == 99.0


def test_the_ladder_of_a_snapshot_adds_up_to_its_total():
    figures = snapshot_of(block_a_chain()).scopes["all"]
    assert [row[0] for row in figures.ladder] == [4900.0, 5000.0, 5100.0]
    assert figures.ladder[0][1:] == (-498173594.0, -283053178.0)
    assert sum(row[2] for row in figures.ladder) == pytest.approx(figures.oi.net_gex_usd_per_1pct, abs=2)


def test_calls_and_puts_of_a_strike_make_its_net_and_all_of_them_the_parts_of_the_total():
    figures = snapshot_of(block_a_chain()).scopes["all"]
    assert [row[0] for row in figures.sides] == [4900.0, 5000.0, 5100.0]
    for (_, vol, oi), (_, *parts) in zip(figures.ladder, figures.sides, strict=True):
        assert (parts[0] + parts[1], parts[2] + parts[3]) == pytest.approx((vol, oi), abs=1)
    # 1,000 calls and 6,000 puts at 4,900: 100 · 5000² · 0.01 · 0.002264425426831528 each
    assert figures.sides[0][3:] == (56610636.0, -339663814.0)
    sums = [sum(row[place] for row in figures.sides) for place in range(1, 5)]
    parts = (
        own
        for weight in (figures.vol, figures.oi)
        for own in (weight.call_gex_usd_per_1pct, weight.put_gex_usd_per_1pct)
    )
    assert sums == pytest.approx(list(parts), abs=2)


def test_strikes_of_most_calls_and_puts_together_have_their_share_of_the_gross():
    figures = snapshot_of(block_a_chain()).scopes["all"].oi
    assert [row[0] for row in figures.top_strikes_gross] == [5000.0, 4900.0, 5100.0]
    assert [row[0] for row in figures.top_strikes] == [4900.0, 5100.0, 5000.0]
    assert sum(row[1] for row in figures.top_strikes_gross) == pytest.approx(figures.gross_gex_usd_per_1pct)
    assert sum(row[2] for row in figures.top_strikes_gross) == pytest.approx(1.0)


def test_the_profile_passes_through_the_total_at_spot_and_changes_sign_at_the_root():
    snapshot = snapshot_of(block_a_chain())
    figures = snapshot.scopes["all"]
    at_spot = min(figures.profile, key=lambda point: abs(point[0] - snapshot.spot))
    assert at_spot == (5000.0, round(figures.vol.net_gex_usd_per_1pct), round(figures.oi.net_gex_usd_per_1pct))
    below = max((p for p in figures.profile if p[0] < figures.oi.zero_gamma), key=lambda p: p[0])
    above = min((p for p in figures.profile if p[0] > figures.oi.zero_gamma), key=lambda p: p[0])
    assert below[2] < 0.0 < above[2]
    levels = [level for level, _, _ in figures.profile]
    assert levels == sorted(levels)
    assert (levels[0], levels[-1]) == (4500.0, 5500.0)


def test_the_profile_is_kept_between_sweeps_and_fresh_after_ten_seconds():
    engine = GexEngine(parse_ticker("SPX"), scope="all")
    engine.on_chain(block_a_chain())
    first, kept, fresh = (engine.compute(ASOF + timedelta(seconds=second)) for second in (0, 9, 11))
    assert kept.scopes["all"].profile is first.scopes["all"].profile
    assert fresh.scopes["all"].profile is not first.scopes["all"].profile


def test_a_futures_ticker_has_them_in_futures_points():
    index = snapshot_of(block_a_chain()).scopes["all"]
    future = snapshot_of(block_a_chain(), "ES", future=5012.25).scopes["all"]
    assert [row[0] for row in future.ladder] == [4912.25, 5012.25, 5112.25]
    assert [row[1:] for row in future.ladder] == [row[1:] for row in index.ladder]
    assert [row[0] for row in future.sides] == [4912.25, 5012.25, 5112.25]
    assert future.oi.top_strikes_gross[0][0] == 5012.25
    assert [point[0] - 12.25 for point in future.profile] == pytest.approx([point[0] for point in index.profile])


def test_without_a_basis_a_futures_ticker_has_neither():
    figures = snapshot_of(block_a_chain(), "ES").scopes["all"]
    assert (figures.ladder, figures.sides, figures.profile) == ((), (), ())


def test_they_survive_the_way_over_the_bus():
    snapshot = snapshot_of(block_a_chain())
    assert parse_snapshot(encode_snapshot(snapshot), received_ms=0) == snapshot
    assert all(snapshot.scopes[name].profile for name in ("zero", "full", "all"))


@pytest.mark.parametrize("table", ["ladder", "sides"])
def test_a_report_has_the_whole_ladder(table: str):
    chain = make_chain([Line(4300, "C", 0.11, 10, 10), FAR])
    assert [row[0] for row in chain_report(chain)["scopes"]["all"][table]] == [4300.0, 9000.0]
    assert [row[0] for row in getattr(snapshot_of(chain).scopes["all"], table)] == [4300.0]


def test_a_scope_without_a_price_has_neither():
    snapshot = snapshot_of(make_chain([Line(4300, "C", 0.0, 10, 10)]))
    assert all(not snapshot.scopes[name].ladder and not snapshot.scopes[name].profile for name in SCOPES)
