"""What a rule remembers between snapshots and across restarts. All times are market time, so a replay is alike."""

import msgspec


class AlertState(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The memory of one rule; changed in place by the watcher, since thousands are looked at every second.

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
