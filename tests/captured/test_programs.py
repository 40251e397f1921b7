"""Captured chains through whole programs: over the simulator's wire, relisted, in the demo."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from streaming.calendar import new_york
from streaming.chains.files.chain_files import load_chain
from streaming.sim.options.contract_lines import lines_from_chain
from streaming.sim.options.option_boards import relist_real
from streaming.sim.prices.instruments import underlying_of
from tests.e2e.conftest import Home
from tests.e2e.test_demo import check_market_of
from tests.support.wire_chain import check_levels_survive


@pytest.mark.parametrize("name", ["spx_20230609.csv.gz", "tda_spy_20220520.json.gz", "cboe_rut_20230920.json.gz"])
def test_the_levels_of_a_chain_survive_the_wire(captured_data: Path, name: str):
    check_levels_survive(load_chain(captured_data / "gex" / name))


def test_what_the_exchange_adds_has_the_volatility_of_its_neighbours(captured_data: Path):
    chain = load_chain(captured_data / "gex" / "spx_20230609.csv.gz")
    lines, groups = lines_from_chain(chain)
    at, item = chain.asof + timedelta(days=40), underlying_of(chain.ticker, chain.spot)
    listed_on = new_york(chain.asof).date()
    new, listed = relist_real(
        lines, groups, item, listed_on=listed_on, at=at, spot=chain.spot, rng=np.random.default_rng(1)
    )
    known = {group.expiry.day for group in groups}
    added = [group.rows for group in listed if group.expiry.day not in known]
    near = [new.sigma[rows][abs(new.strike[rows] / chain.spot - 1) < 0.02] for rows in added]
    own = np.median(lines.sigma[abs(lines.strike / chain.spot - 1) < 0.02])
    assert 0.6 < np.median(np.concatenate(near)) / own < 1.6


@pytest.mark.parametrize("name", ["ndx_20240322.csv.gz", "cboe_rut_20230920.json.gz"])
def test_a_chain_becomes_the_market_of_the_demo(home: Home, captured_data: Path, name: str):
    ticker = name.removeprefix("cboe_").partition("_")[0]
    check_market_of(home, captured_data / "gex" / name, ticker)
