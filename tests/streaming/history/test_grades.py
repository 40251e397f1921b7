import pytest
from msgspec.structs import replace

from streaming.history.grades import FrozenLevel, SpotAt, freezes, frozen_levels, grade, round_strikes
from streaming.model import ExpectedMove
from tests.support.history import SESSION, at, path
from tests.support.snapshots import snapshot


def frozen(price, spot=6400.0, **changes):
    fields = {"ticker": "SPX", "day": "2026-11-20", "level": "call_wall", "weight": "oi", "source": "test"}
    return FrozenLevel(**(fields | {"price": price, "spot": spot, "frozen_ms": at("09:35")} | changes))


def test_a_level_that_spot_never_nears_is_untested():
    found = grade(frozen(6450.0), path(("09:35", 6400.0), ("16:00", 6446.0)), SESSION)
    assert (found.touched_ms, found.held, found.broke_ms, found.beyond_pct) == (None, None, None, None)


def test_a_touch_that_turns_away_held():
    found = grade(frozen(6450.0), path(("09:35", 6400.0), ("10:35", 6450.0), ("16:00", 6380.0)), SESSION)
    assert found.held is True
    assert found.broke_ms is None
    assert at("10:30") < found.touched_ms < at("10:35")
    assert found.beyond_pct == 0.0
    assert found.back_pct == pytest.approx(100 * (6450.0 - 6444.93) / 6450.0, abs=0.01)


def test_a_five_minute_close_beyond_it_within_half_an_hour_broke_it():
    found = grade(
        frozen(6450.0), path(("09:35", 6400.0), ("10:35", 6450.0), ("11:35", 6510.0), ("16:00", 6300.0)), SESSION
    )
    assert found.held is False
    assert found.broke_ms == at(
        "10:45"
    )  # at 10:44:55 spot is 9.92 points beyond, more than 6.45; at 10:39:55 only 4.92
    assert found.beyond_pct == pytest.approx(100 * 26.9 / 6450.0, abs=0.02)


def test_a_spike_beyond_it_within_a_bar_is_no_break():
    spots = path(("09:35", 6400.0), ("10:31", 6448.0), ("10:32", 6475.0), ("10:33", 6448.0), ("16:00", 6440.0))
    found = grade(frozen(6450.0), spots, SESSION)
    assert found.held is True
    assert found.beyond_pct == pytest.approx(100 * 25 / 6450.0, abs=0.01)


def test_a_close_beyond_it_after_the_half_hour_is_no_break():
    spots = path(("09:35", 6400.0), ("10:00", 6450.0), ("10:31", 6450.0), ("10:50", 6500.0), ("16:00", 6500.0))
    assert grade(frozen(6450.0), spots, SESSION).held is True


def test_a_close_beyond_it_by_no_more_than_a_tenth_of_a_percent_is_no_break():
    spots = path(("09:35", 6400.0), ("10:00", 6450.0), ("10:10", 6456.4), ("16:00", 6456.4))
    assert grade(frozen(6450.0), spots, SESSION).held is True
    spots = path(("09:35", 6400.0), ("10:00", 6450.0), ("10:10", 6456.5), ("16:00", 6456.5))
    assert grade(frozen(6450.0), spots, SESSION).held is False


def test_beyond_is_downwards_for_a_level_below_spot():
    falls = path(("09:35", 6400.0), ("10:35", 6300.0), ("16:00", 6200.0))
    assert grade(frozen(6300.0), falls, SESSION).held is False
    rises = path(("09:35", 6400.0), ("10:35", 6300.0), ("16:00", 6400.0))
    assert grade(frozen(6300.0), rises, SESSION).held is True


def test_a_jump_across_a_level_between_two_snapshots_is_a_touch():
    spots = [SpotAt(at("09:35"), 6440.0), SpotAt(at("09:36"), 6460.0)]
    assert grade(frozen(6450.0, spot=6440.0), spots, SESSION).touched_ms == at("09:36")


