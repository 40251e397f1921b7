"""What there is to say of a kind of alert, and what it is told in. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.alerts.reading import Reading, WallReading
from bot.alerts.rules import AlertKind, AlertState, Rule, Window
from bot.render.numbers import DIGITS, significant_bn
from streaming.model import GexSnapshot, ScopeName, WeightName


@dataclass(frozen=True, slots=True)
class Firing:
    """An alert that is due, with all that its text needs."""

    rule: Rule
    snapshot: GexSnapshot
    reading: Reading | WallReading
    before: AlertState
    """What the rule knew until now; its `episode` is the one to claim."""
    after: AlertState
    held: bool
    """The change is older than this snapshot: the cool-down kept it back."""

    @property
    def up(self) -> bool:
        """Whether the figure is above its level now."""
        return self.after.told > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind: registered in `bot.alerts.kinds.registry`, offered, checked, judged and told from there."""

    name: AlertKind
    choice: str
    """What happens, as it is offered."""
    weight: WeightName = "oi"
    """By which its figures are taken where a rule does not say."""
    needs_value: str = ""
    """What to give as `value`, for a rule that must have one."""
    takes_value: bool = False
    """Whether it may have one."""
    scoped: bool = True
    """Whether a rule may name a scope or another weight."""
    windowed: bool = False
    """Whether it counts over a window that a rule may name."""
    fixed: bool = False
    """The level is the reader's own and never moves: it is compared over any gap, and a price is a price also in the
    opening minutes or over an old chain."""
    one_way: bool = False
    """Going below is never told."""
    read: Callable[[GexSnapshot, ScopeName | None, WeightName, Window], Reading | WallReading | None]
    against: Callable[[Reading, float], Reading] | None = None
    """A reading held against a rule's own `value`."""
    happening: Callable[[Rule], str]
    """What a rule waits for."""
    headline: Callable[[Firing, str], str]
    """What happened, to the ticker as it is written."""
    now: Callable[[GexSnapshot, Any], str]
    """Where a reading of this kind stands."""
    caveat: Callable[[GexSnapshot], str] = lambda _: ""
    """What a reader must know of how this snapshot's figure is meant, if anything."""


def arrow(*, up: bool) -> str:
    """Which way it went."""
    return "▲" if up else "▼"


def exposure(value_bn: float) -> str:
    """An exposure with sign and unit: `−$1.25Bn per 1 %`."""
    text = significant_bn(value_bn, DIGITS)
    return f"{text[0]}${text[1:]} per 1 %"
