from datetime import timedelta
from typing import get_args, get_type_hints

import pytest
from msgspec.structs import replace

from streaming.api.classic_answers import CATEGORIES
from streaming.api.routes import ROUTES, Desk, OfCategory, OfLevels, OfText, understood
from streaming.errors import RequestError
from streaming.export.levels import FORMATS
from tests.support.clock import ManualClock
from tests.support.snapshots import ASOF, snapshot

BY_NAME = {route.name: route for route in ROUTES}


def test_a_question_is_read_from_path_and_query_with_numbers_as_numbers():
    asked = understood(BY_NAME["history"], {"symbol": "SPX"}, {"minutes": "90", "scope": "zero"})
    assert (asked.symbol, asked.minutes, asked.points, asked.scope) == ("SPX", 90, 120, "zero")
    assert understood(BY_NAME["levels"], {"symbol": "SPX"}, {}) == OfLevels(symbol="SPX")


def test_a_query_cannot_ask_for_another_symbol_than_its_path():
    assert understood(BY_NAME["levels"], {"symbol": "SPX"}, {"symbol": "NDX"}).symbol == "SPX"


def test_a_misspelt_name_is_refused_on_our_paths_and_passed_over_on_gexbots():
    with pytest.raises(RequestError, match=r"it contains unknown field `socpe`\."):
        understood(BY_NAME["levels"], {"symbol": "SPX"}, {"socpe": "zero"})
    assert understood(BY_NAME["classic"], {"ticker": "SPX", "category": "full"}, {"cache": "7"}).category == "full"


def test_the_figures_have_a_tag_until_they_change_or_turn_stale():
    clock = ManualClock(ASOF)
    desk = Desk(None, (), clock)
    for seen, later in ((snapshot(), timedelta(seconds=10)), (replace(snapshot(), delayed=True), timedelta(hours=1))):
        clock = ManualClock(ASOF + later)
        assert desk.tag(seen) == desk.tag(seen) != Desk(None, (), clock).tag(seen)
        assert desk.tag(seen) != desk.tag(replace(seen, seq=2))


def test_what_may_stand_in_a_path_is_what_there_is():
    assert set(get_args(get_type_hints(OfText)["format"])) == set(FORMATS)
    assert set(get_args(get_type_hints(OfCategory)["category"])) == set(CATEGORIES)
