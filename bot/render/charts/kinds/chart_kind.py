"""What there is to say of a kind of picture. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.render.charts.chart_words import Asked, ChartWords
from streaming.day_map import DayMap
from streaming.model import GexSnapshot
from streaming.past import PastLevels

WHOLE_DAY_MIN: Final = 1440.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartKind:
    """One kind: registered in `bot.render.charts.chart_spec`, offered by commands and buttons from there."""

    name: str
    words: str
    """What it shows, behind its name among the choices."""
    record: type[ChartWords]
    """What is drawn."""
    make: Callable[[GexSnapshot, Sequence[PastLevels], Asked, DayMap | None], ChartWords]
    """As `chart_of` without the kind; RequestError when the figures it needs are not there."""
    shown: Callable[[Any], str]
    """The record in a sentence, for whoever cannot see the picture."""
    painter: str
    """Module and class beside this one, by name: only the worker loads it."""
    most_past: int = 0
    """How many snapshots of the day it can show; 0 for the newest one alone."""
    looks_ahead: bool = False
    """Whether it needs the map of the rest of the session, and is made with `ahead`."""
    of_everything: bool = False
    """Whether it is of no scope and no weight, so that neither can be chosen."""
    past_minutes: float = WHOLE_DAY_MIN
    """How far back those reach."""
    past_strikes: bool = False
    """Whether it needs their strikes too, which the history keeps of one scope."""
    past_adds: bool = False
    """Whether it is drawn without any of them too: of any scope, and of what was asked for once."""

    @property
    def of_one_scope(self) -> bool:
        """Whether it shows strikes of the past alone, so that no other scope can be chosen."""
        return self.past_strikes and not self.past_adds
