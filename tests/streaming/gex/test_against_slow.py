"""Every figure of every made chain, read from its file, against the definitions worked out slowly and separately."""

import json
import math
from pathlib import Path

import pytest

from streaming.chains.files.chain_files import load_chain
from streaming.commands.gex import chain_report
from streaming.gex.engine import GexEngine
from streaming.model import SCOPES, VOLATILITY_RULES, VolatilityRule
from streaming.option_chain import OptionChain
from streaming.symbols import parse_ticker
from tests.data_builders.chains import RECIPES, MadeChain, made, spx_whole
from tests.support.gex_checks import check_everything
from tests.support.slow_gex import SlowChain, SlowScope

CONVENTIONS = [("quotes", "mirror"), ("otm", "mirror"), ("line", "mirror"), ("line", "drop")]
FROZEN = (
    "net_gex_usd_per_1pct", "gross_gex_usd_per_1pct", "vex_usd_per_vol_point", "chex_usd_per_day", "dex_usd",
    "zero_gamma", "major_pos", "major_neg", "zero_gamma_ladder",
)  # fmt: skip


def slow_of(chain: MadeChain, **rules: object) -> SlowChain:
    market, digit = chain.market, math.inf if chain.decimals is None else 10.0**-chain.decimals
    return SlowChain(market.contracts(chain.decimals), market.spot, market.asof, digit=digit, **rules)


def check(chain: OptionChain, source: MadeChain, *, roots: bool = True, rule: VolatilityRule = "quotes") -> None:
    market = source.market
    engine = GexEngine(parse_ticker(market.ticker), scope="full", volatility=rule)
    engine.on_chain(chain)
    snapshot = engine.compute(market.asof)
    assert (snapshot.ticker, snapshot.spot, snapshot.volatility_rule) == (market.ticker, market.spot, rule)
    check_everything(engine, snapshot, slow_of(source, rule=rule), roots=roots)


@pytest.mark.parametrize("rule", VOLATILITY_RULES)
@pytest.mark.parametrize("name", RECIPES)
def test_every_figure_is_what_the_definitions_give(tmp_path: Path, name: str, rule: VolatilityRule):
    chain = load_chain(made(name).write(tmp_path / name))
    assert chain.asof == made(name).market.asof
    check(chain, made(name), rule=rule)


def test_every_sum_and_wall_of_21_000_contracts_is_what_the_definitions_give(tmp_path: Path):
    chain = load_chain(spx_whole().write(tmp_path / "whole.csv"))
    assert len(chain) == 21_000
    check(chain, spx_whole(), roots=False)


@pytest.mark.parametrize("name", ["spx_intraday.csv", "qqq_blind.csv", "spx_schwab.json", "ndx_evening.csv"])
@pytest.mark.parametrize("forward", ["none", "parity"])
@pytest.mark.parametrize(("rule", "bad_iv"), CONVENTIONS)
def test_each_convention_for_forwards_and_volatilities_is_what_it_says(
    tmp_path: Path, *, name: str, forward: str, rule: VolatilityRule, bad_iv: str
):
    slow = slow_of(made(name), rule=rule, mirror=bad_iv == "mirror", parity=forward == "parity")
    own = SlowScope(slow, slow.scopes()["all"], 0)
    chain = load_chain(made(name).write(tmp_path / name))
    report = chain_report(chain, scopes=("all",), forward=forward, volatility=rule, bad_iv=bad_iv)
    figures = report["scopes"]["all"]["oi"]
    assert figures["net_gex_usd_per_1pct"] == pytest.approx(own.net(), rel=1e-9)
    level = figures["zero_gamma"]
    assert own.net_at(level * 0.99999) * own.net_at(level * 1.00001) < 0.0


def test_the_conventions_differ_where_they_should(tmp_path: Path):
    chain = load_chain(made("ndx_evening.csv").write(tmp_path / "chain.csv"))
    levels = set()
    for forward in ("none", "parity"):
        for rule, bad_iv in CONVENTIONS:
            report = chain_report(chain, scopes=("all",), forward=forward, volatility=rule, bad_iv=bad_iv)
            levels.add(report["scopes"]["all"]["oi"]["zero_gamma"])
    assert len(levels) == 8


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("bad_iv", ["drop", "mirror"])
def test_the_rule_line_gives_the_digits_that_it_gave_before_there_were_others(tmp_path: Path, name: str, bad_iv: str):
    """But for charm per day, which is not published any more where a line settles within a day."""
    frozen = json.loads((Path(__file__).parent / "line_results.json").read_text())[f"{name} {bad_iv}"]
    found = chain_report(load_chain(made(name).write(tmp_path / name)), volatility="line", bad_iv=bad_iv)["scopes"]
    for scope, (oi, vol, *rest) in frozen.items():
        own = found[scope]
        for figures, digits in ((own["oi"], oi), (own["vol"], vol), (own, rest[:1])):
            for figure, theirs in zip(FROZEN if len(digits) > 1 else ("rr25",), digits, strict=True):
                if figure != "chex_usd_per_day" or figures[figure] is not None:
                    assert figures[figure] == (None if theirs is None else pytest.approx(theirs, rel=1e-12)), figure
        assert [own["contracts_mirrored"], own["contracts_unpriced"]] == rest[1:]


def test_scopes_are_those_of_the_model():
    assert tuple(slow_of(made("spx_night.csv")).scopes()) == SCOPES
