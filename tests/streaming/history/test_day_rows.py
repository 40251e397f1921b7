from msgspec.structs import replace

from streaming.history.day_rows import Course, DayFold
from streaming.model import ScopeFigures, WeightFigures
from tests.support.history import SESSION, SpotAt, at, path, session_of


def rows_of(spots, **fields):
    fold = DayFold("SPX", SESSION)
    for seen in session_of(spots, **fields):
        fold.add(seen)
    return {(row.scope, row.weight): row for row in fold.rows()}


def test_spot_has_its_open_high_low_close_and_range():
    found = rows_of(path(("09:30", 6400.0), ("11:00", 6464.0), ("14:00", 6336.0), ("16:00", 6380.0), step_s=60))
    row = found["full", "oi"]
    assert row.spot == Course(6400.0, 6464.0, 6336.0, 6380.0)
    assert row.realised_range_pct == 2.0
    assert (row.first_ms, row.last_ms, row.snapshots) == (at("09:30"), at("16:00"), 391)
    assert (row.ticker, row.day, row.published, row.source) == ("SPX", "2026-11-20", True, "test")


def test_figures_of_each_scope_and_weight_have_theirs():
    fold = DayFold("SPX", SESSION)
    for place, seen in enumerate(session_of(path(("10:00", 6400.0), ("10:03", 6400.0), step_s=60))):
        oi = WeightFigures(net_gex_usd_per_1pct=(1e9, -3e9, 2e9, 5e8)[place], zero_gamma=6336.0)
        fold.add(replace(seen, scopes={"zero": ScopeFigures(oi=oi), **seen.scopes}))
    found = {(row.scope, row.weight): row for row in fold.rows()}
    assert found["zero", "oi"].net_gex == Course(1e9, 2e9, -3e9, 5e8)
    assert found["zero", "oi"].distance_pct == Course(1.0, 1.0, 1.0, 1.0)
    assert found["full", "oi"].gross_gex == Course(9.5e9, 9.5e9, 9.5e9, 9.5e9)
    assert not found["zero", "oi"].published
    assert ("zero", "vol") not in found  # nothing was known of it


def test_what_lies_outside_the_session_counts_for_nothing():
    spots = [SpotAt(at("09:29:59"), 1.0), SpotAt(at("12:00"), 6400.0), SpotAt(at("16:00:01"), 9999.0)]
    assert rows_of(spots)["full", "oi"].spot == Course(6400.0, 6400.0, 6400.0, 6400.0)
    assert rows_of(spots[:1]) == {}


def test_a_day_is_whole_from_its_first_to_its_last_quarter_of_an_hour():
    def whole(begin, end):
        return rows_of(path((begin, 6400.0), (end, 6400.0), step_s=60))["full", "oi"].whole

    assert whole("09:45", "15:45")
    assert not whole("09:46", "16:00")
    assert not whole("09:30", "15:44")


def test_a_day_without_a_spot_has_no_row():
    fold = DayFold("SPX", SESSION)
    for seen in session_of(path(("10:00", 6400.0), ("10:01", 6400.0))):
        fold.add(replace(seen, spot=None))
    assert fold.rows() == ()


def test_another_producers_classic_figures_are_a_row_without_a_scope():
    found = rows_of(path(("10:00", 6400.0), ("10:01", 6400.0)), scopes={}, scope=None)
    assert found[None, "oi"].net_gex == Course(*[-310_500_000.0] * 4)
    assert found[None, "vol"].call_wall == Course(*[6450.0] * 4)
    assert found[None, "oi"].gross_gex is None
