"""The map of the rest of the session on captured chains, whose lines are stranger than made ones."""

from pathlib import Path

import numpy as np
import pytest

from streaming.chains.files.chain_files import load_chain
from streaming.clock import instant_of
from streaming.gex.engine import GexEngine
from streaming.gex.results.ahead import PRICES, TIMES
from streaming.model import SCOPES, WEIGHTS, ScopeFigures
from streaming.option_chain import OptionChain
from streaming.symbols import Ticker

NAMES = (
    "cboe_rut_20230920.json", "ndx_20240322.csv", "spx_20230609.csv", "spx_20240107.csv", "spy_20230914.csv",
    "tda_spy_20220520.json",
)  # fmt: skip
CELLS = ((0, 0), (22, 20), (30, 0), (31, 9), (60, 26))


def engine_of(chain: OptionChain) -> GexEngine:
    engine = GexEngine(Ticker(chain.ticker, chain.ticker), scope="all")
    engine.on_chain(chain)
    return engine


def published(chain: OptionChain, price: float, at_ms: int) -> dict[str, ScopeFigures]:
    """What an engine says that has nothing new but a price of that moment."""
    engine = engine_of(chain)
    engine.on_spot(price, at_ms)
    snapshot = engine.compute(instant_of(at_ms))
    assert snapshot is not None
    return snapshot.scopes


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_what_will_be_published_when_price_and_time_are_there(captured_data: Path, name: str):
    chain = load_chain(captured_data / "gex" / f"{name}.gz")
    engine = engine_of(chain)
    snapshot = engine.compute(chain.asof)
    assert snapshot is not None
    made = list(engine.map_ahead(newer_than_ms=0))[-1]
    assert made is not None
    compared = 0
    for row, column in CELLS:
        then = published(chain, made.prices[row], made.times_ms[column])
        first = published(chain, made.prices[row], made.times_ms[0])
        for scope, weight in ((scope, weight) for scope in SCOPES for weight in WEIGHTS):
            at, before = then[scope].by(weight), first[scope].by(weight)
            if any(seen[scope].expiries != snapshot.scopes[scope].expiries for seen in (then, first)):
                continue  # the scope has rolled by then, and holds other dates
            gamma, flow = (
                np.reshape(getattr(made, figure)(scope, weight), (PRICES, TIMES)) for figure in ("gamma", "flow")
            )
            assert gamma[row, column] == pytest.approx(
                at.net_gex_usd_per_1pct, abs=1.0 + 1e-6 * at.gross_gex_usd_per_1pct
            )
            sold = before.dex_dealer_usd - at.dex_dealer_usd
            assert flow[row, column] == pytest.approx(sold, abs=1.0 + 1e-6 * at.dex_dealer_usd), (
                scope,
                weight,
                row,
                column,
            )
            compared += 1
    assert compared >= 2 * len(CELLS), "the scope of everything at least"
