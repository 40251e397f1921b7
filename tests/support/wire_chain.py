"""A chain on its way over the simulator's wire, and what must be the same at both ends."""

import pytest

from streaming.chains.schwab import merge_chains, parse_chain
from streaming.gex.engine import GexEngine
from streaming.model import GexSnapshot
from streaming.option_chain import OptionChain
from streaming.sim.rest.chain_payload import ChainPayloads
from streaming.sim.rest.chain_query import ChainQuery
from streaming.sim.world.market import Market
from streaming.symbols import parse_ticker


def check_levels_survive(chain: OptionChain) -> None:
    """The simulator's market of a chain, asked expiry by expiry and side by side, has the chain's levels."""
    market = Market.from_chain(chain, seed=1)
    file, wire = _figures(chain, market), _figures(_over_the_wire(market, chain.ticker), market)
    assert (wire.major_pos_oi, wire.major_neg_oi) == (file.major_pos_oi, file.major_neg_oi)
    assert wire.sum_gex_oi == pytest.approx(file.sum_gex_oi, rel=0.01)
    roots = wire.scopes["all"].oi.zero_gamma_roots
    assert roots == pytest.approx(file.scopes["all"].oi.zero_gamma_roots, rel=1e-4)


def _figures(chain: OptionChain, market: Market) -> GexSnapshot:
    # By the volatilities that travel: the market quotes prices of its own, in whole cents.
    engine = GexEngine(parse_ticker(chain.ticker), scope="all", volatility="line")
    engine.on_chain(chain)
    snapshot = engine.compute(market.now)
    assert snapshot is not None
    return snapshot


def _over_the_wire(market: Market, ticker: str) -> OptionChain:
    wire = parse_ticker(ticker).wire
    payloads, board = ChainPayloads(market), market.board(wire)
    days = sorted({group.expiry.day for group in board.listed()})
    queries = [ChainQuery(wire, from_date=day, to_date=day, sides=(side,)) for day in days for side in ("CALL", "PUT")]
    return merge_chains([parse_chain(payloads.chain(query), ticker=ticker, asof=market.now) for query in queries])
