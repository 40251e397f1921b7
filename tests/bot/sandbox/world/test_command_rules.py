from typing import Any

import pytest

from bot.sandbox.world.api_errors import ApiError
from bot.sandbox.world.command_rules import check_command, check_commands

TEXT = {"type": 3, "name": "symbol", "description": "Which"}


def command(**changes: Any) -> dict[str, Any]:
    return {"name": "gex", "description": "Gamma", "type": 1, **changes}


def option(**changes: Any) -> dict[str, Any]:
    return command(options=[{**TEXT, **changes}])


def test_commands_groups_and_menus_pass() -> None:
    sub = {"type": 1, "name": "levels", "description": "Levels", "options": [TEXT]}
    group = {"type": 2, "name": "deep", "description": "Deeper", "options": [sub]}
    check_commands([command(options=[sub, group]), {"name": "Show Levels", "type": 3}])


@pytest.mark.parametrize(
    "wrong",
    [
        command(name="Gex"),
        command(name="gex levels"),
        command(name=""),
        command(name="x" * 33),
        command(description=""),
        command(description="x" * 101),
        command(default_member_permissions="manage"),
        command(options=[TEXT, TEXT]),
        command(options=[{**TEXT, "name": f"o{n}"} for n in range(26)]),
        command(options=[TEXT, {**TEXT, "name": "must", "required": True}]),
        command(options=[TEXT, {"type": 1, "name": "sub", "description": "d"}]),
        command(options=[{"type": 2, "name": "g", "description": "d", "options": [{**TEXT}]}]),
        option(description=""),
        option(name="Symbol"),
        option(type=12),
        option(choices=[{"name": "n", "value": str(n)} for n in range(26)]),
        option(choices=[{"name": "n", "value": "1"}, {"name": "n", "value": "2"}]),
        option(choices=[{"name": "n", "value": "1"}], autocomplete=True),
        option(choices=[{"name": "x" * 101, "value": "1"}]),
        option(type=5, autocomplete=True),
        option(type=4, choices=[{"name": "n", "value": "one"}]),
        command(
            options=[
                {
                    **TEXT,
                    "name": f"o{n}",
                    "description": "x" * 100,
                    "choices": [{"name": f"{c}" * 50, "value": "v" * 100} for c in range(10, 20)],
                }
                for n in range(6)
            ]
        ),
        {"name": "Menu", "type": 2, "description": "menus have none"},
    ],
)
def test_a_command_that_breaks_a_rule_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as raised:
        check_command(wrong)
    assert raised.value.code == 50035


def test_the_refusal_names_the_place() -> None:
    with pytest.raises(ApiError) as raised:
        check_commands([command(), command(name="other", options=[{**TEXT, "name": "Bad"}])])
    assert raised.value.errors == {
        "1": {
            "options": {
                "0": {
                    "name": {
                        "_errors": [{"code": "APPLICATION_COMMAND_INVALID_NAME", "message": "Command name is invalid"}]
                    }
                }
            }
        }
    }


def test_names_differ_and_are_at_most_a_hundred() -> None:
    with pytest.raises(ApiError):
        check_commands([command(), command()])
    with pytest.raises(ApiError):
        check_commands([command(name=f"c{number}") for number in range(101)])
    check_commands([command(), command(type=2, name="gex", description="")])
