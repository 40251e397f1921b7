"""Every figure of every made chain, read from its file, against the definitions worked out slowly and separately."""

from pathlib import Path

import pytest

from streaming.chains.files import load_chain
from streaming.commands.gex_report import chain_report
from streaming.gex.engine import GexEngine
from streaming.model import SCOPES, OptionChain
from streaming.symbols import parse_ticker
from tests.data_builders.chains import RECIPES, made, spx_whole
from tests.data_builders.market import Market
from tests.support.gex_checks import check_everything
from tests.support.slow_gex import SlowChain, SlowScope


def slow_of(market: Market, *, mirror: bool = True) -> SlowChain:
    return SlowChain(market.contracts(), market.spot, market.asof, mirror=mirror)


def check(chain: OptionChain, market: Market, *, roots: bool = True) -> None:
    engine = GexEngine(parse_ticker(market.ticker), scope="full")
    engine.on_chain(chain)
    snapshot = engine.compute(market.asof)
    assert (snapshot.ticker, snapshot.spot) == (market.ticker, market.spot)
    check_everything(engine, snapshot, slow_of(market), roots=roots)


@pytest.mark.parametrize("name", RECIPES)
def test_every_figure_is_what_the_definitions_give(tmp_path: Path, name: str):
    chain = load_chain(made(name).write(tmp_path / name))
    assert chain.asof == made(name).market.asof
    check(chain, made(name).market)


def test_every_sum_and_wall_of_21_000_contracts_is_what_the_definitions_give(tmp_path: Path):
    chain = load_chain(spx_whole().write(tmp_path / "whole.csv"))
    assert len(chain) == 21_000
    check(chain, spx_whole().market, roots=False)


@pytest.mark.parametrize("name", ["spx_intraday.csv", "qqq_blind.csv", "spx_schwab.json", "ndx_evening.csv"])
@pytest.mark.parametrize("forward", ["none", "parity"])
@pytest.mark.parametrize("bad_iv", ["drop", "mirror"])
def test_each_convention_for_forwards_and_missing_volatilities_is_what_it_says(
    tmp_path: Path, name: str, forward: str, bad_iv: str
):
    market = made(name).market
    slow = slow_of(market, mirror=bad_iv == "mirror")
    if forward == "none":
        for item in slow.priced:
            item.rho = 1.0
    own = SlowScope(slow, slow.scopes()["all"], 0)
    chain = load_chain(made(name).write(tmp_path / name))
    figures = chain_report(chain, scopes=("all",), forward=forward, bad_iv=bad_iv)["scopes"]["all"]["oi"]
    assert figures["net_gex_usd_per_1pct"] == pytest.approx(own.net(), rel=1e-9)
    level = figures["zero_gamma"]
    assert own.net_at(level * 0.99999) * own.net_at(level * 1.00001) < 0.0


def test_the_conventions_differ_where_they_should(tmp_path: Path):
    chain = load_chain(made("spx_intraday.csv").write(tmp_path / "chain.csv"))
    nets = {
        chain_report(chain, scopes=("all",), forward=forward, bad_iv=bad_iv)["scopes"]["all"]["oi"]["zero_gamma"]
        for forward in ("none", "parity")
        for bad_iv in ("drop", "mirror")
    }
    assert len(nets) == 4


def test_scopes_are_those_of_the_model():
    assert tuple(slow_of(made("spx_night.csv").market).scopes()) == SCOPES
