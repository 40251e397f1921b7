"""Every figure of every captured chain against the definitions worked out slowly and separately."""

import math
from datetime import datetime
from pathlib import Path

import pytest

from streaming.chains.files.chain_files import load_chain
from streaming.gex.engine import GexEngine
from streaming.model import VOLATILITY_RULES, VolatilityRule
from streaming.symbols import parse_ticker
from tests.support.gex_checks import check_everything
from tests.support.slow_files import read_slowly
from tests.support.slow_gex import NEW_YORK, SlowChain

QUOTED = {
    "cboe_rut_20230920.json": ("RUT", "2023-09-20T16:00"),
    "cboe_spy_20220401.json": ("SPY", "2022-04-01T16:00"),
    "ndx_20220205.csv": ("NDX", "2022-02-04T16:00"),
    "ndx_20221212.csv": ("NDX", "2022-12-12T16:00"),
    "ndx_20230526.csv": ("NDX", "2023-05-26T16:00"),
    "ndx_20240322.csv": ("NDX", "2024-03-22T16:00"),
    "qqq_20230612.csv": ("QQQ", "2023-06-12T16:00"),
    "qqq_20240322.csv": ("QQQ", "2024-03-22T16:00"),
    "rut_20221212.csv": ("RUT", "2022-12-12T16:00"),
    "spx_20220205.csv": ("SPX", "2022-02-04T16:00"),
    "spx_20220611.csv": ("SPX", "2022-06-10T16:00"),
    "spx_20220712.csv": ("SPX", "2022-07-12T11:40"),
    "spx_20221212.csv": ("SPX", "2022-12-12T16:00"),
    "spx_20230207.csv": ("SPX", "2023-02-07T16:00"),
    "spx_20230609.csv": ("SPX", "2023-06-09T13:25"),
    "spx_20230820.csv": ("SPX", "2023-08-18T16:00"),
    "spx_20230914.csv": ("SPX", "2023-09-14T16:00"),
    "spx_20240107.csv": ("SPX", "2024-01-05T16:00"),
    "spx_20250106_part.csv": ("SPX", "2025-01-06T21:06"),
    "spy_20230605.csv": ("SPY", "2023-06-02T16:00"),
    "spy_20230914.csv": ("SPY", "2023-09-14T16:00"),
    "spy_20250925_part.csv": ("SPY", "2025-09-25T16:00"),
    "tda_spy_20220520.json": ("SPY", "2022-05-20T16:00"),
    "xsp_20230914.csv": ("XSP", "2023-09-14T16:00"),
}
"""Ticker and quote time, New York (specs/gex-method.md §5): 15 minutes before the file's clock in a session, 20 in
SPX's night session, else the last close."""


DIGITS = {"cboe": 1e-4, "tda_": 1e-3}
"""The last one of the gamma and vega of files that have both."""


@pytest.mark.parametrize("rule", VOLATILITY_RULES)
@pytest.mark.parametrize("name", QUOTED)
def test_every_figure_is_what_the_definitions_give(captured_data: Path, name: str, rule: VolatilityRule):
    ticker, quoted = QUOTED[name]
    path = captured_data / "gex" / f"{name}.gz"
    asof = datetime.fromisoformat(quoted).replace(tzinfo=NEW_YORK)
    spot, contracts = read_slowly(path, ticker)
    slow = SlowChain(contracts, spot, asof, rule=rule, digit=DIGITS.get(name[:4], math.inf))
    engine = GexEngine(parse_ticker(ticker), scope="full", volatility=rule)
    chain = load_chain(path)
    assert abs(chain.asof - asof).total_seconds() <= 20
    engine.on_chain(load_chain(path, asof=asof))
    snapshot = engine.compute(asof)
    assert (snapshot.ticker, snapshot.spot) == (ticker, spot)
    check_everything(engine, snapshot, slow, roots=rule == "quotes")