def test_what_came_before_the_freeze_does_not_count():
    spots = path(("09:30", 6450.0), ("09:34", 6400.0), ("16:00", 6400.0))
    assert grade(frozen(6450.0), spots, SESSION).touched_ms is None


def test_where_quotes_are_missing_after_the_touch_nobody_knows():
    spots = path(("09:35", 6400.0), ("10:35", 6450.0)) + path(("12:00", 6400.0), ("16:00", 6400.0))
    found = grade(frozen(6450.0), spots, SESSION)
    assert found.touched_ms is not None
    assert found.held is None


def test_a_touch_near_the_close_is_judged_by_the_bars_that_are_left():
    spots = path(("09:35", 6400.0), ("15:56", 6400.0), ("15:58", 6450.0), ("16:00", 6449.0))
    assert grade(frozen(6450.0), spots, SESSION).held is True


@pytest.mark.parametrize(
    ("spot", "strikes"),
    [(6395.25, (6350.0, 6400.0)), (6400.0, (6350.0, 6450.0)), (23100.0, (23000.0, 23200.0)), (640.3, (640.0, 645.0)),
     (93.0, (92.5, 93.5)), (310.4, (310.0, 312.5)), (4684.5, (4675.0, 4700.0))],
)  # fmt: skip
def test_round_strikes_lie_around_spot(spot, strikes):
    assert round_strikes(spot) == pytest.approx(strikes)


def test_the_first_snapshot_after_0935_freezes_and_one_after_ten_is_too_late():
    def seen(hour):
        return replace(snapshot(), asof_ms=at(hour))

    assert [freezes(seen(hour), SESSION) for hour in ("09:34:59", "09:35", "09:59:59", "10:00")] == [
        False,
        True,
        True,
        False,
    ]
    assert not freezes(replace(seen("09:35"), spot=None), SESSION)


def test_frozen_are_the_levels_of_both_weights_and_the_baselines():
    found = frozen_levels(replace(snapshot(), asof_ms=at("09:35:02")), SESSION, (6480.0, 6350.5))
    by_name = {(one.level, one.weight): one.price for one in found}
    assert by_name == {
        ("call_wall", "oi"): 6450.0,
        ("call_wall", "vol"): 6450.0,
        ("put_wall", "oi"): 6300.0,
        ("put_wall", "vol"): 6300.0,
        ("zero_gamma", "oi"): 6385.5,
        ("zero_gamma", "vol"): 6385.5,
        ("ladder_split", "oi"): 6380.0,
        ("ladder_split", "vol"): 6380.0,
        ("round_above", None): 6450.0,
        ("round_below", None): 6400.0,
        ("previous_high", None): 6480.0,
        ("previous_low", None): 6350.5,
    }
    assert {(one.spot, one.frozen_ms, one.day) for one in found} == {(6400.25, at("09:35:02"), "2026-11-20")}
    assert {(one.weight is None, one.scope) for one in found} == {(True, None), (False, "full")}


def test_the_expected_move_is_frozen_where_it_is_that_of_the_day():
    move = ExpectedMove(expiry="2026-11-20", root="SPXW", strike=6400.0, straddle_points=40.0, straddle_pct=0.6)
    seen = replace(snapshot(), asof_ms=at("09:35:02"), expected_move=move)
    found = {one.level: one for one in frozen_levels(seen, SESSION, None)}
    assert (found["expected_high"].price, found["expected_low"].price) == (6440.25, 6360.25)
    assert (found["expected_high"].weight, found["expected_high"].scope) == (None, None)
    later = frozen_levels(replace(seen, expected_move=replace(move, expiry="2026-11-23")), SESSION, None)
    assert not [one for one in later if one.level.startswith("expected")]


def test_another_producers_zero_gamma_is_a_ladder_split():
    found = frozen_levels(replace(snapshot(), scopes={}), SESSION, None)
    assert [(one.weight, one.price) for one in found if one.level == "ladder_split"] == [("vol", 6380.0)]
    assert not [one for one in found if one.level == "zero_gamma"]
