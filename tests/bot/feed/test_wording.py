from datetime import timedelta

import msgspec
import pytest

from bot.feed.window import Slot
from bot.feed.wording import Ending, Wording, board_view
from bot.render.message_form import stamp
from bot.render.text import BoardView, board_text
from streaming.clock import epoch_ms
from streaming.freshness import Freshness
from streaming.model import ReplayMark, ScopeFigures, WeightFigures
from streaming.symbols import parse_ticker
from tests.support.feed import OPEN_AT, snapshot, without_colours

LATER = OPEN_AT + timedelta(hours=5)


def wording(slot: Slot) -> Wording:
    return Wording(parse_ticker("NQ"), slot, source="schwab", style="plain", window_s=60, since=OPEN_AT)


def holding(one) -> Slot:
    slot = Slot(60)
    slot.put(one)
    return slot


def replayed(**changes):
    mark = ReplayMark(of="schwab", speed=10.0, sent_ms=epoch_ms(LATER))
    return msgspec.structs.replace(snapshot(OPEN_AT), source="replay", replay=mark, **changes)


def test_live_figures_and_their_end():
    words = wording(holding(snapshot(OPEN_AT)))
    assert "schwab · live" in words.live(OPEN_AT)
    assert f"feed stopped {stamp(OPEN_AT)}" in words.stopped(OPEN_AT)
    assert f"closed {stamp(OPEN_AT + timedelta(minutes=1))}" in words.closed(
        snapshot(OPEN_AT), LATER, at=OPEN_AT + timedelta(minutes=1)
    )


def test_a_message_of_one_weight_shows_that_ones_figures_and_names_it():
    figures = ScopeFigures(
        oi=WeightFigures(zero_gamma=24900.0, call_wall=25500.0, net_gex_usd_per_1pct=1e9, gross_gex_usd_per_1pct=2e9),
        vol=WeightFigures(zero_gamma=25200.0, call_wall=25600.0, net_gex_usd_per_1pct=-3e9, gross_gex_usd_per_1pct=4e9),
    )
    texts = {}
    for weight in (None, "oi", "vol"):
        slot = Slot(60, weight=weight)
        slot.put(snapshot(OPEN_AT, scopes={"full": figures}, scope="full"))
        texts[weight] = wording(slot).live(OPEN_AT)
    assert "by vol, below zero gamma: amplified" in texts["vol"]
    assert "zero gamma **25200.00**" in texts["vol"]
    assert "call wall **25600**" in texts["vol"]
    assert "net gex vol **−3.00Bn**" in texts["vol"]
    assert "by oi, above zero gamma: dampened" in texts["oi"]
    assert "net gex oi **+1.00Bn**" in texts["oi"]
    assert "net gex vol **−3.00Bn**" in texts[None]
    assert "above zero gamma: moves\N{NO-BREAK SPACE}dampened" in texts[None]
    assert all("scaled gamma oi **+1.00Bn**" in text for text in texts.values())


def test_where_a_replay_takes_over_the_live_figures_end():
    words = wording(holding(replayed(spot=1.0)))
    text = words.closed(snapshot(LATER, spot=26000.0), LATER, at=OPEN_AT)
    assert "26000.00" in text
    assert f"closed {stamp(LATER)}" in text
    assert "REPLAY" not in text


def test_where_a_replay_gives_way_its_own_figures_end_at_its_own_hour():
    words = wording(holding(snapshot(LATER, spot=26000.0)))
    text = words.closed(replayed(spot=25000.0), LATER + timedelta(seconds=12), at=LATER)
    assert "25000.00" in text
    assert f"closed {stamp(OPEN_AT + timedelta(minutes=2))}" in text
    assert "REPLAY 20 Aug 2026 x10" in text


def test_what_another_process_left_is_closed_with_figures_of_that_day_or_without():
    words = wording(holding(snapshot(OPEN_AT)))
    assert "25061.25" in words.left_over("2026-08-20", LATER)
    assert "25061.25" not in words.left_over("2026-08-19", LATER)


NQ = parse_ticker("NQ")


def view(slot: Slot, age_s: float = 0.0, ending: Ending | None = None) -> BoardView:
    now = OPEN_AT + timedelta(seconds=age_s)
    return board_view(NQ, slot, now, source="schwab", since=OPEN_AT, window_s=60, ending=ending)


def slot_with(**changes: object) -> Slot:
    slot = Slot(60)
    slot.put(snapshot(OPEN_AT, **changes))
    return slot


