import pytest

from bot.render.charts.chart_words import Asked
from bot.render.charts.kinds.profile import profile_chart
from streaming.errors import RequestError
from tests.support.charts import NOON, full_snapshot
from tests.support.feed import snapshot


def chart(seen, *, scope="full", weight="oi"):
    return profile_chart(seen, Asked(scope=scope, weight=weight, theme="dark", now=NOON))


def test_points_are_the_scopes_profile_in_millions():
    assert chart(full_snapshot()).points[0] == (22600.0, -2200.0)
    assert chart(full_snapshot(), scope="zero", weight="vol").points[0] == (22600.0, -1000.0)


def test_every_flip_is_there_with_its_direction():
    shown = chart(full_snapshot())
    assert shown.flips == ((24161.25, -1), (24950.75, 1))
    assert "2 flips, the nearest is named" in shown.footer
    assert {mark.kind: mark.value for mark in shown.marks}["zero_gamma"] == 24950.75


def test_why_there_is_no_flip_is_said():
    shown = chart(full_snapshot(), weight="vol")
    assert shown.flips == ()
    assert "positive everywhere" in shown.footer
    assert "zero_gamma" not in {mark.kind for mark in shown.marks}


@pytest.mark.parametrize("seen", [snapshot(), snapshot(scope=None, scopes={})])
def test_a_producer_without_a_profile_gets_no_made_up_one(seen):
    with pytest.raises(RequestError, match="NQ_NDX has no profile by open interest from schwab"):
        chart(seen)
