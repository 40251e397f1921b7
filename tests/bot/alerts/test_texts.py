"""What readers read."""

from datetime import timedelta

import msgspec
import pytest

from bot.alerts.hold import Hold
from bot.alerts.kinds.registry import key_of, read, with_value
from bot.alerts.rules import AlertKind, AlertState, Window
from bot.alerts.texts import LONGEST, firing_text, reading_text, rule_text, standing_text
from tests.support.alerts import Scene, played, rule, shot
from tests.support.snapshots import ASOF

SECOND = int(ASOF.timestamp()) + 1
"""Of the snapshot after the first."""


def text(asked, *shots, age_s=0.0):
    """The text of the one firing that these snapshots set off."""
    scene = Scene(asked)
    firings = [firing for shown in shots for firing in scene.take(shown, age_s=age_s)]
    (firing,) = firings
    return firing_text(firing, ASOF.fromtimestamp(firing.snapshot.asof_ms / 1000 + age_s, ASOF.tzinfo))


def test_a_crossing_says_level_spot_time_and_source():
    assert text(rule(), shot(0), shot(1, spot=6405.25)) == (
        f"▲ **SPX** crossed above zero gamma 6400.00\nspot 6405.25 · <t:{SECOND}:T> · schwab"
    )


def test_a_level_that_moved_says_from_where_to_where():
    assert text(rule(), shot(0), shot(1, zero_gamma=6380.0), shot(12, zero_gamma=6380.0)).startswith(
        "▲ **SPX** is above zero gamma, which moved 6400.00 → 6380.00\nspot 6395.00"
    )


def test_net_gex_says_its_sign_and_unit():
    asked = rule(AlertKind.NET_GEX)
    first = text(asked, shot(0, net_bn=1.0), shot(1, net_bn=-1.25)).splitlines()[0]
    assert first == "▼ **SPX** net GEX turned negative: −$1.25Bn per 1 %"
    asked = rule(AlertKind.NET_GEX, weight="oi")
    assert "net GEX by OI turned positive: +$1.25Bn per 1 %" in text(asked, shot(0, net_bn=-1), shot(1, net_bn=1.25))


def test_a_max_change_says_window_sign_unit_and_strike():
    asked = rule(AlertKind.MAX_CHANGE, value=0.5, window=Window.FIFTEEN)
    first = text(asked, shot(0), shot(1, change_bn=-0.75)).splitlines()[0]
    assert first == "▼ **SPX** max change 15 min −$0.750Bn per 1 % at 6400"

    assert "no volume by strike" in text(asked, shot(0), shot(1, change_bn=-0.75))


def test_a_flow_says_the_same_at_the_strike_where_it_was_traded():
    asked = rule(AlertKind.MAX_CHANGE, value=0.5, window=Window.FIFTEEN)
    found = text(asked, shot(0, flow_bn=0.1), shot(1, change_bn=0.9, flow_bn=-0.75))
    assert found.splitlines()[0] == "▼ **SPX** flow 15 min −$0.750Bn per 1 % at 6405"
    assert "no volume" not in found


def test_a_wall_says_where_it_was_and_is_in_the_tickers_own_points():
    asked = rule(AlertKind.CALL_WALL_MOVES, ticker="NQ_NDX")
    shots = [shot(n, ticker="NQ_NDX", basis=40.5, call_wall=25040.5 if n < 1 else 25140.5) for n in (0, 1, 12)]
    assert text(asked, *shots).startswith("↔ **NQ\\_NDX** call wall moved 25040.50 → 25140.50\n")


def test_a_price_says_which_way():
    asked = rule(AlertKind.PRICE, value=6400.0)
    assert text(asked, shot(0, spot=6405), shot(1, spot=6390)).startswith("▼ **SPX** crossed below 6400\n")


def test_delayed_data_says_how_late_it_is():
    shots = shot(0, delayed=True, source="cboe"), shot(1, spot=6405, delayed=True, source="cboe")
    assert text(rule(), *shots, age_s=900).endswith("· cboe delayed 15m")


def test_a_replay_says_so_with_its_date():
    scene = Scene(rule())
    wall = ASOF + timedelta(days=3)
    scene.watcher.take(played(shot(0), sent=wall), wall)
    (firing,) = scene.watcher.take(played(shot(1, spot=6405), sent=wall), wall)
    assert firing_text(firing, wall).endswith("· REPLAY 20 Aug 2026 x10")


def test_what_the_cool_down_kept_back_says_since_when():
    scene = Scene(rule())
    scene.run(6395, 6405, 6395)
    (firing,) = scene.run(6394, start=70)
    assert firing_text(firing, ASOF).endswith(f"· since <t:{SECOND + 1}:T>")


def test_a_gap_says_since_when_nobody_watched():
    assert text(rule(), shot(0), shot(300, spot=6405)).endswith(f"· not watched since <t:{SECOND - 1}:f>")


