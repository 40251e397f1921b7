from datetime import UTC, datetime

import pytest

from bot.feed.schedule import decide
from bot.render.captions import chart_alt_text, window_sentence
from tests.support.host import make_snapshot


def test_a_picture_in_words_names_every_line_of_it():
    text = chart_alt_text(make_snapshot(major_pos_oi=6450.0, major_neg_oi=6300.0), "vol")
    assert text == (
        "Gamma exposure of SPX by strike, weighted by today's volume: net +2.5000Bn, spot 6395.25, "
        "zero gamma 6390.00, call wall 6450.00, put wall 6300.00."
    )
    assert "net +1.5000Bn" in chart_alt_text(make_snapshot(), "oi")


def test_the_unknown_is_a_dash_and_discords_limit_holds():
    text = chart_alt_text(make_snapshot(spot=None, scopes={}), "vol")
    assert "spot —" in text
    assert len(text) <= 1024


@pytest.mark.parametrize(
    ("at", "force", "sentence"),
    [
        (datetime(2026, 8, 20, 15, tzinfo=UTC), False, "open until Thu 16:00 New York"),
        (datetime(2026, 8, 20, 12, tzinfo=UTC), False, "closed: before 09:35 until Thu 09:35 New York"),
        (datetime(2026, 8, 22, 15, tzinfo=UTC), False, "closed: weekend until Mon 09:35 New York"),
        (datetime(2026, 11, 27, 17, tzinfo=UTC), False, "open until Fri 13:00 New York"),
        (datetime(2026, 8, 22, 15, tzinfo=UTC), True, "forced open"),
    ],
)
def test_the_window_says_why_and_until_when(at, force, sentence):
    assert window_sentence(decide(at, force=force)) == sentence
