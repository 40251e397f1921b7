"""The state machine: what fires, what does not, and what is remembered."""

from datetime import timedelta

import msgspec
import pytest

from bot.alerts.hold import Hold
from bot.alerts.rules import AlertKind, AlertState, Window
from bot.alerts.watcher import Watcher
from streaming.model import FLOW_SPANS
from tests.support.alerts import LEVEL, Scene, flow, played, rule, shot
from tests.support.snapshots import ASOF


def sides(firings):
    return [firing.after.told for firing in firings]


def test_a_crossing_fires_once_and_only_beyond_the_margin():
    scene = Scene(rule())
    assert scene.run(6395, 6399, 6400, 6401) == []
    assert sides(scene.run(6401.3, 6402, 6410, start=10)) == [1]


def test_the_first_snapshot_never_fires_whatever_the_side():
    for spot in (6300.0, 6500.0):
        assert Scene(rule()).run(spot) == []


def test_a_rule_made_within_the_margin_still_tells_which_way_spot_went():
    assert sides(Scene(rule()).run(6399.5, 6405)) == [1]
    assert Scene(rule()).run(6399.5, 6390) == []
    assert Scene(rule()).run(LEVEL, 6405) == []


def test_a_way_back_within_the_cool_down_is_not_told_unless_it_lasts():
    scene = Scene(rule())
    assert sides(scene.run(6395, 6405, 6395, 6405)) == [1]
    assert scene.run(6406, start=70) == []
    assert scene.run(6395, start=71) != []


def test_a_side_that_was_kept_back_is_told_when_the_cool_down_is_over():
    scene = Scene(rule())
    assert sides(scene.run(6395, 6405, 6395)) == [1]
    assert scene.run(6394, start=59.9) == []
    (firing,) = scene.run(6394, start=61)
    assert firing.after.told == -1
    assert firing.held
    assert firing.before.since_ms == shot(2).asof_ms


def test_when_the_level_moves_and_spot_does_not_that_is_what_is_told():
    scene = Scene(rule())
    scene.run(6395, 6395)
    assert scene.take(shot(5, spot=6395, zero_gamma=6380)) == []
    (firing,) = scene.take(shot(15, spot=6395.5, zero_gamma=6380))
    assert firing.before.by_level
    assert (firing.before.level, firing.reading.level) == (6400, 6380)


def test_a_level_that_jumps_for_one_snapshot_is_no_news():
    scene = Scene(rule())
    scene.run(6395)
    assert scene.take(shot(1, spot=6395, zero_gamma=6380)) == []
    assert scene.take(shot(2, spot=6395, zero_gamma=6400)) == []
    assert scene.take(shot(12, spot=6395, zero_gamma=6400)) == []


def test_when_spot_would_have_crossed_the_old_level_it_is_spot_that_crossed():
    scene = Scene(rule())
    scene.run(6395)
    (firing,) = scene.take(shot(1, spot=6410, zero_gamma=6404))
    assert not firing.before.by_level


@pytest.mark.parametrize("kind", list(AlertKind))
def test_missing_figures_fire_nothing_and_change_nothing(kind):
    value = {AlertKind.PRICE: 6400.0, AlertKind.MAX_CHANGE: 0.5}.get(kind)
    scene = Scene(rule(kind, value=value))
    scene.take(shot(0))
    before = msgspec.structs.replace(scene.watcher.state(1))
    nothing = shot(1, spot=None, zero_gamma=None, net_bn=None, call_wall=None, put_wall=None, change_bn=None)
    assert scene.take(nothing) == []
    assert scene.watcher.state(1) == before
    assert scene.watcher.is_missing(1)
    nan = float("nan")
    broken = shot(2, spot=nan, zero_gamma=nan, net_bn=nan, call_wall=nan, put_wall=nan, change_bn=nan)
    assert scene.take(broken) == []
    assert scene.watcher.state(1) == before


def test_net_gex_changes_sign_when_it_is_more_than_a_hundredth_of_the_gross():
    scene = Scene(rule(AlertKind.NET_GEX))
    assert scene.take(shot(0, net_bn=0.5)) == []
    assert scene.take(shot(1, net_bn=-0.09)) == []
    (firing,) = scene.take(shot(2, net_bn=-0.11))
    assert firing.after.told == -1
    assert firing.reading.value == pytest.approx(-0.11)


def test_a_max_change_fires_when_its_size_exceeds_the_figure_and_rearms_below_nine_tenths():
    scene = Scene(rule(AlertKind.MAX_CHANGE, value=0.5, window=Window.FIVE))
    assert scene.take(shot(0, change_bn=0.49)) == []
    assert len(scene.take(shot(1, change_bn=-0.5))) == 1
    assert scene.take(shot(70, change_bn=0.46)) == []
    assert scene.take(shot(71, change_bn=0.6)) == []
    assert scene.take(shot(72, change_bn=0.44)) == []
    assert len(scene.take(shot(73, change_bn=0.6))) == 1


