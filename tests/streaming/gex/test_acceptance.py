"""Every block of the acceptance examples that a whole engine can answer, to the digits (specs/gex-method.md §17)."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streaming.calendar import settle_at
from streaming.gex.engine import GexEngine
from streaming.gex.points.basis import shift
from streaming.gex.pricing.formulas import YEAR_S, years_to_expiry
from streaming.gex.pricing.forward import parity_forwards
from streaming.gex.pricing.lines import sort_lines
from streaming.gex.results.levels import ladder_splits
from streaming.gex.results.max_change import Ladder, LadderHistory, largest_change, values_at
from streaming.gex.results.spot_figures import iv_at_quarter
from streaming.model import VOLATILITY_RULES, GexSnapshot, VolatilityRule
from streaming.symbols import parse_ticker
from tests.support.black_scholes import charm, delta, gamma, vanna
from tests.support.option_lines import ASOF, Line, block_a_chain, lines_of, make_chain

SUM = 1e-9
POINTS = 1e-6


@pytest.fixture(scope="session")
def examples() -> dict[str, Any]:
    return json.loads(Path(__file__).with_name("acceptance.json").read_text())


def snapshot_of(chain, **options: Any) -> GexSnapshot:
    engine = GexEngine(parse_ticker("SPX"), scope="all", **options)
    engine.on_chain(chain)
    return engine.compute(chain.asof)


@pytest.mark.parametrize("rule", VOLATILITY_RULES)
def test_block_a_one_expiry(examples: dict[str, Any], rule: VolatilityRule):
    block = examples["A_one_expiry"]
    snapshot = snapshot_of(block_a_chain(), volatility=rule)
    for weight in ("oi", "vol"):
        figures, expected = getattr(snapshot.scopes["all"], weight), block[weight]
        assert figures.net_gex_usd_per_1pct == pytest.approx(expected["net_usd_per_1pct"], rel=SUM)
        assert figures.net_gex_usd_per_point == pytest.approx(expected["net_usd_per_point"], rel=SUM)
        assert figures.zero_gamma_roots == pytest.approx(expected["zero_gamma_sweep_roots"], abs=POINTS)
        assert (figures.call_wall, figures.put_wall) == (expected["major_pos"], expected["major_neg"])


def test_block_a_line_by_line_and_strike_by_strike(examples: dict[str, Any]):
    block = examples["A_one_expiry"]
    for item in block["contracts"]:
        found = float(gamma(5000.0, float(item["strike"]), item["iv"], block["T_years"]))
        assert found == pytest.approx(block["gamma"][f"{item['strike']}{item['type']}"], rel=SUM)
    engine = GexEngine(parse_ticker("SPX"), scope="all")
    chain = block_a_chain()
    engine.on_chain(chain)
    engine.compute(chain.asof)
    for place, weight in ((1, "vol"), (2, "oi")):
        ladder = {str(int(row[0])): row[place] for row in engine.ladder("all")}
        assert ladder == pytest.approx(block[weight]["per_strike_usd_per_1pct"], rel=SUM)


@pytest.mark.parametrize("am", [True, False])
def test_block_b_instants_are_those_of_the_calendar(examples: dict[str, Any], am: bool):
    for row in examples["B_time"]:
        expiry = datetime.fromisoformat(row["expiry"])
        if am == (expiry.hour == 9):
            assert settle_at(expiry.date(), am=am) == expiry
            left = settle_at(expiry.date(), am=am) - datetime.fromisoformat(row["asof"])
            assert left.total_seconds() == row["seconds"]


def test_block_b_time(examples: dict[str, Any]):
    for row in examples["B_time"]:
        asof, expiry = (datetime.fromisoformat(row[name]) for name in ("asof", "expiry"))
        assert (expiry - asof).total_seconds() == row["seconds"] or asof.utcoffset() == expiry.utcoffset()
        assert years_to_expiry(expiry.timestamp(), asof.timestamp()) == pytest.approx(row["T_years"], rel=1e-12)


@pytest.mark.parametrize("scope", ["zero", "one", "full", "all"])
@pytest.mark.parametrize("weight", ["oi", "vol"])
@pytest.mark.parametrize("rule", VOLATILITY_RULES)
def test_block_c_scopes_and_sentinels(examples: dict[str, Any], scope: str, weight: str, rule: VolatilityRule):
    block = examples["C_scopes_and_sentinels"]
    chain = make_chain(lines_of(block["contracts"]), spot=block["spot"], asof=datetime.fromisoformat(block["asof"]))
    snapshot = snapshot_of(chain, volatility=rule)
    expected = block[f"{'full_90d' if scope == 'full' else scope}_{weight}"]
    figures = getattr(snapshot.scopes[scope], weight)
    assert figures.net_gex_usd_per_1pct == pytest.approx(expected["net"], rel=SUM)
    assert figures.zero_gamma == pytest.approx(expected["zero_gamma_sweep"], abs=POINTS)
    assert (figures.call_wall, figures.put_wall) == (expected["major_pos"], expected["major_neg"])
    within = [
        [level, direction]
        for level, direction in zip(figures.zero_gamma_roots, figures.zero_gamma_directions, strict=True)
        if abs(level - block["spot"]) <= 0.1 * block["spot"]
    ]
    roots = expected["zero_gamma_sweep_roots_within_10pct"]
    assert [level for level, _ in within] == pytest.approx([level for level, _ in roots], abs=POINTS)
    assert [direction for _, direction in within] == [direction for _, direction in roots]


def test_block_c_counts_what_it_cannot_price(examples: dict[str, Any]):
    block = examples["C_scopes_and_sentinels"]
    chain = make_chain(lines_of(block["contracts"]), spot=block["spot"], asof=datetime.fromisoformat(block["asof"]))
    scopes = snapshot_of(chain).scopes
    assert {name: figures.contracts_unpriced for name, figures in scopes.items()} == {
        "zero": 1,
        "one": 1,
        "full": 2,
        "all": 2,
    }
    assert scopes["all"].weight_unpriced_oi == pytest.approx(750 / 83_750)


def test_block_c_ladders(examples: dict[str, Any]):
    block = examples["C_scopes_and_sentinels"]
    asof = datetime.fromisoformat(block["asof"])
    engine = GexEngine(parse_ticker("SPX"), scope="all")
    engine.on_chain(make_chain(lines_of(block["contracts"]), spot=block["spot"], asof=asof))
    engine.compute(asof)
    for scope in ("zero", "one", "full", "all"):
        name = "full_90d" if scope == "full" else scope
        rows = engine.ladder(scope)
        for place, weight in ((1, "vol"), (2, "oi")):
            expected = block[f"{name}_{weight}"]["per_strike"]
            assert {str(int(row[0])): row[place] for row in rows} == pytest.approx(expected, rel=SUM)


def test_block_d_max_change(examples: dict[str, Any]):
    block = examples["D_max_change"]
    strikes = np.array([float(strike) for strike in block["now"]])
    now = Ladder(10_000.0, strikes, np.array(list(block["now"].values())))
    history = LadderHistory()
    for age, values in sorted(block["snapshots_by_age_seconds"].items(), key=lambda item: -float(item[0])):
        history.add(Ladder(10_000.0 - float(age), strikes, np.array(list(values.values()))))
    found = [largest_change(now, values_at(strikes, prior)) for prior in history.priors(now.at_s)]
    assert found == [(strike, change) for _, strike, change in block["max_change"]]
    priors = [values_at(strikes, prior) for prior in history.priors(now.at_s)[1:]]
    for place, strike in enumerate(block["now"]):
        levels = [None if values is None else values[place] for values in priors]
        assert levels == block["priors_1_5_10_15_30"][strike]


def test_block_e_risk_reversal(examples: dict[str, Any]):
    block = examples["E_risk_reversal"]
    calls, puts = np.array(block["calls"], float), np.array(block["puts"], float)
    call_delta = delta(5000.0, calls[:, 0], calls[:, 1], block["T_years"], True)
    put_delta = delta(5000.0, puts[:, 0], puts[:, 1], block["T_years"], False)
    assert call_delta == pytest.approx(block["call_deltas"], rel=1e-10)
    assert put_delta == pytest.approx(block["put_deltas"], rel=1e-10)
    assert iv_at_quarter(call_delta, calls[:, 1]) == pytest.approx(block["iv_call_25"], abs=1e-12)
    assert iv_at_quarter(-put_delta, puts[:, 1]) == pytest.approx(block["iv_put_25"], abs=1e-12)


def test_block_e_through_the_engine(examples: dict[str, Any]):
    block = examples["E_risk_reversal"]
    lines = [Line(strike, "C", iv, 1) for strike, iv in block["calls"]]
    lines += [Line(strike, "P", iv, 1) for strike, iv in block["puts"]]
    lines = [replace(line, expiry=(ASOF + timedelta(days=30)).date()) for line in lines]
    settle_s = (ASOF + timedelta(days=30)).timestamp()
    figures = snapshot_of(make_chain(lines, spot=block["spot"], settle_s=[settle_s] * len(lines))).scopes["all"]
    assert figures.rr25 == pytest.approx(block["rr25"], abs=1e-12)
    assert figures.rr25_expiry == "2023-07-09"


@pytest.mark.parametrize(("key", "rate", "dividend"), [("r=0,q=0", 0.0, 0.0), ("r=0.05,q=0.015", 0.05, 0.015)])
def test_block_f_other_greeks(examples: dict[str, Any], key: str, rate: float, dividend: float):
    block, years = examples["F_other_greeks"][key], 0.02
    rates = {"rate": rate, "dividend": dividend}
    totals = dict.fromkeys(("net", "vex", "chex", "dex", "dealer"), 0.0)
    for item in examples["A_one_expiry"]["contracts"]:
        strike, iv, call = float(item["strike"]), item["iv"], item["type"] == "C"
        expected = block["per_contract"][f"{item['strike']}{item['type']}"]
        own_gamma = float(gamma(5000.0, strike, iv, years, **rates))
        own_delta = float(delta(5000.0, strike, iv, years, call, **rates))
        own_vanna = float(vanna(5000.0, strike, iv, years, **rates))
        own_charm = float(charm(5000.0, strike, iv, years, call, **rates))
        assert own_gamma == pytest.approx(expected["gamma"], rel=SUM)
        assert own_delta == pytest.approx(expected["delta"], rel=SUM)
        assert own_vanna == pytest.approx(expected["vanna"], rel=SUM)
        assert own_charm == pytest.approx(expected["charm_per_year"], rel=SUM)
        dollars, sign = 100 * 5000.0 * item["oi"], 1 if call else -1
        totals["net"] += sign * dollars * 5000.0 * 0.01 * own_gamma
        totals["vex"] += sign * dollars * 0.01 * own_vanna
        totals["chex"] += sign * dollars * own_charm / 365
        totals["dex"] += dollars * own_delta
        totals["dealer"] += sign * dollars * own_delta
    assert totals["net"] == pytest.approx(block["net_gex_usd_per_1pct_oi"], rel=SUM)
    assert totals["vex"] == pytest.approx(block["vex_usd_per_vol_point_oi"], rel=SUM)
    assert totals["chex"] == pytest.approx(block["chex_usd_per_day_oi"], rel=SUM)
    assert totals["dex"] == pytest.approx(block["dex_usd_oi_sum_delta"], rel=SUM)
    assert totals["dealer"] == pytest.approx(block["dex_usd_oi_dealer"], rel=SUM)


def test_block_f_through_the_engine(examples: dict[str, Any]):
    block = examples["F_other_greeks"]["r=0,q=0"]
    figures = snapshot_of(block_a_chain()).scopes["all"].oi
    assert figures.vex_usd_per_vol_point == pytest.approx(block["vex_usd_per_vol_point_oi"], rel=SUM)
    assert figures.chex_usd_per_day == pytest.approx(block["chex_usd_per_day_oi"], rel=SUM)
    assert figures.dex_usd == pytest.approx(block["dex_usd_oi_sum_delta"], rel=SUM)
    assert figures.dex_dealer_usd == pytest.approx(block["dex_usd_oi_dealer"], rel=SUM)


def test_block_g_mapping(examples: dict[str, Any]):
    block = examples["G_mapping"]
    engine = GexEngine(parse_ticker("ES_SPX"), scope="all")
    chain = make_chain([Line(6700, "C", 0.1, 500), Line(6630, "P", 0.1, 100)], spot=block["index_spot"])
    at_ms = int(chain.asof.timestamp() * 1000)
    engine.on_chain(chain)
    engine.on_spot(block["index_spot"], at_ms)
    engine.on_relative("future", block["future"], at_ms)
    snapshot = engine.compute(chain.asof)
    assert snapshot.basis == pytest.approx(block["basis"])
    assert snapshot.spot == pytest.approx(block["future"])
    assert snapshot.major_pos_oi == pytest.approx(block["levels_future"]["major_pos"])
    assert snapshot.major_neg_oi == pytest.approx(block["levels_future"]["major_neg"])
    assert shift(block["levels_index"]["zero_gamma"], snapshot.basis) == pytest.approx(
        block["levels_future"]["zero_gamma"]
    )
    ratio = block["ratio_example"]
    mapped = shift(ratio["spy_level"], 0.0, ratio=ratio["spx_spot"] / ratio["spy_spot"])
    assert mapped == pytest.approx(ratio["spx_level"], abs=POINTS)


def test_block_h_ladder_split(examples: dict[str, Any]):
    block = examples["H_ladder"]
    strikes, values = np.array(block["ladder"], float).T
    assert ladder_splits(strikes, values[None])[0] == pytest.approx(block["split"], abs=POINTS)


def test_block_i_parity_forward(examples: dict[str, Any]):
    block = examples["I_parity_forward"]
    rows = [
        Line(pair["strike"], side, 0.14, 1, bid=pair[name] - 0.1, ask=pair[name] + 0.1)
        for pair in block["pairs"]
        for side, name in (("C", "call_mid"), ("P", "put_mid"))
    ]
    lines = sort_lines(make_chain(rows, spot=block["spot"]))
    forward = parity_forwards(lines, block["spot"], lines.bid, lines.ask)
    assert forward == pytest.approx([block["forward_median"]])
    with_forward = gamma(5000.0, 5000.0, 0.14, 0.25, ratio=forward / block["spot"])
    assert with_forward == pytest.approx([block["gamma_K5000_iv0.14_with_forward"]], rel=SUM)


def test_block_j_close_blow_up(examples: dict[str, Any]):
    block = examples["J_close_blow_up"]
    for row in block["rows"]:
        years = years_to_expiry(float(row["seconds_left"]), 0.0)
        assert years * YEAR_S == pytest.approx(row["T_used_seconds"])
        own = float(gamma(5000.0, 5000.0, block["iv"], years))
        assert own == pytest.approx(row["gamma"], rel=SUM)
        swing = delta(5050.0, 5000.0, block["iv"], years, True) - delta(4950.0, 5000.0, block["iv"], years, True)
        assert swing / 2 == pytest.approx(row["delta_change_per_1pct_true"], rel=SUM)


def test_block_k_units(examples: dict[str, Any]):
    block = examples["K_units"]
    figures = snapshot_of(block_a_chain())
    dollars = figures.scopes["all"].oi.net_gex_usd_per_1pct
    assert figures.sum_gex_oi == pytest.approx(dollars * block["millions"] / block["usd_per_1pct"], rel=SUM)
    per_point = figures.scopes["all"].oi.net_gex_usd_per_point
    assert per_point == pytest.approx(dollars * block["per_point_at_spot_5000"] / block["usd_per_1pct"], rel=SUM)
