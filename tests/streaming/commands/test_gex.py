"""`python -m streaming gex FILE` from arguments to output."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from streaming.commands import gex as gex_command
from streaming.errors import RequestError
from streaming.figures import FIGURES, Figure, Row

HEAD = (
    "SPX,Last: 4300,Change: 1\nDate: 9 June 2023, 1:40 PM EDT,Bid: 1\n"
    "Expiration Date,Calls,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest,Strike,"
    "Puts,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest\n"
)


def row(strike: int, call: str, put: str, day: str = "230609") -> str:
    return f"Fri Jun 09 2023,SPXW{day}C0{strike}000,{call},{strike}.00,SPXW{day}P0{strike}000,{put}\n"


TABLE = (
    HEAD
    + row(4250, "0,0,0,0,0,0,0,0,0", "0,0,0,0,3000,0.14,0,0,4000")
    + row(4300, "0,0,0,0,20000,0.11,0,0,6000", "0,0,0,0,26000,0.11,0,0,5000")
    + row(4350, "0,0,0,0,1500,0.1,0,0,9000", "0,0,0,0,0,0,0,0,0")
)


@pytest.fixture
def chain_file(tmp_path: Path) -> Path:
    path = tmp_path / "chain.csv"
    path.write_text(TABLE)
    return path


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    gex_command.register(parser.add_subparsers())
    parsed = parser.parse_args(["gex", *map(str, arguments)])
    return parsed.func(parsed)


def report(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    assert run(*arguments, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_json_has_the_promised_names(chain_file: Path, capsys: pytest.CaptureFixture[str]):
    found = report(capsys, chain_file)
    assert (found["ticker"], found["asof"], found["spot"]) == ("SPX", "2023-06-09T13:25:00-04:00", 4300.0)
    assert set(found["scopes"]) == {"zero", "one", "full", "all"}
    figures = found["scopes"]["zero"]["oi"]
    assert figures["net_gex_usd_per_1pct"] == pytest.approx(908108257.6587696, rel=1e-9)
    assert figures["zero_gamma"] == pytest.approx(4279.838567309621, abs=1e-6)
    assert figures["zero_gamma_roots"] == [figures["zero_gamma"]]
    assert (figures["major_pos"], figures["major_neg"]) == (4300.0, 4250.0)
    assert found["scopes"]["zero"]["vol"]["net_gex_usd_per_1pct"] == pytest.approx(-5448788529.343826, rel=1e-9)


def test_what_is_unknown_is_null(chain_file: Path, capsys: pytest.CaptureFixture[str]):
    figures = report(capsys, chain_file)["scopes"]["one"]
    assert figures["contracts"] == 0
    assert figures["oi"]["net_gex_usd_per_1pct"] is figures["oi"]["zero_gamma"] is figures["oi"]["major_pos"] is None
    assert figures["ladder"] == []


def test_a_scope_alone_is_the_only_one_and_rules_the_classic_block(
    chain_file: Path, capsys: pytest.CaptureFixture[str]
):
    found = report(capsys, chain_file, "--scope", "zero")
    assert list(found["scopes"]) == ["zero"]
    assert found["scope"] == "zero"
    assert found["sum_gex_oi"] == pytest.approx(908.1082576587696, rel=1e-9)


def test_the_quote_time_can_be_given(chain_file: Path, capsys: pytest.CaptureFixture[str]):
    assert report(capsys, chain_file, "--asof", "2023-06-09T15:00")["asof"] == "2023-06-09T15:00:00-04:00"
    assert report(capsys, chain_file, "--asof", "2023-06-09T19:00:00Z")["asof"] == "2023-06-09T15:00:00-04:00"
    expired = report(capsys, chain_file, "--asof", "2023-06-09T16:00")
    assert expired["scopes"]["all"]["contracts"] == 0


def test_bad_volatility_and_forward_are_choices(chain_file: Path, capsys: pytest.CaptureFixture[str]):
    mirrored = report(capsys, chain_file, "--iv", "line")
    assert mirrored["scopes"]["all"]["contracts_mirrored"] == 2
    assert (mirrored["bad_iv"], mirrored["volatility_rule"]) == ("mirror", "line")
    dropped = report(capsys, chain_file, "--iv", "line", "--bad-iv", "drop", "--forward", "none")
    assert dropped["scopes"]["all"]["contracts_mirrored"] == 0
    assert (dropped["bad_iv"], dropped["forward_mode"]) == ("drop", "none")


@pytest.mark.parametrize("rule", ["quotes", "otm"])
def test_one_volatility_per_strike_is_a_choice(chain_file: Path, capsys: pytest.CaptureFixture[str], rule: str):
    found = report(capsys, chain_file, "--iv", rule)
    assert (found["volatility_rule"], found["bad_iv"]) == (rule, None)
    assert found["scopes"]["all"]["contracts_mirrored"] == 0
    with pytest.raises(RequestError, match="belongs to the rule line"):
        run(chain_file, "--iv", rule, "--bad-iv", "drop")


def test_without_a_choice_prices_count(chain_file: Path, capsys: pytest.CaptureFixture[str]):
    chain_file.write_text(TABLE.replace("0,0,0,0,1500,0.1,0,0,9000", "0,0,0.5,0.6,1500,0.3,0,0,9000"))
    assert report(capsys, chain_file)["scopes"]["all"]["contracts_quoted"] == 2
    assert report(capsys, chain_file, "--iv", "otm")["scopes"]["all"]["contracts_quoted"] == 0


def test_the_table_is_legible(chain_file: Path, capsys: pytest.CaptureFixture[str]):
    assert run(chain_file) == 0
    text = capsys.readouterr().out
    assert text.startswith("SPX  spot 4300.00  as of 2023-06-09T13:25:00-04:00  forward parity  volatility quotes\n")
    assert "  zero gamma                 4279.84       4327.68" in text
    assert "  net GEX, Bn/1%             +0.9081       -5.4488" in text
    assert "zero (the nearest expiry): 2023-06-09, " in text
    assert "one (the second expiry): no living expiry, 0 contracts" in text
    assert "    of it from quotes          0.00%         0.00%" in text
    assert "  0 priced from quotes, 0 mirrored, 0 not priced, rr25 -2.00 vol points (2023-06-09)\n" in text
    assert "  call wall above            4300.00       4300.00" in text
    assert all(len(line) <= 100 for line in text.splitlines())
    run(chain_file, "--iv", "line")
    assert "  volatility: 2 zero (mirrored)\n" in capsys.readouterr().out


@pytest.mark.parametrize("row", [(figure, row) for figure in FIGURES.values() for row in figure.rows])
def test_every_row_of_a_figure_is_in_the_table_by_its_name_and_under_its_wire_name_in_json(
    chain_file: Path, capsys: pytest.CaptureFixture[str], row: tuple[Figure, Row]
):
    figure, read = row
    words = read.label or figure.name
    start = f"  {words if read.unit is None else f'{words}, {read.unit.short}'} "
    assert run(chain_file, "--scope", "zero") == 0
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith(start)] != []
    assert read.wire in report(capsys, chain_file)["scopes"]["zero"]["oi"]


def test_the_day_of_the_file_and_the_state_of_its_session_are_printed(
    chain_file: Path, capsys: pytest.CaptureFixture[str]
):
    said = {
        "2023-06-09T13:25": "",
        "2023-06-09T15:59": ", closing: gamma grows without bound before a settlement; hedge stays finite",
        "2023-06-09T09:31": ", warming: volume is too small yet to mean much",
        "2023-06-08T20:00": ", outside the session",
    }
    for asof, state in said.items():
        run(chain_file, "--asof", asof)
        assert capsys.readouterr().out.splitlines()[1] == f"file of {asof[:10]}{state}"


def test_what_reading_met_is_printed_and_levels_without_open_interest_are_marked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "chain.csv"
    rows = (row(4300, "0,0,1,2,5,0.1,0,0,", "0,0,1,2,5,0.1,0,0,7"), row(4310, "0,0,1,2,5,0.1,0,0,", "0,0,1,2"))
    path.write_text((HEAD + "".join(rows)).removesuffix("\n"))
    run(path)
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:6] == [
        "cut off: it ends within a row, and what came after is missing",
        "open interest was not sent for 100.0% of calls: levels and sums by it are partial",
        "1 rows could not be read",
        "* partial, as open interest is",
    ]
    assert "open interest*        volume" in lines[8]
    met = report(capsys, path)["chain_quality"]
    assert (met["cut_off"], met["calls_without_interest"], met["unreadable"]) == (True, 1.0, 1)


def test_without_a_price_the_table_says_so_and_takes_a_given_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "chain.csv"
    path.write_text(TABLE.replace("Last: 4300", "Last: 0"))
    run(path)
    assert "no spot: neither the file nor its quotes give one" in capsys.readouterr().out
    figures = report(capsys, path, "--spot", 4300)["scopes"]["zero"]["oi"]
    assert figures["zero_gamma"] == pytest.approx(4279.838567309621, abs=1e-6)
    with pytest.raises(RequestError, match="is not a price"):
        run(path, "--spot", "-1")


@pytest.mark.parametrize("asof", ["yesterday", "2023-13-01", ""])
def test_a_time_that_is_none_is_refused(chain_file: Path, asof: str):
    with pytest.raises(RequestError, match="is not a time"):
        run(chain_file, "--asof", asof)


def test_a_missing_file_is_refused(tmp_path: Path):
    with pytest.raises(RequestError, match="There is no file"):
        run(tmp_path / "absent")


def test_the_whole_command_answers_with_json_and_with_status_65(chain_file: Path):
    command = [sys.executable, "-W", "error", "-m", "streaming", "gex"]
    folder = Path(__file__).resolve().parents[3]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    good = subprocess.run(
        [*command, str(chain_file), "--json"],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        cwd=chain_file.parent,
    )
    assert (good.returncode, good.stderr) == (0, "")
    assert json.loads(good.stdout)["ticker"] == "SPX"
    bad = subprocess.run(
        [*command, "absent.csv"], check=False, capture_output=True, text=True, env=environment, cwd=chain_file.parent
    )
    assert bad.returncode == 65
    assert bad.stderr.count("\n") == 1
    assert "Traceback" not in bad.stderr
