"""Which options make sense together, and that every kind is there."""

import pytest

from bot.alerts.kinds.registry import KINDS, check, weight_of
from bot.alerts.rules import AlertKind
from streaming.errors import RequestError
from tests.support.alerts import rule


def test_every_kind_is_registered_once_in_the_order_of_its_names():
    assert list(KINDS) == list(AlertKind)


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
    assert weight_of(rule(AlertKind.NET_GEX)) == "vol"
    assert weight_of(rule(AlertKind.ZERO_GAMMA)) == "oi"
    assert weight_of(rule(AlertKind.ZERO_GAMMA, weight="vol")) == "vol"
