"""Which options make sense together."""

import msgspec
import pytest

from bot.alerts.rules import AlertKind, Rule, Target, check
from streaming.errors import RequestError
from tests.support.alerts import rule


@pytest.mark.parametrize(
    ("kind", "changes", "sentence"),
    [
        (AlertKind.PRICE, {}, "needs a figure"),
        (AlertKind.MAX_CHANGE, {}, "needs a figure"),
        (AlertKind.ZERO_GAMMA, {"value": 1.0}, "takes no `value`"),
        (AlertKind.NET_GEX, {"value": 1.0}, "takes no `value`"),
        (AlertKind.PRICE, {"value": 0.0}, "above 0"),
        (AlertKind.PRICE, {"value": float("nan")}, "above 0"),
        (AlertKind.PRICE, {"value": 1e9}, "above 0"),
        (AlertKind.MAX_CHANGE, {"value": -0.5}, "above 0"),
        (AlertKind.MAX_CHANGE, {"value": 0.5, "scope": "zero"}, "by volume"),
        (AlertKind.MAX_CHANGE, {"value": 0.5, "weight": "oi"}, "by volume"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_remedy(kind, changes, sentence):
    with pytest.raises(RequestError, match=sentence) as caught:
        check(rule(kind, **changes))
    assert caught.value.remedy


@pytest.mark.parametrize("kind", list(AlertKind))
def test_every_kind_has_a_form_that_is_accepted(kind):
    value = {AlertKind.PRICE: 6400.0, AlertKind.MAX_CHANGE: 0.5}.get(kind)
    assert check(rule(kind, value=value)).kind is kind


def test_net_gex_is_by_volume_and_levels_by_open_interest_unless_said():
    assert rule(AlertKind.NET_GEX).weighted_by == "vol"
    assert rule(AlertKind.ZERO_GAMMA).weighted_by == "oi"
    assert rule(AlertKind.ZERO_GAMMA, weight="vol").weighted_by == "vol"


def test_a_target_is_found_again_by_its_name():
    for target in (Target(user_id=2**62), Target(channel_id=5)):
        assert Target.named(target.name) == target


def test_a_rule_survives_its_way_through_json():
    asked = rule(AlertKind.PRICE, value=6400.5, target=Target(channel_id=2**62 + 1), scope="zero")
    assert msgspec.json.decode(msgspec.json.encode(asked), type=Rule) == asked
