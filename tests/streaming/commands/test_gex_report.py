"""The JSON that a stranger checks: the names of the snapshot's schema, whole ladders, what is unknown as null."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from streaming.chains.files.chain_files import load_chain
from streaming.commands.gex import chain_report
from streaming.model import SCOPES, WEIGHTS
from tests.data_builders.chains import made
from tests.support.option_lines import Line, make_chain

SCHEMA = json.loads((Path(__file__).resolve().parents[3] / "specs" / "schemas" / "snapshot.json").read_text())
BEYOND_THE_SCHEMA = {"asof", "bad_iv", "series"}
OF_A_SCOPE = (
    "expiries", "contracts", "contracts_mirrored", "contracts_unpriced", "weight_priced_oi", "weight_mirrored_oi",
    "weight_unpriced_oi", "weight_priced_vol", "weight_mirrored_vol", "weight_unpriced_vol", "iv_faults", "series",
    "series_without_parity", "rr25", "rr25_expiry", "by_expiry", "ladder",
)  # fmt: skip
OF_A_WEIGHT = (
    "net_gex_usd_per_1pct", "net_gex_usd_per_point", "gross_gex_usd_per_1pct", "major_pos", "major_neg",
    "call_wall_gross", "put_wall_gross", "call_wall_above", "put_wall_below", "zero_gamma", "zero_gamma_roots",
    "zero_gamma_directions", "zero_gamma_slope", "zero_gamma_note", "zero_gamma_ladder", "confidence",
    "vex_usd_per_vol_point", "chex_usd_per_day", "chex_usd_to_close", "dex_usd", "dex_dealer_usd", "hedge_usd_per_1pct",
)  # fmt: skip


@pytest.fixture(scope="module", params=["spx_intraday.csv", "spy_ameritrade.json", "ndx_schwab.json"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """As a reader of the command's output has it."""
    chain = load_chain(made(request.param).write(tmp_path_factory.mktemp("chain") / request.param))
    found: dict[str, Any] = json.loads(json.dumps(chain_report(chain), allow_nan=False))
    return found


def test_it_is_a_snapshot_by_the_schema_with_three_names_more(report: dict[str, Any]):
    snapshot = {name: value for name, value in report.items() if name not in BEYOND_THE_SCHEMA}
    assert set(report) >= BEYOND_THE_SCHEMA
    assert set(snapshot) == set(SCHEMA["properties"])
    jsonschema.Draft202012Validator(SCHEMA).validate(snapshot)


def test_every_figure_of_every_scope_and_weight_has_its_name(report: dict[str, Any]):
    assert tuple(report["scopes"]) == SCOPES
    for figures in report["scopes"].values():
        assert set(OF_A_SCOPE) <= set(figures)
        for weight in WEIGHTS:
            assert set(OF_A_WEIGHT) <= set(figures[weight])
            assert figures[weight]["net_gex_usd_per_1pct"] is not None


def test_max_change_of_a_single_file_is_null(report: dict[str, Any]):
    assert report["max_priors"] == [[None, None]] * 6
    assert all(row[3] == [None] * 5 for row in report["strikes"])


def test_the_clocks_and_the_forwards_are_named(report: dict[str, Any]):
    assert report["forward_mode"] == "parity"
    assert report["asof_ms"] == report["chain_ms"] == 1000 * report["timestamp"]
    assert report["source"] and isinstance(report["delayed"], bool)
    assert (report["basis"], report["basis_ms"], report["basis_stale"]) == (None, None, None)
    living = report["series"]
    assert sum(row["contracts"] for row in living) == report["scopes"]["all"]["contracts"]
    assert len(living) == report["scopes"]["all"]["series"]
    by_spot = sum(row["forward_mode"] == "spot" for row in living)
    assert by_spot == report["scopes"]["all"]["series_without_parity"]
    assert {row["settlement"] for row in living if row["root"] in {"SPX", "NDX"}} <= {"AM"}
    assert {row["settlement"] for row in living if row["root"] in {"SPXW", "NDXP", "SPY"}} <= {"PM"}


def test_each_scope_sums_over_its_strikes_and_over_its_dates(report: dict[str, Any]):
    for figures in report["scopes"].values():
        assert [row[0] for row in figures["by_expiry"]] == figures["expiries"]
        for place, weight in ((1, "vol"), (2, "oi")):
            own = figures[weight]
            size = own["gross_gex_usd_per_1pct"]
            for rows in (figures["ladder"], figures["by_expiry"]):
                assert sum(row[place] for row in rows) == pytest.approx(own["net_gex_usd_per_1pct"], abs=1e-9 * size)


def test_the_classic_block_is_full_in_millions_or_the_only_scope(report: dict[str, Any]):
    full = report["scopes"][report["scope"]]
    assert report["scope"] == "full"
    assert report["sum_gex_oi"] == pytest.approx(full["oi"]["net_gex_usd_per_1pct"] / 1e6)
    assert report["zero_gamma"] == full["vol"]["zero_gamma_ladder"]
    only = chain_report(make_chain([Line(4300, "C", 0.11, 5, 7)]), scopes=("zero",))
    assert (only["scope"], list(only["scopes"])) == ("zero", ["zero"])


def test_a_chain_that_cannot_be_priced_has_no_figures():
    blind = chain_report(make_chain([Line(4300, "C", 0.0, 5, 7)]))
    assert blind["scopes"]["all"]["by_expiry"] == []
    assert blind["scopes"]["all"]["oi"]["net_gex_usd_per_1pct"] is None
    assert blind["sum_gex_oi"] is None
