"""All captured chains: no warnings, and the figures that are known from elsewhere."""

import warnings
from pathlib import Path

import pytest

from streaming.chains.files.chain_files import load_chain
from streaming.commands.gex import chain_report
from streaming.model import SCOPES, VolatilityRule

NAMES = (
    "cboe_rut_20230920.json", "cboe_spy_20220401.json", "ndx_20220205.csv", "ndx_20221212.csv", "ndx_20230526.csv",
    "ndx_20240322.csv", "qqq_20230612.csv", "qqq_20240322.csv", "rut_20221212.csv", "spx_20220205.csv",
    "spx_20220611.csv", "spx_20220712.csv", "spx_20221212.csv", "spx_20230207.csv", "spx_20230609.csv",
    "spx_20230820.csv", "spx_20230914.csv", "spx_20240107.csv", "spx_20250106_part.csv", "spy_20230605.csv",
    "spy_20230914.csv", "spy_20250925_part.csv", "tda_spy_20220520.json", "xsp_20230914.csv",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_chain_computes_without_a_warning(captured_data: Path, name: str):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chain = load_chain(captured_data / "gex" / f"{name}.gz")
        report = chain_report(chain)
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
    ("name", "forward", "bad_iv", "net_bn", "zero_gamma"),
    [
        ("spx_20240107.csv", "none", "drop", -21.07, 4735.0),
        ("spx_20240107.csv", "parity", "mirror", -11.79, 4719.0),
        ("spx_20230609.csv", "none", "mirror", 56.65, 4240.8),
        ("spx_20230609.csv", "parity", "mirror", 62.78, 4228.0),
        ("spx_20220205.csv", "none", "mirror", -26.0, 4614.3),
        ("spx_20220205.csv", "none", "drop", -18.65, 4572.3),
        ("spy_20230914.csv", "none", "mirror", 3.1, 448.9),
        ("spy_20230914.csv", "none", "drop", 1.6, 449.8),
    ],
)
def test_figures_that_the_reference_names(
    captured_data: Path, *, name: str, forward: str, bad_iv: str, net_bn: float, zero_gamma: float
):
    chain = load_chain(captured_data / "gex" / f"{name}.gz")
    figures = chain_report(chain, scopes=("all",), forward=forward, volatility="line", bad_iv=bad_iv)["scopes"]["all"][
        "oi"
    ]
    assert figures["net_gex_usd_per_1pct"] / 1e9 == pytest.approx(net_bn, abs=0.05)
    assert figures["zero_gamma"] == pytest.approx(zero_gamma, abs=0.5)


@pytest.mark.parametrize(
    ("name", "rule", "net_bn", "zero_gamma", "put_wall"),
    [
        ("spx_20220205.csv", "line", -24.51, 4620.1, None),
        ("spx_20220205.csv", "otm", -16.64, 4581.5, None),
        ("spx_20220205.csv", "quotes", -17.04, 4581.8, None),
        ("spx_20230914.csv", "line", 28.54, 4483.1, None),
        ("spx_20230914.csv", "otm", 21.10, 4485.3, None),
        ("spx_20230914.csv", "quotes", 21.17, 4485.2, None),
        ("spx_20240107.csv", "line", -13.08, 4722.8, None),
        ("spx_20240107.csv", "otm", -12.52, 4721.4, None),
        ("spx_20240107.csv", "quotes", -12.58, 4721.4, None),
        ("ndx_20221212.csv", "line", 1.14, 11065.9, 13000.0),
        ("ndx_20221212.csv", "otm", 0.94, 11050.7, 11000.0),
        ("ndx_20221212.csv", "quotes", 0.96, 11041.3, 11000.0),
        ("spy_20230914.csv", "line", 2.81, 450.0, None),
        ("spy_20230914.csv", "otm", 1.16, 450.3, None),
        ("spy_20230914.csv", "quotes", -0.03, 450.8, None),
    ],
)
def test_figures_by_each_rule_that_the_reference_names(
    captured_data: Path, *, name: str, rule: VolatilityRule, net_bn: float, zero_gamma: float, put_wall: float | None
):
    chain = load_chain(captured_data / "gex" / f"{name}.gz")
    figures = chain_report(chain, scopes=("full",), volatility=rule)["scopes"]["full"]["oi"]
    assert figures["net_gex_usd_per_1pct"] / 1e9 == pytest.approx(net_bn, abs=0.09)
    assert figures["zero_gamma"] == pytest.approx(zero_gamma, abs=0.5)
    assert put_wall is None or figures["major_neg"] == put_wall
