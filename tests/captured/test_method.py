"""specs/gex-method.md: the figures it quotes of captured chains are those of the command it names."""

from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streaming.chains.files.chain_files import load_chain
from streaming.clock import epoch_ms
from streaming.commands.gex import chain_report
from streaming.gex.engine import GexEngine
from streaming.model import FLOW_SPANS
from streaming.symbols import parse_ticker
from tests.support.method_tables import METHOD, chains_of, check_row, rows_of, shown

CHAINS = chains_of(METHOD)
SURPRISES = rows_of(METHOD, cells=4)


@cache
def report(folder: Path, name: str, options: tuple[str, ...]) -> dict[str, Any]:
    names = {"--forward": "forward", "--iv": "volatility", "--bad-iv": "bad_iv"}
    chosen: dict[str, Any] = {names[key]: value for key, value in zip(options[::2], options[1::2], strict=True)}
    return chain_report(load_chain(folder / f"{name}.gz"), **chosen)


def test_all_chains_are_in_the_table(captured_data: Path):
    names = {path.name.removesuffix(".gz") for path in (captured_data / "gex").glob("*.gz")}
    assert set(CHAINS) == names
    assert len(SURPRISES) > 20


@pytest.mark.parametrize("name", CHAINS)
def test_the_row_of_each_chain_is_true(captured_data: Path, name: str):
    check_row(report(captured_data / "gex", name, ()), CHAINS[name])


@pytest.mark.parametrize("row", SURPRISES, ids=lambda row: f"{row[0]} {row[1]}".replace("`", ""))
def test_each_surprising_figure_is_true(captured_data: Path, row: list[str]):
    name, *options = row[0].strip("`").split()
    value: Any = report(captured_data / "gex", name, tuple(options))["scopes"]
    for step in row[1].strip("`").split("."):
        value = value[step]
    assert shown(value, row[2]) == row[2]


@pytest.mark.parametrize(
    ("spot", "calls", "changed_bn", "traded_bn"), [(1.0005, 0, 2.2, 0.0), (1.0, 2000, 0.3, 0.4)], ids=["spot", "trades"]
)
def test_what_a_max_change_is_mostly_made_of_is_true(
    captured_data: Path, *, spot: float, calls: int, changed_bn: float, traded_bn: float
):
    """§11: 4,320 a minute later, once with spot 0.05 % higher and once with 2,000 calls more."""
    chain = replace(load_chain(captured_data / "gex" / "spx_20230609.csv.gz"), delayed=False)
    engine, later = GexEngine(parse_ticker("SPX"), scope="full"), chain.asof + timedelta(seconds=60)
    engine.on_chain(chain)
    engine.compute(chain.asof)
    today = (chain.strike == 4320.0) & chain.is_call & (chain.expiry == np.datetime64("2023-06-09"))
    engine.on_chain(replace(chain, asof=later, volume=chain.volume + calls * today))
    engine.on_spot(chain.spot * spot, epoch_ms(later))
    snapshot = engine.compute(later)
    assert snapshot.max_priors[1] == (4320.0, pytest.approx(changed_bn * 1000, abs=50))
    flow = snapshot.flow[FLOW_SPANS.index("1")]
    assert (flow.contracts, flow.strike_usd_per_1pct) == (calls, pytest.approx(traded_bn * 1e9, abs=5e7))


@pytest.mark.parametrize(("name", "share"), [("spy_20230914.csv", 0.0031), ("tda_spy_20220520.json", None)])
def test_the_eve_of_a_dividend_is_told_from_a_spot_after_the_close(captured_data: Path, name: str, share: float | None):
    """§7: of the one file all forwards are 0.3 % below spot, of the other only those after tonight."""
    assert report(captured_data / "gex", name, ())["dividend_ahead"] == (share and pytest.approx(share, abs=5e-5))
