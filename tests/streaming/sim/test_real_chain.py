"""A market made of a real chain says over the wire what the file said."""

import pytest

from streaming.gex.engine import GexEngine
from streaming.model import GexSnapshot, OptionChain
from streaming.schwab.chains import merge_chains, parse_chain
from streaming.sim.chain_payload import ChainPayloads
from streaming.sim.chain_query import ChainQuery
from streaming.sim.market import Market
from streaming.sources.files import load_chain
from streaming.symbols import parse_ticker


def figures(chain: OptionChain, market: Market) -> GexSnapshot:
    engine = GexEngine(parse_ticker(chain.ticker), scope="all")
    engine.on_chain(chain)
    snapshot = engine.compute(market.now)
    assert snapshot is not None
    return snapshot


def over_the_wire(market: Market, ticker: str) -> OptionChain:
    wire = parse_ticker(ticker).wire
    payloads, board = ChainPayloads(market), market.board(wire)
    queries = [
        ChainQuery(wire, from_date=day, to_date=day, sides=(side,)) for day in board.dates() for side in ("CALL", "PUT")
    ]
    return merge_chains([parse_chain(payloads.chain(query), ticker=ticker, asof=market.now) for query in queries])


@pytest.mark.parametrize("name", ["spx_20230609.csv.gz", "tda_spy_20220520.json.gz", "cboe_rut_20230920.json.gz"])
def test_the_levels_of_a_real_chain_survive_the_wire(shared_data, name):
    chain = load_chain(shared_data / "gex" / name)
    market = Market.from_chain(chain, seed=1)
    file, wire = figures(chain, market), figures(over_the_wire(market, chain.ticker), market)
    assert (wire.major_pos_oi, wire.major_neg_oi) == (file.major_pos_oi, file.major_neg_oi)
    assert wire.sum_gex_oi == pytest.approx(file.sum_gex_oi, rel=0.01)
    roots = wire.scopes["all"].oi.zero_gamma_roots
    assert roots == pytest.approx(file.scopes["all"].oi.zero_gamma_roots, rel=1e-4)
