from typing import Any

import pytest

from bot.sandbox.rest.asked_options import check_options, focused_option, resolved, spoken_name
from bot.sandbox.world.api_errors import ApiError
from bot.sandbox.world.world import World
from tests.support.clock import ManualClock

SYMBOL = {"type": 3, "name": "symbol", "required": True, "max_length": 5, "autocomplete": True}
SCOPE = {"type": 3, "name": "scope", "choices": [{"name": "Zero", "value": "zero"}]}
COUNT = {"type": 4, "name": "count", "min_value": 1, "max_value": 9}
LEVELS = {"type": 1, "name": "levels", "options": [SYMBOL, SCOPE, COUNT]}
GEX = {"name": "gex", "options": [LEVELS, {"type": 1, "name": "status"}]}
PLAIN = {"name": "plain", "options": [SYMBOL, SCOPE, COUNT, {"type": 5, "name": "wide"}, {"type": 6, "name": "who"}]}


def asked(**values: Any) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def test_values_are_typed_as_the_command_defines_them() -> None:
    checked = check_options(PLAIN, asked(symbol="SPX", scope="zero", count="3", wide=True))
    assert checked == [
        {"name": "symbol", "type": 3, "value": "SPX"},
        {"name": "scope", "type": 3, "value": "zero"},
        {"name": "count", "type": 4, "value": 3},
        {"name": "wide", "type": 5, "value": True},
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        asked(),
        asked(symbol="TOOLONG"),
        asked(symbol=5),
        asked(symbol="SPX", scope="week"),
        asked(symbol="SPX", count=10),
        asked(symbol="SPX", count="many"),
        asked(symbol="SPX", wide="yes"),
        asked(symbol="SPX", who="somebody"),
        asked(symbol="SPX", unknown=1),
    ],
)
def test_what_a_client_would_not_send_is_refused(wrong: list[dict[str, Any]]) -> None:
    with pytest.raises(ApiError):
        check_options(PLAIN, wrong)


def test_a_group_needs_exactly_one_of_its_commands() -> None:
    with pytest.raises(ApiError):
        check_options(GEX, [])
    inner = check_options(GEX, [{"name": "levels", "options": asked(symbol="SPX")}])
    assert spoken_name(GEX, inner) == "gex levels"


def test_while_typing_nothing_is_required_and_the_focus_is_found() -> None:
    typed = [{"name": "levels", "options": [{"name": "symbol", "value": "toolongtobevalid", "focused": True}]}]
    options = check_options(GEX, typed, typing=True)
    definition, option = focused_option(GEX, options)
    assert (definition, option["value"], option["focused"]) == (SYMBOL, "toolongtobevalid", True)


def test_people_and_channels_are_resolved_and_strangers_refused() -> None:
    world = World(["gex-spx"], ManualClock())
    (channel_id,) = world.channels
    guest = str(world.personas["guest"].member.user.id)
    found = resolved(world, channel_id, [{"type": 6, "name": "who", "value": guest}])
    assert found["users"][guest]["username"] == "guest"
    assert "user" not in found["members"][guest]
    assert resolved(world, channel_id, [{"type": 7, "name": "c", "value": str(channel_id)}])["channels"]
    with pytest.raises(ApiError):
        resolved(world, channel_id, [{"type": 6, "name": "who", "value": "12"}])
