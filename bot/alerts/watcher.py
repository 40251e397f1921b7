"""The state machine: snapshots in, firings out. No I/O and no clock of its own; all spans are market time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from bot.alerts.hold import Hold, held_by, is_current
from bot.alerts.kinds.alert_kind import Firing
from bot.alerts.kinds.registry import KINDS, Key, key_of, read, with_value
from bot.alerts.reading import Reading, WallReading
from bot.alerts.rules import AlertState, Rule
from bot.alerts.steps import BACK_MS, Moment, fire_crossing, fire_wall, is_cool, is_late, step_crossing, step_wall
from streaming.model import GexSnapshot

_PORTION: Final = 500


@dataclass(slots=True)
class _Watched:
    rule: Rule
    state: AlertState
    missing: bool = False
    dirty: bool = False


@dataclass(slots=True)
class _TickerWatch:
    """The rules of one ticker, those that read the same figures together."""

    groups: dict[Key, list[_Watched]] = field(default_factory=dict)
    newest: GexSnapshot | None = None
    """The last one that was judged, or would have been but for the hour."""
    hold: Hold | None = None
    usual_ms: int = 0


class Watcher:
    """Holds the rules and their states, and says what each snapshot sets off."""

    def __init__(self, *, any_hour: bool = False) -> None:
        self._any_hour = any_hour
        self._by_ticker: dict[str, _TickerWatch] = {}
        self._watched: dict[int, _Watched] = {}

    def __len__(self) -> int:
        return len(self._watched)

    def set_rules(self, rules: Iterable[Rule]) -> None:
        """Watch these rules and no others; what is known of those watched already is kept."""
        known, self._watched = self._watched, {}
        by_ticker: dict[str, _TickerWatch] = {}
        for rule in rules:
            before = known.get(rule.number)
            watched = _Watched(rule, AlertState()) if before is None or before.rule != rule else before
            self._watched[rule.number] = watched
            old = self._by_ticker.get(rule.ticker)
            watch = by_ticker.setdefault(
                rule.ticker,
                _TickerWatch()
                if old is None
                else _TickerWatch(newest=old.newest, hold=old.hold, usual_ms=old.usual_ms),
            )
            watch.groups.setdefault(key_of(rule), []).append(watched)
        self._by_ticker = by_ticker

    def adopt(self, number: int, state: AlertState) -> None:
        """Replace what is known of a rule by what another bot, or this one before a restart, has stored."""
        watched = self._watched.get(number)
        if watched is not None:
            watched.state, watched.dirty = state, False

    def begin(self, number: int, now: datetime) -> None:
        """Let a new rule learn from the snapshot at hand on which side things are; it may be long until the next."""
        watched = self._watched.get(number)
        watch = None if watched is None else self._by_ticker.get(watched.rule.ticker)
        if watched is None or watch is None or watch.newest is None or is_current(watch.newest, now) is not None:
            return
        if watch.hold is None or not watch.hold.holds(watched.rule.kind):
            moment = Moment(watch.newest.asof_ms, _origin(watch.newest), watch.usual_ms)
            self._judge([watched], key_of(watched.rule), watch.newest, moment)

    def state(self, number: int) -> AlertState | None:
        """What is known of a rule, or None for one that is not watched."""
        watched = self._watched.get(number)
        return None if watched is None else watched.state

    def hold(self, ticker: str, now: datetime) -> Hold | None:
        """What keeps the alerts of a ticker from firing: as its newest snapshot says, or that it has become old."""
        watch = self._by_ticker.get(ticker)
        if watch is None or watch.hold is not None or watch.newest is None:
            return None if watch is None else watch.hold
        return is_current(watch.newest, now)

    def newest(self, ticker: str) -> GexSnapshot | None:
        """The snapshot of a ticker that was judged last, or would have been but for the hour."""
        watch = self._by_ticker.get(ticker)
        return None if watch is None else watch.newest

    def is_missing(self, number: int) -> bool:
        """Whether the newest snapshot does not hold the figure that a rule needs."""
        watched = self._watched.get(number)
        return watched is None or watched.missing

    def watches(self, ticker: str) -> bool:
        """Whether any rule is about a ticker."""
        return ticker in self._by_ticker

    def unsaved(self) -> dict[int, AlertState]:
        """The states that changed since this was asked last."""
        changed = {number: watched for number, watched in self._watched.items() if watched.dirty}
        for watched in changed.values():
            watched.dirty = False
        return {number: watched.state for number, watched in changed.items()}

    def take(self, snapshot: GexSnapshot, now: datetime) -> list[Firing]:
        """Judge one snapshot; what it sets off counts as told from here on, in the order of the rules."""
        return [firing for portion in self.portions(snapshot, now) for firing in portion]

    def portions(self, snapshot: GexSnapshot, now: datetime) -> Iterator[list[Firing]]:
        """The same in steps of at most five hundred rules, so that the caller can let others work between them."""
        watch = self._by_ticker.get(snapshot.ticker)
        if watch is None:
            return
        hold = held_by(snapshot, now, any_hour=self._any_hour)
        if hold in {Hold.STALE, Hold.AHEAD}:
            watch.hold = hold
            return
        if watch.newest is not None and _is_no_newer(snapshot, watch.newest):
            return
        moment = Moment(snapshot.asof_ms, _origin(snapshot), watch.usual_ms)
        watch.usual_ms = _usual_ms(watch, snapshot)
        watch.newest, watch.hold = snapshot, hold
        for key, group in watch.groups.items():
            if hold is None or not hold.holds(key[0]):
                for start in range(0, len(group), _PORTION):
                    yield self._judge(group[start : start + _PORTION], key, snapshot, moment)

    @staticmethod
    def _judge(group: list[_Watched], key: Key, snapshot: GexSnapshot, moment: Moment) -> list[Firing]:
        """Take one reading into all rules of a group; a figure that is not there changes nothing."""
        reading = read(snapshot, key)
        firings: list[Firing] = []
        kind = KINDS[key[0]]
        for watched in group:
            watched.missing = reading is None
            state = watched.state
            if reading is None or is_late(state, moment.asof_ms):
                continue
            watched.dirty = True
            mine = with_value(reading, watched.rule) if isinstance(reading, Reading) and kind.against else reading
            if isinstance(mine, WallReading):
                due = step_wall(state, mine, moment, least=watched.rule.value)
            else:
                due = step_crossing(state, mine, moment, fixed=kind.fixed, one_way=kind.one_way)
            if due and is_cool(state, moment.asof_ms, watched.rule.cooldown_ms):
                firings.append(_fire(watched, mine, snapshot))
        return firings


def _fire(watched: _Watched, reading: Reading | WallReading, snapshot: GexSnapshot) -> Firing:
    before = msgspec.structs.replace(watched.state)
    if isinstance(reading, WallReading):
        fire_wall(watched.state, reading, snapshot.asof_ms)
    else:
        fire_crossing(watched.state, reading, snapshot.asof_ms)
    return Firing(
        rule=watched.rule,
        snapshot=snapshot,
        reading=reading,
        before=before,
        after=msgspec.structs.replace(watched.state),
        held=before.fired_ms is not None
        and before.since_ms is not None
        and before.since_ms < before.fired_ms + watched.rule.cooldown_ms,
    )


def _usual_ms(watch: _TickerWatch, snapshot: GexSnapshot) -> int:
    """The spacing of snapshots: shrinks at once and grows at most fourfold, so that a pause is not taken for it."""
    spacing_ms = 0 if watch.newest is None else max(snapshot.asof_ms - watch.newest.asof_ms, 0)
    return spacing_ms if watch.usual_ms == 0 else min(spacing_ms, 4 * watch.usual_ms)


def _is_no_newer(snapshot: GexSnapshot, newest: GexSnapshot) -> bool:
    """Whether a snapshot is a repetition or late; one from much further back begins a recording anew."""
    back = snapshot.asof_ms < newest.asof_ms - BACK_MS
    return not back and (snapshot.asof_ms, snapshot.seq) <= (newest.asof_ms, newest.seq)


def _origin(snapshot: GexSnapshot) -> str:
    """Names the producer: figures of two of them are not compared."""
    return snapshot.source if snapshot.replay is None else f"replay of {snapshot.replay.of}"
