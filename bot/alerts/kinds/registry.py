"""Every kind of alert by its name, and what follows from a rule's kind. Pure."""

import math
from collections.abc import Mapping
from typing import Final

from bot.alerts.kinds import crossings, max_change, net_gex, wall_moves
from bot.alerts.kinds.alert_kind import Kind
from bot.alerts.reading import Reading, WallReading
from bot.alerts.rules import AlertKind, Rule, Window
from streaming.errors import RequestError
from streaming.model import GexSnapshot, ScopeName, WeightName

KINDS: Final[Mapping[AlertKind, Kind]] = {
    kind.name: kind for module in (crossings, net_gex, wall_moves, max_change) for kind in module.KINDS
}
"""In the order in which they are offered."""
Key = tuple[AlertKind, ScopeName | None, WeightName, Window]
_LARGEST: Final = 1e7


def check(rule: Rule) -> Rule:
    """The rule as it is; RequestError says which option makes no sense with the others."""
    value, kind = rule.value, KINDS[rule.kind]
    if value is None and kind.needs_value:
        raise RequestError("This kind of alert needs a figure.", remedy=kind.needs_value)
    if value is not None and not kind.takes_value:
        raise RequestError(
            "This kind of alert takes no `value`.", remedy="Leave it out: the alert follows the live level."
        )
    if value is not None and not (math.isfinite(value) and 0 < value < _LARGEST):
        raise RequestError("The `value` must be above 0.", remedy="A flow is measured by its size, whatever its sign.")
    if not kind.scoped and (rule.scope or rule.weight not in {None, kind.weight}):
        raise RequestError(
            "The flow is by volume, in the scope that its source publishes.", remedy="Leave out `scope` and `weight`."
        )
    return rule


def check_given(kind: Kind, *, scope: object, weight: object, window: object) -> None:
    """RequestError for an option that was given and that this kind would not look at; None is not given."""
    if window is not None and not kind.windowed:
        raise RequestError("This kind of alert takes no `window`.", remedy="Leave it out: only a flow has one.")
    if kind.fixed and (scope is not None or weight is not None):
        raise RequestError(
            "A price has no `scope` and no `weight`.", remedy="Leave them out: the alert looks at spot alone."
        )


def same(one: Rule, other: Rule) -> bool:
    """Whether two rules watch for the same, however it was asked."""
    return one.ticker == other.ticker and key_of(one) == key_of(other) and one.value == other.value


def weight_of(rule: Rule) -> WeightName:
    """The weight in force."""
    return rule.weight or KINDS[rule.kind].weight


def key_of(rule: Rule) -> Key:
    """Rules with the same key read the same figures, so they are read once."""
    return rule.kind, rule.scope, weight_of(rule), rule.window


def read(snapshot: GexSnapshot, key: Key) -> Reading | WallReading | None:
    """The reading of every rule with this key; `with_value` makes it the reading of one rule."""
    kind, scope, weight, window = key
    return KINDS[kind].read(snapshot, scope, weight, window)


def with_value(reading: Reading, rule: Rule) -> Reading:
    """The reading against the rule's own price or figure, if it has one."""
    against = KINDS[rule.kind].against
    return reading if rule.value is None or against is None else against(reading, rule.value)
