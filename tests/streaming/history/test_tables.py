import dataclasses

import duckdb
from msgspec.structs import replace

from streaming.history.tables import CURVE_POINTS, FIGURES, LEVELS, CurvePoints, LevelRows, ParquetDay, level_rows
from streaming.model import ExpectedMove, Flow, FlowSum, ScopeFigures, SignedFlow, WeightFigures
from tests.support.snapshots import snapshot

SEEN = snapshot()


def test_every_number_of_a_weights_figures_is_a_column():
    no_numbers = {"zero_gamma_roots", "zero_gamma_directions", "zero_gamma_note", "top_strikes", "top_strikes_gross"}
    assert set(FIGURES) == set(WeightFigures.__struct_fields__) - no_numbers
    flow = (Flow(span="5", usd_per_1pct=3e8), Flow(span="open", usd_per_1pct=-1e9))
    move = ExpectedMove(expiry="2026-08-20", root="SPXW", strike=6400.0, straddle_points=40.0, straddle_pct=0.6)
    signed = SignedFlow(since_ms=1, day=FlowSum(delta_usd=-5e8, gamma_usd_per_1pct=2e7, contracts=1200))
    (row, _) = level_rows(replace(SEEN, flow=flow, signed_flow=signed, expected_move=move))
    seen = dict(zip(LEVELS.columns, row, strict=True))
    assert (seen["signed_day_delta_usd"], seen["signed_day_unsure"]) == (-5e8, None)
    assert (seen["flow_5_usd_per_1pct"], seen["flow_open_usd_per_1pct"], seen["flow_1_usd_per_1pct"]) == (
        3e8,
        -1e9,
        None,
    )
    assert (seen["expected_move_points"], seen["scope"], seen["weight"], seen["call_wall"]) == (
        40.0,
        "full",
        "oi",
        6450.0,
    )


def test_a_day_larger_than_a_piece_is_one_file_in_order(tmp_path):
    target, rows = tmp_path / "SPX" / "day.parquet", LevelRows()
    table = dataclasses.replace(LEVELS, piece_rows=4)
    with ParquetDay(table, rows, ticker="SPX", day="2026-08-20", target=target) as day:
        for number in range(10):
            rows.add(replace(SEEN, asof_ms=SEEN.asof_ms + 9 - number))
            day.spill()
        assert day.finish()
    found = [
        row[0] - SEEN.asof_ms for row in duckdb.sql(f"SELECT asof_ms FROM '{target}' WHERE weight = 'oi'").fetchall()
    ]
    assert found == list(range(10))
    assert [path.name for path in target.parent.iterdir()] == ["day.parquet"]


def test_nothing_to_add_leaves_no_file(tmp_path):
    with ParquetDay(LEVELS, LevelRows(), ticker="SPX", day="2026-08-20", target=tmp_path / "x.parquet") as day:
        assert not day.finish()
    assert list(tmp_path.iterdir()) == []


def test_numbers_come_back_as_they_were(tmp_path):
    target, points = tmp_path / "x.parquet", CurvePoints()
    values = ((6400.1, 1.23456789012345e9, -9.87654321098765e-3),)
    with ParquetDay(CURVE_POINTS, points, ticker="S'X", day="2026-08-20", target=target) as day:
        points.add(7, {"zero": ScopeFigures(ladder=values), "one": ScopeFigures(profile=values)})
        points.add(8, {"zero": ScopeFigures()})
        day.finish()
    found = duckdb.sql(f"SELECT ticker, asof_ms, scope, curve, price, vol, oi FROM '{target}'").fetchall()
    assert found == [("S'X", 7, "zero", "ladder", *values[0]), ("S'X", 7, "one", "profile", *values[0])]
