"""What a snapshot says about itself: what has settled, and whether the basis is held."""

from dataclasses import replace
from datetime import timedelta

from streaming.clock import epoch_ms
from streaming.gex.engine import GexEngine
from streaming.model import ChainQuality
from streaming.symbols import parse_ticker
from tests.support.option_lines import ASOF, TODAY, Line, make_chain

LINES = [
    Line(4300, "C", 0.11, 10, 5),
    Line(4300, "P", 0.12, 10, 5),
    Line(4290, "C", 0.11, 10, expiry=TODAY - timedelta(days=1)),
    Line(4280, "P", 0.11, 10, root="SPX"),
]


def test_settled_contracts_are_counted_once_for_the_chain_and_in_no_scope():
    engine = GexEngine(parse_ticker("SPX"), scope="all")
    engine.on_chain(make_chain(LINES))
    snapshot = engine.compute(ASOF)
    assert snapshot.contracts_settled == 2
    assert snapshot.scopes["all"].contracts == 2


def test_what_reading_met_travels_and_an_implied_price_is_told_until_a_live_one_comes():
    engine = GexEngine(parse_ticker("SPX"), scope="all")
    engine.on_chain(make_chain(LINES))
    assert engine.compute(ASOF).chain_quality is None
    met = ChainQuality(doubled=2, spot_implied=True)
    engine.on_chain(replace(make_chain(LINES), quality=met))
    assert engine.compute(ASOF).chain_quality == met
    engine.on_spot(4301.0, epoch_ms(ASOF))
    assert engine.compute(ASOF).chain_quality == ChainQuality(doubled=2)


def test_a_basis_without_fresh_quotes_for_thirty_seconds_is_held_and_called_stale():
    engine = GexEngine(parse_ticker("ES_SPX"), scope="all")
    engine.on_chain(make_chain(LINES))
    assert engine.compute(ASOF).basis_stale is None
    engine.on_spot(4300.0, epoch_ms(ASOF))
    engine.on_relative("future", 4310.5, epoch_ms(ASOF))
    fresh, held = engine.compute(ASOF + timedelta(seconds=30)), engine.compute(ASOF + timedelta(seconds=31))
    assert (fresh.basis_stale, held.basis_stale) == (False, True)
    assert held.basis == fresh.basis == 10.5
    assert held.basis_ms == epoch_ms(ASOF)
    assert held.spot == 4310.5


def test_a_ticker_in_its_own_points_has_no_basis_to_be_stale():
    engine = GexEngine(parse_ticker("SPX"), scope="all")
    engine.on_chain(make_chain(LINES))
    assert engine.compute(ASOF).basis_stale is None
