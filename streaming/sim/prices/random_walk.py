"""The index levels: seeded mean-reverting random walks on a fixed 0.25 s grid. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp, log, sqrt
from typing import Final

import numpy as np

STEP_S: Final = 0.25
_SESSION_YEAR_S: Final = 252.0 * 6.5 * 3600.0
_PULL_S: Final = 5400.0
"""Time after which about two thirds of an excursion are forgotten."""
_ANCHOR_SHARE: Final = 0.35
"""How much of each move stays for good."""
_PACE_S: Final = 600.0
_PACE_SIZE: Final = 0.35
_MOOD_S: Final = 900.0
_MOOD_SIZE: Final = 0.02
_LEVERAGE: Final = 4.0
"""How much volatilities rise, relatively, when the index falls."""
_COMMON: Final = 0.94
_QUIET: Final = 0.7
"""Size of a night's step relative to a session's; nights take one a second instead of four."""


@dataclass(slots=True)
class _Leader:
    sigma: float
    x: float
    anchor: float
    start: float
    pace: float = 0.0
    mood: float = 0.0


@dataclass(slots=True, eq=False)
class IndexWalk:
    """Correlated log levels; `level` in index points, `vol_factor` multiplies every volatility."""

    rng: np.random.Generator
    leaders: dict[str, _Leader] = field(default_factory=dict)

    @classmethod
    def start(cls, spots: Mapping[str, tuple[float, float]], rng: np.random.Generator) -> "IndexWalk":
        """Begin at `{name: (level, yearly volatility)}`."""
        leaders = {name: _Leader(sigma, log(spot), log(spot), log(spot)) for name, (spot, sigma) in spots.items()}
        return cls(rng, leaders)

    def step(self, *, quiet: bool) -> None:
        """One step of the session, or of the night when `quiet`."""
        draws = self.rng.standard_normal(1 + 3 * len(self.leaders)).tolist()
        size = sqrt(STEP_S / _SESSION_YEAR_S) * (_QUIET if quiet else 1.0)
        common = draws[0]
        for i, leader in enumerate(self.leaders.values()):
            own, pace, mood = draws[1 + 3 * i : 4 + 3 * i]
            shock = _COMMON * common + sqrt(1.0 - _COMMON * _COMMON) * own
            _move(leader, shock=shock * size, pace=pace, mood=mood)

    def level(self, name: str) -> float:
        """The level now, in points."""
        return exp(self.leaders[name].x)

    def vol_factor(self, name: str) -> float:
        """What the volatilities of the start are multiplied with now; 1.0 at the start."""
        leader = self.leaders[name]
        return exp(max(-_LEVERAGE * (leader.x - leader.start) + leader.mood, -0.7))


def _move(leader: _Leader, *, shock: float, pace: float, mood: float) -> None:
    move = shock * leader.sigma * exp(leader.pace)
    leader.x += move - (leader.x - leader.anchor) * (STEP_S / _PULL_S)
    leader.anchor += _ANCHOR_SHARE * move
    leader.pace += -leader.pace * (STEP_S / _PACE_S) + _PACE_SIZE * sqrt(2.0 * STEP_S / _PACE_S) * pace
    leader.mood += -leader.mood * (STEP_S / _MOOD_S) + _MOOD_SIZE * sqrt(2.0 * STEP_S / _MOOD_S) * mood