def test_a_name_from_outside_is_neither_markup_nor_a_mention():
    shots = [shot(n, spot=6395 + 10 * n, source="@everyone `x` _y_") for n in (0, 1)]
    found = text(rule(), *shots)
    assert "@" not in found
    assert "`" not in found
    assert found.endswith("everyonex\\_y\\_")


@pytest.mark.parametrize("kind", list(AlertKind))
def test_every_text_is_two_lines_that_fit_ten_to_a_message(kind):
    value = {AlertKind.PRICE: 99999.99, AlertKind.MAX_CHANGE: 99.5}.get(kind)
    asked = rule(kind, value=value, ticker="ABCDEFGHIJKL", cooldown_min=1440)
    long = {"ticker": "ABCDEFGHIJKL", "source": "a-very-long-source-name", "state": "warming"}
    shots = [shot(0, **(long | {"state": "live"}), spot=99000, zero_gamma=98000, call_wall=98500, put_wall=98700)]
    shots += [
        shot(
            second,
            **(long | {"state": "live"}),
            spot=97000 + (kind is AlertKind.PRICE) * 9000,
            zero_gamma=98000,
            call_wall=97500.25,
            put_wall=97700.75,
            net_bn=-123.4,
            change_bn=-999.9,
        )
        for second in (200, 211)
    ]
    found = text(asked, *shots)
    assert len(found) < LONGEST
    assert found.count("\n") == 1


def test_rules_in_words():
    assert rule_text(rule(cooldown_min=15)) == "SPX: spot crosses zero gamma"
    assert rule_text(rule(AlertKind.PRICE, value=6400.0)) == "SPX: spot crosses 6400 (at most every 1 min)"
    asked = rule(AlertKind.MAX_CHANGE, value=0.5, window=Window.CURRENT, cooldown_min=15)
    assert rule_text(asked) == "SPX: flow since the last snapshot exceeds $0.5Bn per 1 % at a strike"
    asked = rule(AlertKind.CALL_WALL_MOVES, value=25.0, scope="zero", weight="vol", cooldown_min=15)
    assert rule_text(asked) == "SPX: the call wall moves by 25 points or more (scope zero, by volume)"
    assert rule_text(rule(AlertKind.NET_GEX, cooldown_min=15)) == "SPX: net GEX changes sign"


def test_how_a_rule_stands():
    def stands(state=None, *, hold=None, missing=False, paused=None):
        return standing_text(rule(), state, hold=hold, missing=missing, paused=paused)

    seen = shot(0).asof_ms
    assert stands() == "waiting for data"
    assert stands(AlertState(seen_ms=seen)) == "armed"
    assert stands(AlertState(seen_ms=seen), missing=True) == "waiting for data"
    fired = AlertState(seen_ms=seen + 1000, fired_ms=seen)
    assert stands(fired) == "cooling down until <t:1787238060:t>, fired <t:1787238000:f>"
    assert stands(AlertState(seen_ms=seen + 61_000, fired_ms=seen)) == "armed, fired <t:1787238000:f>"
    assert stands(fired, hold=Hold.CLOSING) == "frozen (closing), fired <t:1787238000:f>"
    assert stands(hold=Hold.STALE) == "waiting for live data (stale)"
    assert stands(hold=Hold.STALE, paused="the channel is gone") == "paused: the channel is gone"


def test_where_the_figure_of_a_new_rule_stands():
    def now(asked, **changes):
        shown = shot(0, **changes)
        reading = read(shown, key_of(asked))
        if reading is not None and not hasattr(reading, "basis"):
            reading = with_value(reading, asked)
        return reading_text(shown, reading, asked)

    assert now(rule()) == "Now spot 6395.00 is below 6400.00."
    assert now(rule(AlertKind.NET_GEX), net_bn=-0.5) == "Now −$0.500Bn per 1 %."
    assert now(rule(AlertKind.PUT_WALL_MOVES)) == "Now at 6300, spot 6395.00."
    asked = rule(AlertKind.MAX_CHANGE, value=0.5)
    assert now(asked, flow_bn=-0.1) == "Now $0.100Bn per 1 % in size."
    assert now(asked, change_bn=-0.1).startswith("Now $0.100Bn per 1 % in size, by max change (no volume by strike).")
    assert now(asked, change_bn=-0.7).endswith("That is already beyond it; you will be told next time.")
    assert now(rule(), zero_gamma=None) == "This figure is not known right now; the alert waits until it is."


def test_a_classic_snapshot_serves_what_it_has():
    shown = msgspec.structs.replace(shot(0), scopes={}, scope=None, ladder_split=6390.0, major_pos_vol=6420.0)
    assert read(shown, key_of(rule())).level == 6390.0
    assert read(shown, key_of(rule(AlertKind.CALL_WALL, weight="vol"))).level == 6420.0
    assert read(shown, key_of(rule(AlertKind.CALL_WALL))) is None
    assert read(shown, key_of(rule(scope="zero"))) is None
    assert read(shown, key_of(rule(AlertKind.NET_GEX))).value == 1.0
