"""What a board shows, as plain values: made by the feed, turned into text by `bot.render.text`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.render.numbers import known
from streaming.figures import BOARD
from streaming.freshness import Freshness


@dataclass(frozen=True, slots=True)
class Moving:
    """A figure and what it was one window ago; None is unknown."""

    now: float | None = None
    before: float | None = None

    @property
    def change(self) -> float | None:
        """The difference, or None unless both ends are known."""
        if self.now is None or self.before is None or not (known(self.now) and known(self.before)):
            return None
        return self.now - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardView:
    """One ticker at one instant. Levels in points, exposures in billions of US dollars per 1 % move."""

    ticker: str
    source: str
    freshness: Freshness
    age_s: float | None = None
    at: datetime | None = None
    """Since when it waits, or when it closed or stopped."""
    note: str = ""
    """Something a reader should know of the data, such as "warming"; empty when all is well."""
    banner: str = ""
    """What stands above everything else: that this is a replay, of which day and hour."""
    live_word: str = "live"
    """How figures that are up to date are called."""
    window_s: float = 60.0
    decimals: int = 2
    figures: Mapping[str, Moving] = field(default_factory=lambda: dict.fromkeys(BOARD, Moving()))
    """The lines of `BOARD`."""
    max_change_strike: float | None = None
