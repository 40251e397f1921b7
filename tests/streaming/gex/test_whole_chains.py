"""Chains as files hold them: no warning from bytes to figures, and figures that agree with each other."""

import warnings
from pathlib import Path

import pytest

from streaming.chains.files.chain_files import load_chain
from streaming.commands.gex import chain_report
from streaming.model import SCOPES
from tests.data_builders.chains import RECIPES, made


@pytest.mark.parametrize("name", RECIPES)
def test_every_chain_computes_without_a_warning(tmp_path: Path, name: str):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = chain_report(load_chain(made(name).write(tmp_path / name)))
    for scope in SCOPES:
        figures = report["scopes"][scope]
        assert figures["contracts"] > 0
        for weight, place in (("vol", 1), ("oi", 2)):
            own = figures[weight]
            total = sum(row[place] for row in figures["ladder"])
            assert total == pytest.approx(own["net_gex_usd_per_1pct"], abs=1e-9 * own["gross_gex_usd_per_1pct"])
            assert (own["zero_gamma"] is None) == (own["zero_gamma_roots"] == ())
            assert (own["zero_gamma"] is None) == (own["zero_gamma_note"] is not None)


@pytest.mark.parametrize(
    ("name", "scope", "figure", "value"),
    [
        ("spx_weekend.csv", "zero", "expiries", ("2023-08-21",)),  # Friday's lines have settled
        ("spx_half_day.csv", "zero", "expiries", ("2023-11-24",)),  # half an hour is left
        ("spx_night.csv", "zero", "expiries", ("2025-01-07",)),
        ("ndx_evening.csv", "all", "series_without_parity", 4),  # not quoted, or crossed
        ("spy_bare.json", "all", "series_without_parity", 4),
        ("qqq_blind.csv", "all", "contracts_unpriced", 0),  # neither side has a volatility, but prices
        ("spy_ameritrade.json", "all", "contracts_quoted", 320),
        ("spx_schwab.json", "all", "series", 7),  # without the minis' and the adjusted
    ],
)
def test_what_a_trap_leaves_out_is_counted(tmp_path: Path, name: str, scope: str, figure: str, value: object):
    report = chain_report(load_chain(made(name).write(tmp_path / name)))
    assert report["scopes"][scope][figure] == value


def test_without_any_trade_the_sum_by_volume_is_zero_and_its_levels_unknown(tmp_path: Path):
    report = chain_report(load_chain(made("xsp_untraded.csv").write(tmp_path / "xsp.csv")))
    figures = report["scopes"]["all"]["vol"]
    assert (figures["net_gex_usd_per_1pct"], figures["major_pos"], figures["zero_gamma"]) == (0.0, None, None)
    assert figures["zero_gamma_note"] == "no exposure"


def test_what_has_no_volatility_on_either_side_is_left_out_where_prices_do_not_count(tmp_path: Path):
    report = chain_report(load_chain(made("qqq_blind.csv").write(tmp_path / "qqq.csv")), volatility="otm")
    assert report["scopes"]["all"]["contracts_unpriced"] == 88
