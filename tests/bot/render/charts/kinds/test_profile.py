import pytest
from msgspec.structs import replace

from bot.render.charts.chart_words import Asked
from bot.render.charts.kinds.profile import profile_chart
from streaming.errors import RequestError
from tests.support.charts import NOON, full_snapshot
from tests.support.feed import snapshot


def chart(seen, *, scope="full", weight="oi"):
    return profile_chart(seen, Asked(scope=scope, weight=weight, theme="dark", now=NOON))


def test_points_are_the_scopes_profile_in_millions():
    assert dict(chart(full_snapshot()).points)[23000.0] == -1800.0
    assert dict(chart(full_snapshot(), scope="zero", weight="vol").points)[23000.0] == -800.0


def test_the_picture_reaches_as_far_as_the_scope_has_gamma():
    seen = full_snapshot(spot=25000.0)
    near = tuple((22600.0 + 100 * n, 1e9 if 22 <= n <= 26 else 0.0, 1e9 if 22 <= n <= 26 else 0.0) for n in range(50))
    narrow = replace(seen, scopes=seen.scopes | {"zero": replace(seen.scopes["zero"], profile=near)})
    shown = chart(narrow, scope="zero")
    assert (shown.points[0][0], shown.points[-1][0]) == (24500.0, 25500.0)
    assert len(chart(narrow).points) > 40


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
