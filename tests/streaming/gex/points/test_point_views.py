"""Levels in index, ETF and futures points: example G, and every way there and back."""

import pytest
from msgspec.structs import replace

from streaming.clock import epoch_ms
from streaming.errors import RequestError
from streaming.gex.engine import GexEngine
from streaming.gex.points.point_views import PointViews, native_view, relatives_of, seen_in
from streaming.model import GexSnapshot, ViewName
from streaming.symbols import Ticker, parse_ticker
from tests.support.option_lines import ASOF, block_a_chain

AT_MS = epoch_ms(ASOF)
INDEX, ETF, FUTURE = 5000.0, 500.5, 5012.25
"""Example A's spot and what its relatives cost."""


def snapshot_of(name: str, *, quoted: bool = True) -> GexSnapshot:
    """Example A as the chain of a ticker, with its family quoted at the same time."""
    ticker = parse_ticker(name)
    engine = GexEngine(ticker, scope="all")
    engine.on_chain(block_a_chain())
    prices = {"index": INDEX, "etf": ETF, "future": FUTURE}
    engine.on_spot(INDEX, AT_MS)
    for kind in relatives_of(ticker) if quoted else ():
        engine.on_relative(kind, prices[kind], AT_MS)
    found = engine.compute(ASOF)
    assert found is not None
    return found


def seen(name: str, view: ViewName) -> GexSnapshot:
    return seen_in(snapshot_of(name), view, parse_ticker(name))


def test_example_g_by_ratio():
    views = PointViews(parse_ticker("SPY"))
    views.on_price("index", 4505.10, 1)
    views.on_price("etf", 450.81, 1)
    view = views.current()["index"]
    assert view.ratio == pytest.approx(9.993345311772144, rel=1e-12)
    assert 449.0 * view.ratio + view.points == pytest.approx(4487.012044985693, abs=1e-9)


def test_example_g_by_basis():
    views = PointViews(parse_ticker("SPX"))
    views.on_price("index", 6628.73, 1)
    views.on_price("future", 6668.38, 2)
    view = views.current()["future"]
    assert [level * view.ratio + view.points for level in (6685.0, 6700.0)] == pytest.approx([6724.65, 6739.65])
    assert (view.symbol, view.points_ms, view.ratio_ms) == ("/ES", 2, None)


def test_an_index_is_seen_in_etf_points():
    native, etf = snapshot_of("SPX"), seen("SPX", "etf")
    ratio = ETF / INDEX
    assert native.views["etf"].symbol == "SPY"
    assert native.views["etf"].ratio_ms == AT_MS
    assert etf.spot == pytest.approx(ETF)
    assert etf.major_pos_oi == pytest.approx(5100 * ratio)
    mine, theirs = native.scopes["all"].oi, etf.scopes["all"].oi
    assert theirs.zero_gamma == pytest.approx(mine.zero_gamma * ratio)
    assert theirs.zero_gamma_roots == pytest.approx([root * ratio for root in mine.zero_gamma_roots])
    assert [row[0] for row in etf.strikes] == pytest.approx([row[0] * ratio for row in native.strikes])
    assert [row[0] for row in etf.scopes["all"].ladder] == pytest.approx([490.49, 500.5, 510.51])


def test_the_strikes_of_changes_move_too_and_the_changes_stay():
    changes = ((5100.0, 12.5), (None, None))
    moved = seen_in(replace(snapshot_of("SPX"), max_priors=changes), "future", parse_ticker("SPX"))
    assert moved.max_priors == ((5112.25, 12.5), (None, None))


def test_dollars_per_one_percent_stay_and_dollars_per_point_follow_the_points():
    mine, theirs = (seen("SPX", view).scopes["all"].oi for view in ("native", "etf"))
    assert theirs.net_gex_usd_per_1pct == mine.net_gex_usd_per_1pct
    assert theirs.call_wall_usd_per_1pct == mine.call_wall_usd_per_1pct
    assert theirs.net_gex_usd_per_point == pytest.approx(mine.net_gex_usd_per_1pct / (0.01 * ETF))
    assert theirs.zero_gamma_slope == pytest.approx(mine.zero_gamma_slope * INDEX / ETF)


@pytest.mark.parametrize("name", ["SPX", "ES"])
@pytest.mark.parametrize(
    ("view", "spot", "wall"), [("index", INDEX, 5100.0), ("etf", ETF, 510.51), ("future", FUTURE, 5112.25)]
)
def test_index_and_future_tell_the_same_levels_in_every_view(name: str, view: ViewName, spot: float, wall: float):
    snapshot = seen(name, view)
    assert snapshot.spot == pytest.approx(spot)
    assert snapshot.major_pos_oi == pytest.approx(wall)


def test_an_etfs_levels_reach_futures_points_by_ratio_then_basis():
    ticker = parse_ticker("SPY")
    views = PointViews(ticker)
    for kind, price in (("index", INDEX), ("etf", ETF), ("future", FUTURE)):
        views.on_price(kind, price, AT_MS)
    future = views.current()["future"]
    assert ETF * future.ratio + future.points == pytest.approx(FUTURE)
    assert 490.0 * future.ratio + future.points == pytest.approx(490.0 * INDEX / ETF + 12.25)
    assert (future.ratio_ms, future.points_ms) == (AT_MS, AT_MS)


def test_what_a_ticker_is_in_already_is_not_changed():
    assert {name: native_view(parse_ticker(name)) for name in ("SPX", "QQQ", "NQ", "AAPL")} == {
        "SPX": "index", "QQQ": "etf", "NQ": "future", "AAPL": "native",
    }  # fmt: skip
    snapshot = snapshot_of("SPX")
    assert seen_in(snapshot, "index", parse_ticker("SPX")) is snapshot
    assert seen_in(snapshot, "native", parse_ticker("SPX")) is snapshot


def test_a_view_that_was_never_measured_says_what_is_missing():
    with pytest.raises(RequestError, match="SPY and the underlying of SPX have not been quoted together"):
        seen_in(snapshot_of("SPX", quoted=False), "etf", parse_ticker("SPX"))
    with pytest.raises(RequestError, match="AAPL has no future"):
        seen_in(snapshot_of("SPX", quoted=False), "future", Ticker("AAPL", "AAPL"))


def test_a_view_that_was_measured_is_held_and_its_age_is_known():
    engine = GexEngine(parse_ticker("SPX"), scope="all")
    engine.on_chain(block_a_chain())
    engine.on_spot(INDEX, AT_MS)
    engine.on_relative("etf", ETF, AT_MS)
    engine.on_spot(INDEX + 10, AT_MS + 60_000)
    snapshot = engine.compute(ASOF)
    assert snapshot.asof_ms - snapshot.views["etf"].ratio_ms == 60_000
    assert snapshot.views["etf"].ratio == pytest.approx(ETF / INDEX)
