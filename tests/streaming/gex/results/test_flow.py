"""Flow: trades at the gamma of now, and nothing else."""

import dataclasses
from datetime import timedelta

import numpy as np
import pytest

from streaming.clock import epoch_ms
from streaming.gex.engine import GexEngine
from streaming.gex.points.point_views import seen_in
from streaming.model import FLOW_SPANS, GexSnapshot, OptionQuote
from streaming.symbols import parse_ticker
from tests.support.option_lines import ASOF, Line, block_a_chain, make_chain

CALL, PUT = Line(4320, "C", 0.11, 6000, 20_000), Line(4300, "P", 0.12, 5000, 26_000)


class Tape:
    """An engine that hears quotes of two lines as time passes."""

    def __init__(self, ticker: str = "SPX", lines: tuple[Line, ...] = (CALL, PUT)) -> None:
        self.engine = GexEngine(parse_ticker(ticker), scope="all")
        self.engine.on_chain(make_chain(lines))
        self.first = self.engine.compute(ASOF)

    def after(self, second: float, *, spot: float = 4300.0, **volumes: float) -> GexSnapshot:
        """The snapshot so many seconds later, at a spot and with new volumes of the call and the put."""
        at = ASOF + timedelta(seconds=second)
        ms = epoch_ms(at)
        lines = {"call": CALL, "put": PUT}
        quotes = [
            OptionQuote(symbol=lines[side].symbol, volume=volume, event_ms=ms, recv_ms=ms)
            for side, volume in volumes.items()
        ]
        self.engine.on_spot(spot, ms)
        self.engine.on_option(quotes)
        return self.engine.compute(at)


def flow(snapshot: GexSnapshot, span: str):
    return snapshot.flow[FLOW_SPANS.index(span)]


def test_spot_that_moves_without_a_trade_is_a_max_change_and_no_flow():
    tape = Tape()
    moved = tape.after(60, spot=4302.0)
    assert moved.max_priors[1][1] != 0.0
    for span in ("current", "1"):
        assert (flow(moved, span).usd_per_1pct, flow(moved, span).contracts) == (0.0, 0)
        assert (flow(moved, span).strike, flow(moved, span).strike_usd_per_1pct) == (None, 0.0)


def test_two_thousand_calls_are_their_gamma_of_now_and_their_strike():
    traded = Tape().after(60, spot=4301.0, call=22_000)
    one = flow(traded, "1")
    ladder = {row[0]: row[1] for row in traded.scopes["all"].ladder}
    assert (one.contracts, one.strike) == (2000, 4320.0)
    assert one.usd_per_1pct == one.strike_usd_per_1pct == pytest.approx(ladder[4320.0] / 11, rel=1e-6)
    assert traded.flow_strikes[-1][1][:2] == (pytest.approx(one.usd_per_1pct, abs=0.5),) * 2


def test_the_worked_example_of_the_method_to_the_dollar():
    start, engine = ASOF - timedelta(seconds=60), GexEngine(parse_ticker("SPX"), scope="all")
    before = dataclasses.replace(block_a_chain(), asof=start)
    before.volume[:] -= np.array([0.0, 200.0, 0.0, 0.0, 500.0, 0.0])
    engine.on_chain(before)
    engine.compute(start)
    engine.on_chain(block_a_chain())
    snapshot = engine.compute(ASOF)
    one = flow(snapshot, "1")
    assert (one.contracts, one.strike) == (700, 5100.0)
    assert one.strike_usd_per_1pct == pytest.approx(30_710_762, abs=0.5)
    assert one.usd_per_1pct == pytest.approx(19_388_635, abs=0.5)
    by_strike = {strike: cells[FLOW_SPANS.index("1")] for strike, cells in snapshot.flow_strikes}
    assert by_strike == {4900.0: -11_322_127.0, 5000.0: 0.0, 5100.0: 30_710_762.0}


def test_puts_count_minus_and_the_strongest_strike_is_by_size():
    traded = Tape().after(60, call=20_100, put=28_000)
    one = flow(traded, "1")
    assert (one.contracts, one.strike) == (2100, 4300.0)
    assert one.strike_usd_per_1pct < one.usd_per_1pct < 0.0


def test_since_the_open_it_is_the_day_itself_also_right_after_a_start():
    first = Tape().first
    day = flow(first, "open")
    assert day.usd_per_1pct == pytest.approx(first.scopes["all"].vol.net_gex_usd_per_1pct)
    assert (day.contracts, day.strike) == (46_000, first.scopes["all"].vol.put_wall)


def test_right_after_a_start_the_windows_are_unknown_and_say_so():
    first = Tape().first
    assert [own.usd_per_1pct is None for own in first.flow] == [True] * 6 + [False]
    assert [own.strike_usd_per_1pct is None for own in first.flow] == [True] * 6 + [False]
    assert all(cells[:6] == (None,) * 6 for _, cells in first.flow_strikes)


def test_a_strike_newly_listed_counts_since_the_open_only():
    tape = Tape()
    late = Line(4310, "C", 0.11, 10, 9000)
    at = ASOF + timedelta(seconds=60)
    tape.engine.on_chain(make_chain((CALL, PUT, late), asof=at))
    snapshot = tape.engine.compute(at)
    assert (flow(snapshot, "1").contracts, flow(snapshot, "open").contracts) == (0, 55_000)


def test_where_nothing_can_be_priced_no_span_is_known():
    blind = Tape(lines=(Line(4320, "C", 0.0, 6000, 20_000),)).first
    assert [own.usd_per_1pct for own in blind.flow] == [None] * 7


def test_strikes_of_a_futures_ticker_are_in_its_points_and_unknown_before_a_basis():
    tape = Tape("ES_SPX")
    unknown = tape.after(60, call=22_000)
    assert (flow(unknown, "1").strike, unknown.flow_strikes) == (None, ())
    assert flow(unknown, "1").usd_per_1pct > 0.0
    tape.engine.on_relative("future", 4310.5, epoch_ms(ASOF) + 60_000)
    known = tape.after(60)
    assert flow(known, "1").strike == 4330.5
    assert [strike for strike, _ in known.flow_strikes] == [4310.5, 4330.5]


def test_another_view_moves_strikes_and_leaves_dollars():
    tape = Tape()
    tape.engine.on_relative("future", 4310.5, epoch_ms(ASOF) + 60_000)
    native = tape.after(60, call=22_000)
    seen = seen_in(native, "future", parse_ticker("SPX"))
    assert flow(seen, "1").strike == 4330.5
    assert flow(seen, "1").usd_per_1pct == flow(native, "1").usd_per_1pct
    assert seen.flow_strikes == tuple((strike + 10.5, cells) for strike, cells in native.flow_strikes)