def test_a_change_counts_trades_and_not_re_pricing_where_these_are_told():
    scene = Scene(rule(AlertKind.MAX_CHANGE, value=0.5))
    assert scene.take(shot(0, change_bn=0.1, flow_bn=0.1)) == []
    assert scene.take(shot(1, change_bn=9.0, flow_bn=0.1)) == []
    (firing,) = scene.take(shot(2, change_bn=0.1, flow_bn=-0.6))
    assert (firing.reading.value, firing.reading.strike) == (0.6, 6405.0)


def test_while_a_window_of_trades_is_unknown_the_alert_waits_and_the_max_change_does_not_stand_in():
    scene = Scene(rule(AlertKind.MAX_CHANGE, value=0.5))
    scene.take(shot(0, flow_bn=0.1))
    filling = tuple(flow(span, 0.9 if span in {"current", "open"} else None) for span in FLOW_SPANS)
    assert scene.take(shot(1, change_bn=9.0, flow=filling)) == []
    assert scene.watcher.is_missing(1)


@pytest.mark.parametrize("window", list(Window))
def test_each_window_reads_its_own_span_of_trades(window):
    scene = Scene(rule(AlertKind.MAX_CHANGE, value=0.5, window=window))
    quiet = shot(0, flow_bn=0.1)
    scene.take(quiet)
    others = tuple(flow(span, 0.1 if span == window else 0.9) for span in FLOW_SPANS)
    assert scene.take(shot(1, flow=others)) == []
    own = tuple(flow(span, 0.9 if span == window else 0.1) for span in FLOW_SPANS)
    assert len(scene.take(shot(2, flow=own))) == 1


def test_a_max_change_that_exceeds_already_waits_for_the_next_time():
    scene = Scene(rule(AlertKind.MAX_CHANGE, value=0.5))
    assert scene.take(shot(0, change_bn=0.9)) == []
    assert scene.take(shot(1, change_bn=1.9)) == []


def test_a_wall_that_stands_elsewhere_for_ten_seconds_has_moved():
    scene = Scene(rule(AlertKind.CALL_WALL_MOVES))
    assert scene.take(shot(0)) == []
    assert scene.take(shot(1, call_wall=6500.0)) == []
    assert scene.take(shot(5, call_wall=6450.0)) == []
    assert scene.take(shot(6, call_wall=6500.0)) == []
    (firing,) = scene.take(shot(16, call_wall=6500.0))
    assert (firing.before.level, firing.reading.level) == (6450, 6500)


def test_a_wall_must_move_by_the_stated_size():
    scene = Scene(rule(AlertKind.PUT_WALL_MOVES, value=50.0))
    scene.take(shot(0))
    assert scene.take(shot(1, put_wall=6275.0)) == []
    assert scene.take(shot(12, put_wall=6275.0)) == []
    scene.take(shot(13, put_wall=6250.0))
    assert len(scene.take(shot(24, put_wall=6250.0))) == 1


def test_two_strikes_of_nearly_the_same_worth_are_one_wall_that_flickers():
    scene = Scene(rule(AlertKind.CALL_WALL_MOVES))

    def take(second, level, left, entered):
        ladder = ((6450.0, 1.0, left, ()), (6455.0, 1.0, entered, ()))
        return scene.take(shot(second, scopes={}, major_pos_oi=level, strikes=ladder))

    assert take(0, 6450.0, 102.0, 100.0) == []
    assert [take(second, 6455.0, 100.0, 104.0) for second in range(5, 60, 5)] == [[]] * 11
    assert take(60, 6455.0, 100.0, 110.0) == []
    assert len(take(71, 6455.0, 100.0, 110.0)) == 1


def test_a_drifting_basis_is_no_move_of_a_wall():
    scene = Scene(rule(AlertKind.CALL_WALL_MOVES, ticker="NQ_NDX"))
    for second in range(60):
        basis = 40.0 + second / 4
        assert scene.take(shot(second, ticker="NQ_NDX", basis=basis, call_wall=25000 + basis)) == []


