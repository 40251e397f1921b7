"""What a reader can ask to be told of and where, and what a rule remembers: the records that are kept. Pure."""

from enum import StrEnum
from typing import Final

import msgspec

from streaming.model import ScopeName, WeightName

DEFAULT_COOLDOWN_MIN: Final = 15
LONGEST_COOLDOWN_MIN: Final = 1440


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
    """The size of the flow at a strike exceeds a figure; of the max change where no volume by strike is told."""


class Window(StrEnum):
    """Over which span a change is taken; the order is that of `GexSnapshot.max_priors`, the names those of its flow."""

    CURRENT = "current"
    ONE = "1"
    FIVE = "5"
    TEN = "10"
    FIFTEEN = "15"
    THIRTY = "30"


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
    """None: the scope that the source publishes."""
    weight: WeightName | None = None
    """None: the kind's own, so by volume for net GEX and by open interest for levels."""
    cooldown_min: int = DEFAULT_COOLDOWN_MIN
    added_ms: int = 0
    by_trades: bool = False
    """Of `MAX_CHANGE`: set since changes are counted by trades; who set theirs before is told of it once."""
    v: int = 1

    @property
    def name(self) -> str:
        """Names the rule in Redis beside the targets: `rule:3`."""
        return f"rule:{self.number}"

    @property
    def cooldown_ms(self) -> int:
        """The quiet time after a message, milliseconds."""
        return self.cooldown_min * 60_000


class AlertState(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What one rule remembers between snapshots and across restarts; changed in place, since thousands are looked at.

    All times are market time, so that a replay is alike.

    A crossing compares two sides, +1 above and -1 below: `told` is the side the reader knows of, `side` the one
    the figure is on for certain. An alert is due while they differ.
    """

    side: int = 0
    """0: not known yet."""
    told: int = 0
    since_ms: int | None = None
    """When `side` was taken."""
    by_level: bool = False
    """The level went to the other side of the figure, not the figure to the level's."""
    value: float | None = None
    """The figure (such as spot) when it was last for certain on `side`; of a wall nothing."""
    level: float | None = None
    """The level at that time; of a wall's move the level that the reader knows of."""
    candidate: float | None = None
    """The level that has not stood long enough yet."""
    candidate_ms: int | None = None
    """Since when the candidate, or the other side, stands."""
    seen_ms: int | None = None
    """The newest snapshot judged."""
    gap_ms: int | None = None
    """The snapshot before a gap that ended in the change not told yet."""
    fired_ms: int | None = None
    origin: str = ""
    """Who produced what was judged."""
    episode: int = 0
    """How often it has fired; two bots compare it before either speaks."""
    v: int = 1
