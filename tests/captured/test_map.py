"""The map of the rest of the session on captured chains, whose lines are stranger than made ones."""

from pathlib import Path

import numpy as np
import pytest

from streaming.chains.files.chain_files import load_chain
from streaming.gex.engine import GexEngine
from streaming.gex.results import ahead
from streaming.model import SCOPES, WEIGHTS
from streaming.symbols import Ticker

NAMES = (
    "cboe_rut_20230920.json", "ndx_20240322.csv", "spx_20230609.csv", "spx_20240107.csv", "spy_20230914.csv",
    "tda_spy_20220520.json",
)  # fmt: skip
ROWS, COLUMNS = [0, 13, 30, 31, 60], [0, 9, 20, 26]


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_those_of_pricing_every_line_there_and_the_first_is_published(captured_data: Path, name: str):
    chain = load_chain(captured_data / "gex" / f"{name}.gz")
    engine = GexEngine(Ticker(chain.ticker, chain.ticker), scope="all")
    engine.on_chain(chain)
    snapshot = engine.compute(chain.asof)
    made = list(engine.map_ahead(newer_than_ms=0))[-1]
    last = engine._last
    lines, kernel = last.selection.priced, last.kernel
    axes, bundles = ahead.axes_of(lines, kernel, chain.asof), ahead._bundled(lines, kernel)
    direct = ahead._priced(bundles, axes.spot, axes.prices[ROWS], axes.times_s[COLUMNS])
    gross = [snapshot.scopes["all"].by(weight).gross_gex_usd_per_1pct for weight in WEIGHTS]
    held = [snapshot.scopes["all"].by(weight).dex_dealer_usd for weight in WEIGHTS]
    figures = [("gamma", weight) for weight in WEIGHTS] + [("flow", weight) for weight in WEIGHTS]
    for (figure, weight), expected, size in zip(figures, direct, gross + held, strict=True):
        cells = np.array(getattr(made, figure)("all", weight)).reshape(ahead.PRICES, ahead.TIMES)
        assert np.abs(cells[np.ix_(ROWS, COLUMNS)] - expected).max() <= 1e-6 * max(size, np.abs(expected).max())
    for scope in SCOPES:
        own = snapshot.scopes[scope].oi
        published, now = own.net_gex_usd_per_1pct, made.gamma(scope, "oi")[30 * ahead.TIMES]
        if last.at_s == axes.times_s[0]:
            assert now == pytest.approx(published, abs=1e-6 * own.gross_gex_usd_per_1pct), scope
