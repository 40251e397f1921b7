from datetime import datetime

import msgspec
import pytest

from bot.feed.window import Slot
from bot.feed.wording import board_view
from bot.render.charts.chart_words import footer
from bot.render.embeds import status_embed
from bot.render.explain.data import quote_time
from bot.render.explain.explain import explain_embed
from bot.render.origin_words import live_word, origin_words, source_name
from bot.render.text import board_text
from streaming.calendar import NEW_YORK
from streaming.model import ReplayMark
from streaming.symbols import parse_ticker
from tests.support.feed import snapshot

EVENING = datetime(2026, 11, 20, 20, 30, tzinfo=NEW_YORK)


def played(speed):
    mark = ReplayMark(of="schwab", speed=speed, sent_ms=0)
    return msgspec.structs.replace(snapshot(EVENING), source="replay", replay=mark)


def test_a_snapshot_that_is_no_replay_has_no_words():
    assert origin_words(snapshot()) is None


@pytest.mark.parametrize(
    ("speed", "words"),
    [
        (1.0, "REPLAY 20 Nov 2026 x1"),
        (10.0, "REPLAY 20 Nov 2026 x10"),
        (0.25, "REPLAY 20 Nov 2026 x0.25"),
        (0.0, "REPLAY 20 Nov 2026 paused"),
    ],
)
def test_the_recorded_day_in_new_york_and_the_speed_are_named(speed, words):
    assert origin_words(played(speed)) == words


def test_the_words_and_a_time_fit_a_phone_at_any_speed():
    assert max(len(origin_words(played(speed))) for speed in (0.0, 1e-9, 12345.678, 1e300)) <= 40 - len(" · 10:31:05")


def made_by(source):
    return msgspec.structs.replace(snapshot(EVENING), source=source)


@pytest.mark.parametrize(
    ("source", "words", "word"),
    [
        ("schwab", None, "live"),
        ("simulated", "SIMULATED", "running"),
        ("file:2022-05-20", "FILE OF 20 May 2022", "running"),
        ("file:nonsense", None, "live"),
    ],
)
def test_made_up_figures_are_never_called_live(source, words, word):
    assert origin_words(made_by(source)) == words
    assert live_word(made_by(source)) == word


def test_a_replay_of_what_was_made_up_says_both():
    mark = ReplayMark(of="simulated", speed=1.0, sent_ms=0)
    seen = msgspec.structs.replace(snapshot(EVENING), source="replay", replay=mark)
    assert origin_words(seen) == "SIMULATED · REPLAY 20 Nov 2026 x1"


def test_a_source_is_read_without_what_could_be_markup_and_a_file_by_its_day():
    assert source_name("file:2022-05-20") == "file of 2022-05-20"
    assert source_name("@everyone `x`") == "everyonex"
    assert source_name("$$$") == "—"


def test_message_embed_chart_alert_and_explanation_all_say_simulated():
    seen = made_by("simulated")
    slot = Slot(60.0)
    slot.put(seen)
    view = board_view(parse_ticker("NQ_NDX"), slot, EVENING, source="schwab", since=EVENING, window_s=60.0)
    message = board_text(view, style="plain")
    assert "SIMULATED" in message
    assert "simulated · running" in message
    embed = status_embed(seen, now=EVENING, window="open")
    assert embed.description.startswith("**SIMULATED** · simulated · running")
    assert footer(seen, EVENING, "").startswith("SIMULATED · 20 Nov 2026")
    assert "**SIMULATED**, not of the market." in quote_time(seen, now=EVENING)
    for text in (message, embed.description, footer(seen, EVENING, ""), quote_time(seen, now=EVENING)):
        assert "live" not in text


def test_a_source_of_any_name_makes_no_markup_where_discord_reads_it():
    named = msgspec.structs.replace(snapshot(), source="my_own_feed", scope=None, scopes={})
    texts = [status_embed(named, now=EVENING, window="open").description, quote_time(named, now=EVENING)]
    texts.append(explain_embed(named, None, now=EVENING).fields[0].value)
    assert "my\\_own\\_feed" in texts[0] and "my\\_own\\_feed" in texts[2]
    assert all("my_own" not in text for text in texts)