@pytest.mark.parametrize(
    ("changes", "age_s", "hold"),
    [
        ({}, 6.0, Hold.STALE),
        ({}, 60.0, Hold.STALE),
        ({}, -6.0, Hold.AHEAD),
        ({"state": "closing"}, 0.0, Hold.CLOSING),
        ({"state": "closed"}, 0.0, Hold.CLOSED),
        ({"state": "warming"}, 0.0, Hold.WARMING),
        ({"chain_ms": shot(1).asof_ms - 700_000}, 0.0, Hold.OLD_CHAIN),
        ({"delayed": True}, 8000.0, Hold.STALE),
    ],
)
def test_what_is_not_live_fires_nothing_and_is_not_remembered(changes, age_s, hold):
    scene = Scene(rule())
    scene.run(6395)
    before = msgspec.structs.replace(scene.watcher.state(1))
    assert scene.take(shot(1, spot=6405.0, **changes), age_s=age_s) == []
    assert scene.watcher.state(1) == before
    assert scene.watcher.hold("SPX", ASOF + timedelta(seconds=1)) is hold


def test_data_that_stopped_coming_is_no_reason_to_call_a_rule_armed():
    scene = Scene(rule())
    assert scene.watcher.hold("SPX", ASOF) is None
    scene.run(6395)
    assert scene.watcher.hold("SPX", ASOF + timedelta(seconds=4)) is None
    assert scene.watcher.hold("SPX", ASOF + timedelta(seconds=6)) is Hold.STALE


def test_delayed_sources_are_allowed():
    scene = Scene(rule())
    scene.take(shot(0, delayed=True), age_s=900)
    assert len(scene.take(shot(60, spot=6405.0, delayed=True), age_s=900)) == 1


def test_a_producer_that_only_ever_says_live_is_held_to_the_calendar():
    scene = Scene(rule())
    close = ASOF.replace(hour=20)
    scene.take(shot(-320, start=close))
    assert scene.take(shot(-299, start=close, spot=6405.0)) == []
    assert scene.watcher.hold("SPX", close) is Hold.CLOSING
    assert scene.take(shot(10, start=close, spot=6405.0)) == []
    assert scene.watcher.hold("SPX", close) is Hold.CLOSED


def test_a_forced_window_lets_alerts_fire_at_any_hour_but_the_closing_minutes():
    scene = Scene(rule(), any_hour=True)
    night = ASOF.replace(hour=3)
    scene.take(shot(0, start=night, state="closed"))
    assert len(scene.take(shot(1, start=night, state="closed", spot=6405.0))) == 1
    assert scene.take(shot(90, start=night, state="closing", spot=6395.0)) == []
    assert len(scene.take(shot(91, start=night, state="closed", spot=6395.0))) == 1


def test_a_price_is_watched_in_the_opening_minutes_and_over_an_old_chain_too():
    scene = Scene(rule(AlertKind.PRICE, value=6400.0))
    scene.take(shot(0, state="warming"))
    assert len(scene.take(shot(1, spot=6405.0, state="warming"))) == 1


def test_duplicates_and_late_snapshots_change_nothing():
    scene = Scene(rule())
    scene.run(6395, 6396, 6397)
    assert scene.take(shot(1, spot=6405.0)) == []
    assert scene.take(shot(2, spot=6405.0)) == []
    assert sides(scene.run(6405, start=3)) == [1]


def test_a_late_snapshot_does_not_say_how_things_stand_either():
    scene = Scene(rule())
    scene.run(6395, 6396, 6397)
    scene.take(shot(1, state="closing"))
    assert scene.watcher.hold("SPX", ASOF + timedelta(seconds=2)) is None


def test_quotes_from_the_future_do_not_make_those_of_now_late():
    scene = Scene(rule())
    scene.run(6395)
    scene.take(shot(30, spot=6395.0), age_s=-29)
    assert sides(scene.run(6405, start=1)) == [1]


def test_a_crossing_during_a_short_restart_is_found():
    before = Scene(rule())
    before.run(6395)
    after = Scene(rule())
    after.watcher.adopt(1, before.watcher.state(1))
    (firing,) = after.run(6405, start=10)
    assert firing.before.gap_ms is None


def test_a_crossing_over_a_gap_of_minutes_says_since_when_nobody_watched():
    scene = Scene(rule())
    scene.run(6395)
    (firing,) = scene.run(6405, start=300)
    assert firing.before.gap_ms == shot(0).asof_ms


def test_over_a_long_gap_only_a_price_is_compared_with_what_was():
    scene = Scene(rule(), rule(AlertKind.PRICE, number=2, value=6400.0))
    scene.run(6395)
    (firing,) = scene.run(6405, start=3600)
    assert firing.rule.number == 2
    assert firing.before.gap_ms == shot(0).asof_ms
    assert scene.watcher.state(1).told == 1


def test_figures_of_two_producers_are_not_compared():
    scene = Scene(rule())
    scene.run(6395)
    assert scene.take(shot(1, spot=6405.0, source="gexbot")) == []
    assert scene.take(shot(2, spot=6395.0, source="gexbot")) != []


