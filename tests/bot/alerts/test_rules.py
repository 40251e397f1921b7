"""Rules as they are kept."""

import msgspec

from bot.alerts.rules import AlertKind, Rule, Target
from tests.support.alerts import rule


def test_a_target_is_found_again_by_its_name():
    for target in (Target(user_id=2**62), Target(channel_id=5)):
        assert Target.named(target.name) == target


def test_a_rule_survives_its_way_through_json():
    asked = rule(AlertKind.PRICE, value=6400.5, target=Target(channel_id=2**62 + 1), scope="zero")
    assert msgspec.json.decode(msgspec.json.encode(asked), type=Rule) == asked
