"""One rule, one reading: what the rule remembers afterwards, and whether it is due. Pure but for the state it is given.

A crossing has three zones: at least `up` above the level, at least `down` below it, and the margin between them, in
which nothing changes. The reader knows of one side (`told`). When the figure is for certain on the other, the alert
is due; when it comes back before the cool-down is over, nobody needs to know.
"""

from dataclasses import dataclass
from typing import Final

from bot.alerts.reading import Reading, WallReading
from bot.alerts.rules import AlertState

HOLD_MS: Final = 10_000
"""A level that jumps must stand this long before it counts: one odd snapshot is not news (specs/gex-method.md §9)."""
_WATCHED_MS: Final = 60_000
_LONG_GAP_MS: Final = 15 * 60_000
_MISSED: Final = 3
BACK_MS: Final = 60_000
"""Quote times may come out of order by this much; further back means that a recording began anew."""
_SAME: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Moment:
    """When a reading was taken, who produced it, and which gaps are unusual for them."""

    asof_ms: int
    origin: str
    usual_ms: int = 0
    """The spacing of snapshots until now; a source that is asked once an hour leaves no gap after an hour."""

    def is_gap(self, seen_ms: int) -> bool:
        """Whether what happened since was not watched, which the text then says."""
        return self.asof_ms - seen_ms > max(_WATCHED_MS, _MISSED * self.usual_ms)

    def is_long_gap(self, seen_ms: int) -> bool:
        """Whether so much was missed, as over night, that only a fixed price is still compared with what was."""
        return self.asof_ms - seen_ms > max(_LONG_GAP_MS, _MISSED * self.usual_ms)


def step_crossing(state: AlertState, reading: Reading, moment: Moment, *, fixed: bool, one_way: bool) -> bool:
    """Take a reading; True when the reader should be told, the cool-down aside.

    `fixed`: the level never moves, so that it can be compared over any gap. `one_way`: going below is never told.
    """
    difference = reading.value - reading.level
    here = 1 if difference >= reading.up else -1 if difference <= -reading.down else 0
    seen_ms, state.seen_ms = state.seen_ms, moment.asof_ms
    if state.told == 0 or seen_ms is None or _starts_anew(state, seen_ms, moment, fixed=fixed):
        state.told = state.side = here or (1 if difference > 0 else -1 if difference < 0 else 0)
        state.origin = moment.origin
        _settle(state, reading)
        return False
    if here == state.told:
        state.side = here
        _settle(state, reading)
        return False
    if here == 0:
        if state.side == state.told:
            state.candidate_ms = state.gap_ms = None
        return False
    return _on_the_other_side(state, reading, here, moment, seen_ms, one_way=one_way)


def step_wall(state: AlertState, reading: WallReading, moment: Moment, *, least: float | None) -> bool:
    """Take a wall; True when it stands elsewhere, by at least `least` points, than the reader knows."""
    seen_ms, state.seen_ms = state.seen_ms, moment.asof_ms
    if state.level is None or seen_ms is None or _starts_anew(state, seen_ms, moment, fixed=False):
        state.level, state.candidate, state.candidate_ms, state.gap_ms = reading.level, None, None, None
        state.origin = moment.origin
        return False
    if abs(reading.level - state.level) < max(least or 0.0, _SAME) or reading.rivals(state.level):
        state.candidate = state.candidate_ms = state.gap_ms = None
        return False
    if state.candidate != reading.level or state.candidate_ms is None:
        state.candidate, state.candidate_ms = reading.level, moment.asof_ms
        state.gap_ms = seen_ms if moment.is_gap(seen_ms) else state.gap_ms
    state.since_ms = state.candidate_ms
    return moment.asof_ms - state.candidate_ms >= HOLD_MS


def fire_crossing(state: AlertState, reading: Reading, asof_ms: int) -> None:
    """The reader is told: the side the figure is on is the one they know of."""
    state.told = state.side
    _settle(state, reading)
    _count(state, asof_ms)


def fire_wall(state: AlertState, reading: WallReading, asof_ms: int) -> None:
    """The reader is told where the wall is now."""
    state.level, state.candidate, state.candidate_ms, state.gap_ms = reading.level, None, None, None
    _count(state, asof_ms)


def is_cool(state: AlertState, asof_ms: int, cooldown_ms: int) -> bool:
    """Whether the cool-down since the last message is over."""
    return state.fired_ms is None or asof_ms - state.fired_ms >= cooldown_ms


def is_late(state: AlertState, asof_ms: int) -> bool:
    """Whether a snapshot is no news to the rule: as old as, or a little older than, one it has judged."""
    return state.seen_ms is not None and state.seen_ms - BACK_MS <= asof_ms <= state.seen_ms


def _on_the_other_side(
    state: AlertState, reading: Reading, here: int, moment: Moment, seen_ms: int, *, one_way: bool
) -> bool:
    if one_way and here < 0:
        state.told = state.side = here
        _settle(state, reading)
        return False
    if state.side == here:
        return True
    if state.candidate_ms is None:
        state.candidate_ms = moment.asof_ms
        state.gap_ms = seen_ms if moment.is_gap(seen_ms) else None
    by_level = _moved_by_level(state, reading, here)
    if by_level and moment.asof_ms - state.candidate_ms < HOLD_MS:
        return False
    state.side, state.since_ms, state.by_level = here, state.candidate_ms, by_level
    return True


def _moved_by_level(state: AlertState, reading: Reading, here: int) -> bool:
    """Whether the figure would still be on the old side, had only the figure moved since it was last there."""
    if state.value is None or state.level is None:
        return False
    value_alone = (reading.value - state.level) * here > 0
    level_alone = (state.value - reading.level) * here > 0
    if value_alone != level_alone:
        return level_alone
    return abs(reading.level - state.level) > abs(reading.value - state.value)


def _starts_anew(state: AlertState, seen_ms: int, moment: Moment, *, fixed: bool) -> bool:
    """Whether what was known cannot be compared with what is: another producer, an earlier time, a long gap."""
    if moment.asof_ms < seen_ms:
        state.fired_ms = None
        return True
    return state.origin != moment.origin or (not fixed and moment.is_long_gap(seen_ms))


def _settle(state: AlertState, reading: Reading) -> None:
    """Remember a reading on the side that the reader knows of."""
    state.value = reading.value
    state.level = reading.level
    state.candidate_ms = state.gap_ms = None


def _count(state: AlertState, asof_ms: int) -> None:
    state.fired_ms = asof_ms
    state.episode += 1