def test_a_replay_runs_on_its_own_time_and_may_begin_anew():
    scene = Scene(rule())
    wall = ASOF + timedelta(days=30)

    def play(second, spot, run):
        sent = wall + timedelta(seconds=run)
        return scene.watcher.take(played(shot(second, spot=spot), sent=sent), sent)

    assert play(0, 6395.0, 0) == []
    assert len(play(10, 6405.0, 1)) == 1
    assert play(20, 6395.0, 2) == [], "the cool-down is a minute of the recording"
    assert len(play(75, 6395.0, 7)) == 1
    assert play(-600, 6395.0, 8) == []
    assert len(play(-599, 6405.0, 9)) == 1, "the recording began anew, and so did its cool-down"


def test_a_replay_that_has_stopped_is_stale():
    scene = Scene(rule())
    shown = played(shot(0), sent=ASOF)
    scene.watcher.take(shown, ASOF + timedelta(seconds=20))
    assert scene.watcher.hold("SPX", ASOF) is Hold.STALE


def test_a_scope_of_its_own_is_read_where_the_snapshot_has_it():
    scene = Scene(rule(scope="zero"))
    assert scene.run(6395, 6405) == []
    assert scene.watcher.is_missing(1)


def test_rules_that_stay_keep_what_is_known_of_them():
    scene = Scene(rule())
    scene.run(6395)
    scene.watcher.set_rules([rule(), rule(number=2)])
    assert [firing.rule.number for firing in scene.run(6405, start=1)] == [1]
    assert len(scene.watcher) == 2
    assert scene.watcher.state(3) is None


def test_unsaved_states_are_handed_out_once():
    scene = Scene(rule())
    scene.run(6395)
    assert list(scene.watcher.unsaved()) == [1]
    assert scene.watcher.unsaved() == {}


def test_a_new_rule_learns_its_side_from_the_snapshot_at_hand():
    scene = Scene(rule())
    scene.run(6395)
    scene.watcher.set_rules([rule(), rule(number=2), rule(number=3)])
    scene.watcher.begin(2, ASOF + timedelta(seconds=1))
    scene.watcher.begin(3, ASOF + timedelta(seconds=9))
    scene.watcher.begin(4, ASOF)
    assert scene.watcher.state(2).told == -1
    assert scene.watcher.state(3).told == 0, "by then the snapshot is stale"
    assert [firing.rule.number for firing in scene.run(6405, start=10)] == [1, 2]


def test_a_new_rule_learns_nothing_from_a_frozen_snapshot():
    scene = Scene(rule())
    scene.take(shot(0, state="closing"))
    scene.watcher.set_rules([rule(number=2)])
    scene.watcher.begin(2, ASOF)
    assert scene.watcher.state(2).told == 0


def test_many_rules_are_judged_in_portions_and_none_is_left_out():
    watcher = Watcher()
    watcher.set_rules([rule(number=n + 1) for n in range(1200)])
    watcher.take(shot(0), ASOF)
    portions = list(watcher.portions(shot(1, spot=6405.0), ASOF + timedelta(seconds=1)))
    assert [len(portion) for portion in portions] == [500, 500, 200]


def test_a_state_survives_its_way_through_json():
    scene = Scene(rule())
    scene.run(6395, 6405)
    state = scene.watcher.state(1)
    assert msgspec.json.decode(msgspec.json.encode(state), type=AlertState) == state


def test_a_snapshot_older_than_what_another_bot_has_judged_is_no_news():
    ahead, behind = Scene(rule()), Scene(rule())
    ahead.run(6395, 6395, 6395)
    behind.watcher.adopt(1, ahead.watcher.state(1))
    assert behind.run(6405, start=1) == []
    assert sides(behind.run(6405, start=3)) == [1]


@pytest.mark.parametrize("spacing_s", [60.0, 3600.0])
def test_a_source_that_is_asked_seldom_leaves_no_gaps(spacing_s):
    scene = Scene(rule())
    shots = [shot(n * spacing_s, spot=6395.0, start=ASOF.replace(hour=14)) for n in range(4)]
    shots += [shot(n * spacing_s, spot=6405.0, start=ASOF.replace(hour=14)) for n in (4, 5)]
    (firing,) = [firing for shown in shots for firing in scene.take(shown)]
    assert firing.snapshot is shots[4]
    assert firing.before.gap_ms is None


def test_a_night_is_not_taken_for_the_usual_spacing():
    scene = Scene(rule(), any_hour=True)
    scene.run(6395, 6395, 6395)
    scene.take(shot(60_000))
    assert scene.take(shot(63_700, spot=6405.0)) == []
