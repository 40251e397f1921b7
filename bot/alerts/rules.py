"""What a reader can ask to be told of, and where: the records that are kept. Pure."""

import math
from enum import StrEnum
from typing import Final

import msgspec

from streaming.errors import RequestError
from streaming.model import ScopeName, WeightName

DEFAULT_COOLDOWN_MIN: Final = 15
LONGEST_COOLDOWN_MIN: Final = 1440
_LARGEST: Final = 1e7


class AlertKind(StrEnum):
    """What happens."""

    ZERO_GAMMA = "zero_gamma"
    """Spot crosses zero gamma."""
    CALL_WALL = "call_wall"
    PUT_WALL = "put_wall"
    PRICE = "price"
    NET_GEX = "net_gex"
    """Net GEX changes sign."""
    CALL_WALL_MOVES = "call_wall_moves"
    PUT_WALL_MOVES = "put_wall_moves"
    MAX_CHANGE = "max_change"
    """The size of the max change exceeds a figure."""


class Window(StrEnum):
    """Over which span a max change is taken; the order is that of `GexSnapshot.max_priors`."""

    CURRENT = "current"
    ONE = "1"
    FIVE = "5"
    TEN = "10"
    FIFTEEN = "15"
    THIRTY = "30"


WALL_MOVES: Final = frozenset({AlertKind.CALL_WALL_MOVES, AlertKind.PUT_WALL_MOVES})
_NEEDS_VALUE: Final = {
    AlertKind.PRICE: "Give the price in points as `value`, such as 6400.",
    AlertKind.MAX_CHANGE: "Give the figure in billions of dollars per 1 % as `value`, such as 0.5.",
}
_TAKES_VALUE: Final = frozenset(_NEEDS_VALUE) | WALL_MOVES
_BY_VOLUME: Final = frozenset({AlertKind.NET_GEX, AlertKind.MAX_CHANGE})


class Target(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a rule speaks: a channel, or one person's direct messages."""

    channel_id: int | None = None
    user_id: int | None = None

    @property
    def name(self) -> str:
        """Names the target in Redis: `channel:1` or `dm:2`."""
        return f"dm:{self.user_id}" if self.channel_id is None else f"channel:{self.channel_id}"

    @property
    def words(self) -> str:
        """The target for operators."""
        return f"person {self.user_id}" if self.channel_id is None else f"channel {self.channel_id}"

    @classmethod
    def named(cls, name: str) -> "Target":
        """The target of a name that `name` gave."""
        kind, _, number = name.partition(":")
        return cls(user_id=int(number)) if kind == "dm" else cls(channel_id=int(number))


class Rule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One alert as somebody asked for it; `number` is its name among people and never used again."""

    number: int = 0
    kind: AlertKind
    ticker: str
    owner_id: int
    target: Target
    guild_id: int | None = None
    value: float | None = None
    """Points of `PRICE`, $Bn per 1 % of `MAX_CHANGE`, least points of a wall's move; None for one listed strike."""
    window: Window = Window.FIVE
    scope: ScopeName | None = None
    """None: the scope of the live message."""
    weight: WeightName | None = None
    """None: as the live message, so by volume for net GEX and by open interest for levels."""
    cooldown_min: int = DEFAULT_COOLDOWN_MIN
    added_ms: int = 0
    v: int = 1

    @property
    def weighted_by(self) -> WeightName:
        """The weight in force."""
        return self.weight or ("vol" if self.kind in _BY_VOLUME else "oi")

    @property
    def cooldown_ms(self) -> int:
        """The quiet time after a message, milliseconds."""
        return self.cooldown_min * 60_000


def check(rule: Rule) -> Rule:
    """The rule as it is; RequestError says which option makes no sense with the others."""
    value = rule.value
    if value is None and rule.kind in _NEEDS_VALUE:
        raise RequestError("This kind of alert needs a figure.", remedy=_NEEDS_VALUE[rule.kind])
    if value is not None and rule.kind not in _TAKES_VALUE:
        raise RequestError("This kind of alert takes no `value`.", remedy="Leave it out: the level is the live one.")
    if value is not None and not (math.isfinite(value) and 0 < value < _LARGEST):
        raise RequestError("The `value` must be above 0.", remedy="A max change counts by its size, whatever its sign.")
    if rule.kind is AlertKind.MAX_CHANGE and (rule.scope or rule.weight == "oi"):
        raise RequestError(
            "The max change is by volume, in the scope of the live message.", remedy="Leave out `scope` and `weight`."
        )
    return rule