@pytest.mark.parametrize(
    ("age_s", "freshness"),
    [(0, "live"), (5, "live"), (5.1, "stale"), (30, "stale"), (30.1, "old"), (9999, "old"), (-3, "live")],
)
def test_freshness_goes_by_the_age_of_the_quotes(age_s, freshness):
    assert view(slot_with(), age_s).freshness == freshness


@pytest.mark.parametrize("delayed", [False, True])
def test_quotes_from_the_future_are_never_live(delayed):
    seen = view(slot_with(delayed=delayed), -5.1)
    assert seen.freshness is Freshness.AHEAD
    assert "clock ahead" in board_text(seen)
    assert view(slot_with(), -86_400).freshness is Freshness.AHEAD


def test_a_delayed_source_is_never_called_live():
    seen = view(slot_with(delayed=True), 900)
    assert seen.freshness is Freshness.DELAYED
    assert seen.age_s == 900


def test_an_empty_slot_waits_for_its_source():
    seen = view(Slot(60), 20)
    assert (seen.freshness, seen.source, seen.at) == (Freshness.WAITING, "schwab", OPEN_AT)


def test_changes_are_over_the_window():
    slot = slot_with(spot=25000.0, sum_gex_vol=1800.0)
    slot.put(snapshot(OPEN_AT + timedelta(seconds=60)))
    seen = view(slot, 60)
    assert seen.figures["spot"].change == 61.25
    assert seen.figures["net_gex"].change == pytest.approx(0.0346)
    assert seen.figures["zero_gamma"].before == 24950.0


def test_changes_are_unknown_without_an_earlier_figure():
    seen = view(slot_with())
    assert seen.figures["spot"].change is None
    assert seen.figures["call_wall"].before is None


def test_an_absent_figure_stays_absent():
    seen = view(slot_with(sum_gex_oi=None, scopes={}, ladder_split=None, max_priors=()))
    assert seen.figures["scaled_gamma"].now is None
    assert seen.figures["zero_gamma"].now is None
    assert seen.figures["max_change"].now is None


def test_a_live_spot_over_an_old_chain_is_noted():
    assert view(slot_with(chain_ms=epoch_ms(OPEN_AT) - 700_000)).note == "chain 11m old"
    assert not view(slot_with(chain_ms=epoch_ms(OPEN_AT) - 5_000)).note


def test_opening_and_closing_minutes_are_noted():
    assert view(slot_with(state="warming")).note == "warming"


def test_closed_is_not_said_beside_live():
    slot = slot_with(state="closed")
    assert not view(slot).note
    assert view(slot, 45).note == "closed"


def test_an_ending_replaces_the_freshness():
    seen = view(slot_with(), 900, Ending(Freshness.CLOSED, OPEN_AT))
    assert (seen.freshness, seen.at) == (Freshness.CLOSED, OPEN_AT)


def played(speed: float) -> Slot:
    """Recorded at 09:40 on 20 August, played ten hours later."""
    mark = ReplayMark(of="schwab", speed=speed, sent_ms=epoch_ms(OPEN_AT) + 36_000_000)
    slot = Slot(60)
    slot.put(snapshot(OPEN_AT, source="replay", replay=mark))
    return slot


@pytest.mark.parametrize(("later_s", "words"), [(2, "playing"), (7, "7s stale"), (45, "old 45s")])
def test_the_age_of_a_replay_counts_from_its_playing(later_s, words):
    text = without_colours(board_text(view(played(10.0), 36_000 + later_s)))
    assert text.splitlines()[1] == "REPLAY 20 Aug 2026 x10 · 09:40:00 NY"
    assert f"replay · {words} · Δ 60s" in text
    assert "live" not in text


def test_a_paused_replay_says_so():
    text = without_colours(board_text(view(played(0.0), 36_001)))
    assert "REPLAY 20 Aug 2026 paused · 09:40:00 NY\n" in text
    assert "replay · paused · Δ 60s" in text


@pytest.mark.parametrize("freshness", [Freshness.CLOSED, Freshness.STOPPED])
def test_the_last_text_of_a_replay_is_labelled_too(freshness):
    text = without_colours(board_text(view(played(1.0), 36_001, Ending(freshness, OPEN_AT))))
    assert "REPLAY 20 Aug 2026 x1 · 09:40:00 NY\n" in text


def test_the_lines_that_a_replay_adds_fit_a_phone():
    text = without_colours(board_text(view(played(0.0), 36_000 + 3599)))
    assert max(len(line) for line in text.splitlines()[1:4]) <= 41


def test_what_was_delayed_when_it_was_recorded_is_played_like_anything_else():
    slot = played(1.0)
    slot.put(msgspec.structs.replace(slot.latest, delayed=True))
    assert "replay · playing · Δ 60s" in without_colours(board_text(view(slot, 36_001)))
