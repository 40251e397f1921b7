import csv
import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from streaming.errors import RequestError, TransientError
from streaming.export.levels import FORMATS, level_sheet
from streaming.model import PointView
from tests.support.snapshots import snapshot

INDICATORS = Path(__file__).resolve().parents[3] / "specs" / "indicators"


def sheet_of(seen=None, **choice):
    return level_sheet(
        snapshot() if seen is None else seen, **{"scope": None, "weight": "oi", "view": "native"} | choice
    )


def test_a_sheet_holds_the_levels_of_the_table_of_figures_with_what_they_were_read_from():
    sheet = sheet_of()
    assert [(level.key, level.price) for level in sheet.levels] == [
        ("zero_gamma", 6385.5),
        ("call_wall", 6450.0),
        ("put_wall", 6300.0),
    ]
    assert (sheet.ticker, sheet.points_of, sheet.scope, sheet.weight) == ("SPX", "SPX", "full", "oi")
    assert sheet.title == "Gexcord SPX full oi of 2026-08-20 11:00 New York (test)"


def test_gross_walls_are_drawn_too_where_the_source_gives_them():
    seen = snapshot()
    walls = msgspec.structs.replace(seen.scopes["full"].oi, call_wall_gross=6500.0, put_wall_gross=6250.0)
    figures = msgspec.structs.replace(seen.scopes["full"], oi=walls)
    sheet = sheet_of(msgspec.structs.replace(seen, scopes={"full": figures}))
    assert [level.label for level in sheet.levels][3:] == ["Call wall gross", "Put wall gross"]


def test_a_level_that_is_unknown_is_left_out_and_no_level_at_all_is_refused():
    bare = {"ladder_split": None, "major_pos_oi": 6500.0, "major_neg_oi": None, "scopes": {}}
    assert [level.key for level in sheet_of(msgspec.structs.replace(snapshot(), **bare)).levels] == ["call_wall"]
    with pytest.raises(TransientError, match="No level of SPX is known by oi in scope zero"):
        sheet_of(scope="zero")


def test_prices_are_in_the_points_asked_for_and_say_so():
    etf = PointView(symbol="SPY", ratio=0.1, ratio_ms=1)
    sheet = sheet_of(msgspec.structs.replace(snapshot(), views={"etf": etf}), view="etf")
    assert sheet.levels[0].price == pytest.approx(638.55)
    assert " in SPY points " in sheet.title
    with pytest.raises(RequestError, match="have not been quoted together yet"):
        sheet_of(view="future")


def test_the_list_for_indicators_is_one_line_that_splits_into_names_and_prices():
    title, *parts = FORMATS["tradingview"].write(sheet_of()).split(";")
    assert title.startswith("Gexcord SPX")
    assert "," not in title
    assert dict(part.split(",") for part in parts) == {
        "Zero gamma": "6385.50",
        "Call wall": "6450.00",
        "Put wall": "6300.00",
    }
    assert FORMATS["ninjatrader"].write(sheet_of()) == FORMATS["tradingview"].write(sheet_of())


@pytest.mark.parametrize("name", ["gexcord.pine", "GexcordLevels.cs"])
def test_the_ready_indicators_split_by_the_same_marks(name):
    text = (INDICATORS / name).read_text()
    assert re.search(r"""[sS]plit\(levels, ";"\)|Levels\.Split\(';'\)""", text)
    assert re.search(r"""split\(part, ","\)|part\.Split\(','\)""", text)


def test_the_study_for_thinkorswim_has_one_plot_and_one_bubble_a_level():
    text = FORMATS["thinkorswim"].write(sheet_of())
    assert re.findall(r"^plot (\w+) = ([\d.]+);$", text, re.MULTILINE) == [
        ("ZeroGamma", "6385.50"),
        ("CallWall", "6450.00"),
        ("PutWall", "6300.00"),
    ]
    assert text.count("AddChartBubble(") == 3
    assert text.startswith("# Gexcord SPX full oi of ")


def test_the_table_reads_back_as_csv():
    rows = list(csv.DictReader(FORMATS["csv"].write(sheet_of(weight="vol")).splitlines()))
    assert [(row["level"], float(row["price"]), row["weight"]) for row in rows][1] == ("call_wall", 6450.0, "vol")
    assert {row["quoted_at"] for row in rows} == {"2026-08-20T11:00:00-04:00"}


def test_figures_that_are_not_the_markets_own_say_so_in_every_format():
    sheet = replace(sheet_of(), source="simulated")
    assert all("simulated" in form.write(sheet) for form in FORMATS.values())
