"""An index, its ETF and its mini as one book."""

from random import Random

import msgspec
import numpy as np
import pytest

from streaming.errors import RequestError
from streaming.gex.results.levels import walls
from streaming.gex.results.one_book import NamedLevel, meeting, one_book, strike_step
from streaming.model import GexSnapshot, PointView, ScopeFigures, WeightFigures


def part(ticker, spot, ladder, *, net, walls=(None, None), zero=None, views=None):
    figures = WeightFigures(net_gex_usd_per_1pct=net, zero_gamma=zero, call_wall=walls[0], put_wall=walls[1])
    rows = tuple((float(strike), 0.0, value) for strike, value in ladder)
    return GexSnapshot(
        ticker=ticker, timestamp=1, asof_ms=1000, computed_ms=1000, seq=1, source="test", scope="full", spot=spot,
        views=views or {}, scopes={"full": ScopeFigures(ladder=rows, oi=figures)},
    )  # fmt: skip


SPX = part("SPX", 6400.0, [(6395, -1e8), (6400, 2e8), (6405, 1e8)], net=2e8, walls=(6400.0, 6395.0), zero=6390.0)
RATIO = {"index": PointView(symbol="$SPX", ratio=10.0, ratio_ms=1)}
SPY_LADDER = [(639.5, -3e8), (640, 1e8), (641, 5e8)]
SPY = part("SPY", 640.0, SPY_LADDER, net=3e8, walls=(641.0, 639.5), zero=639.1, views=RATIO)
XSP = part("XSP", 640.0, [(640, 4e6)], net=4e6)


def test_dollars_add_up_at_the_strikes_of_the_index():
    book = one_book([SPX, SPY, XSP], scope=None, weight="oi")
    assert book.tickers == ("SPX", "SPY", "XSP")
    assert book.net_gex_usd_per_1pct == pytest.approx(5.04e8)
    assert book.parts == (("SPX", 2e8), ("SPY", 3e8), ("XSP", 4e6))
    assert book.step == 5.0
    assert book.call_wall == (6410.0, 5e8)
    assert book.put_wall == (6395.0, -4e8)
    assert book.strongest[2][:2] == (6400.0, 3.04e8)


@pytest.mark.parametrize("seed", range(20))
def test_the_walls_of_one_ticker_are_those_that_the_engine_reads_off_its_ladder(seed):
    rng = Random(seed)
    ladder = [(6300.0 + 5.0 * at, float(rng.randint(-4, 4))) for at in range(40)]
    book = one_book([part("SPX", 6400.0, ladder, net=0.0)], scope=None, weight="oi")
    strikes, net = np.array(ladder).T
    (found,) = walls(strikes, np.stack((np.minimum(net, 0.0), np.maximum(net, 0.0)))[None], 6400.0)
    assert (book.call_wall, book.put_wall) == (found.get("call_wall"), found.get("put_wall"))


def test_the_strongest_strikes_come_first_with_their_share_and_of_equal_ones_the_lower():
    ladder = [(6395, 0.0), (6400, -2.0), (6405, 2.0), (6410, 4.0)]
    book = one_book([part("SPX", 6400.0, ladder, net=0.0)], scope=None, weight="oi")
    assert book.strongest == ((6410.0, 4.0, 0.5), (6400.0, -2.0, 0.25), (6405.0, 2.0, 0.25))


def test_levels_within_a_strike_step_meet():
    book = one_book([SPX, SPY], scope=None, weight="oi")
    (only,) = book.confluences
    assert only.price == pytest.approx(6392.75)
    assert [(level.ticker, level.figure) for level in only.levels] == [
        ("SPX", "zero_gamma"),
        ("SPY", "zero_gamma"),
        ("SPX", "put_wall"),
        ("SPY", "put_wall"),
    ]


def test_a_ticker_does_not_meet_itself_and_a_group_is_no_wider_than_the_distance():
    alone = [NamedLevel("SPX", "call_wall", 100.0), NamedLevel("SPX", "zero_gamma", 101.0)]
    assert meeting(alone, within=5.0) == ()
    chain = [NamedLevel("SPX", "call_wall", 100.0), NamedLevel("SPY", "call_wall", 104.0)]
    chain += [NamedLevel("SPX", "put_wall", 108.0)]
    (only,) = meeting(chain, within=5.0)
    assert (only.price, len(only.levels)) == (102.0, 2)


def test_the_step_is_the_commonest_near_spot():
    assert strike_step([5000, 5100, 6390, 6395, 6400, 6405, 6410, 6425], 6400.0) == 5.0
    assert strike_step([6400.0], 6400.0) == 1.0


def test_what_cannot_be_had_in_index_points_is_refused():
    with pytest.raises(RequestError, match="have not been quoted together yet"):
        one_book([SPX, msgspec.structs.replace(SPY, views={})], scope=None, weight="oi")
    with pytest.raises(RequestError, match="SPX has no ladder in scope zero"):
        one_book([SPX, SPY], scope="zero", weight="oi")
    with pytest.raises(RequestError, match="spot of SPX is unknown"):
        one_book([msgspec.structs.replace(SPX, spot=None), SPY], scope=None, weight="oi")
