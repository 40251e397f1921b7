"""Alerts as people read them: what happened, rules in words, and how a rule stands. Pure."""

import re
from datetime import datetime
from typing import Final

from bot.alerts.hold import Hold
from bot.alerts.reading import Reading, WallReading
from bot.alerts.rules import DEFAULT_COOLDOWN_MIN, AlertKind, Rule, Window
from bot.alerts.state import AlertState
from bot.alerts.watcher import Firing
from bot.render.numbers import UNKNOWN, age, bn, price
from bot.render.origin_words import origin_words, source_text
from streaming.calendar import new_york
from streaming.clock import instant_of
from streaming.freshness import data_age_s
from streaming.model import WEIGHT_NAMES, GexSnapshot

LONGEST: Final = 180
"""Ten alerts fit one message, also when each says that it comes late."""
_LEVELS: Final = {
    AlertKind.ZERO_GAMMA: "zero gamma",
    AlertKind.CALL_WALL: "the call wall",
    AlertKind.PUT_WALL: "the put wall",
    AlertKind.CALL_WALL_MOVES: "call wall",
    AlertKind.PUT_WALL_MOVES: "put wall",
}
_SPANS: Final = {Window.CURRENT: "since the last snapshot"}


def firing_text(firing: Firing, now: datetime) -> str:
    """Two short lines: what happened with figure, unit and sign; then spot, New York time, source and what to know."""
    return f"{_headline(firing)}\n{_provenance(firing, now)}"[:LONGEST]


def rule_text(rule: Rule) -> str:
    """A rule in words: `SPX: spot crosses zero gamma`."""
    details = [rule.scope and f"scope {rule.scope}", rule.weight and f"by {WEIGHT_NAMES[rule.weight]}"]
    if rule.cooldown_min != DEFAULT_COOLDOWN_MIN:
        details.append(f"at most every {rule.cooldown_min} min")
    told = ", ".join(detail for detail in details if detail)
    return f"{_safe(rule.ticker)}: {_happening(rule)}{f' ({told})' if told else ''}"


def standing_text(rule: Rule, state: AlertState | None, *, hold: Hold | None, missing: bool, paused: str | None) -> str:
    """How a rule stands: paused, waiting, frozen, cooling down or armed, and when it fired last."""
    fired_ms = None if state is None else state.fired_ms
    last = "" if fired_ms is None else f", fired {_day_time(fired_ms)}"
    return f"{_standing(rule, state, hold=hold, missing=missing, paused=paused)}{last}"


def reading_text(snapshot: GexSnapshot, reading: Reading | WallReading | None, rule: Rule) -> str:
    """Where the figure stands now, for the answer to a new rule."""
    match reading:
        case None:
            return "This figure is not known now; the alert waits until it is."
        case WallReading():
            return f"Now at {price(reading.level + reading.basis)}, spot {price(snapshot.spot)}."
        case Reading() if rule.kind is AlertKind.NET_GEX:
            return f"Now {_exposure(reading.value)}."
        case Reading() if rule.kind is AlertKind.MAX_CHANGE:
            beyond = reading.value >= reading.level
            later = " That is beyond it already: you are told the next time." if beyond else ""
            return f"Now {_exposure(reading.value).removeprefix('+')} in size.{later}"
        case Reading():
            side = "above" if reading.value >= reading.level else "below"
            return f"Now spot {price(reading.value)} is {side} {price(reading.level)}."


def _headline(firing: Firing) -> str:
    rule, reading = firing.rule, firing.reading
    ticker = f"**{_safe(rule.ticker)}**"
    if isinstance(reading, WallReading):
        was = price((firing.before.level or 0.0) + reading.basis)
        return f"↔ {ticker} {_LEVELS[rule.kind]} moved {was} → {price(reading.level + reading.basis)}"
    up = firing.after.told > 0
    mark = "▲" if up else "▼"
    match rule.kind:
        case AlertKind.NET_GEX:
            sign = "positive" if up else "negative"
            by = "" if rule.weighted_by == "vol" else " by OI"
            return f"{mark} {ticker} net GEX{by} turned {sign}: {_exposure(reading.value)}"
        case AlertKind.MAX_CHANGE:
            return _max_change_line(firing, ticker, reading)
        case AlertKind.PRICE:
            return f"{mark} {ticker} crossed {'above' if up else 'below'} {price(reading.level)}"
        case _:
            return _crossing_line(firing, f"{mark} {ticker}", reading, up=up)


def _crossing_line(firing: Firing, start: str, reading: Reading, *, up: bool) -> str:
    level, side = _LEVELS[firing.rule.kind], "above" if up else "below"
    if not firing.before.by_level:
        return f"{start} crossed {side} {level} {price(reading.level)}"
    was = price(firing.before.level)
    return f"{start} is {side} {level}, which moved {was} → {price(reading.level)}"


def _max_change_line(firing: Firing, ticker: str, reading: Reading) -> str:
    change = _signed_change(firing)
    at = UNKNOWN if reading.strike is None else price(reading.strike)
    return f"{'▲' if change >= 0 else '▼'} {ticker} {_change_words(firing.rule.window)} {_exposure(change)} at {at}"


def _signed_change(firing: Firing) -> float:
    """The change with the sign it had; a rule compares its size."""
    position = list(Window).index(firing.rule.window)
    return (firing.snapshot.max_priors[position][1] or 0.0) / 1000


def _provenance(firing: Firing, now: datetime) -> str:
    snapshot = firing.snapshot
    parts = [f"spot {price(snapshot.spot)}", f"{_clock(snapshot.asof_ms)} NY", _source(snapshot, now)]
    if snapshot.state == "warming":
        parts.append("warming")
    if firing.held:
        parts.append(f"since {_clock(firing.before.since_ms or snapshot.asof_ms)}")
    if firing.before.gap_ms is not None:
        parts.append(f"not watched since {_day_time(firing.before.gap_ms)}")
    return " · ".join(parts)


def _source(snapshot: GexSnapshot, now: datetime) -> str:
    origin = origin_words(snapshot)
    if origin is not None:
        return origin
    name = source_text(snapshot.source)
    return f"{name} delayed {age(data_age_s(snapshot, now))}" if snapshot.delayed else name


def _happening(rule: Rule) -> str:
    match rule.kind:
        case AlertKind.PRICE:
            return f"spot crosses {price(rule.value)}"
        case AlertKind.NET_GEX:
            return "net GEX changes sign"
        case AlertKind.MAX_CHANGE:
            return f"{_change_words(rule.window)} exceeds ${rule.value:g}Bn per 1 %"
        case AlertKind.CALL_WALL_MOVES | AlertKind.PUT_WALL_MOVES:
            least = "" if rule.value is None else f" by {rule.value:g} points or more"
            return f"the {_LEVELS[rule.kind]} moves{least}"
        case _:
            return f"spot crosses {_LEVELS[rule.kind]}"


def _change_words(window: Window) -> str:
    return f"max change {_SPANS.get(window) or f'{window} min'}"


def _standing(rule: Rule, state: AlertState | None, *, hold: Hold | None, missing: bool, paused: str | None) -> str:
    if paused is not None:
        return f"paused: {paused}"
    if hold is not None and hold.holds(rule.kind):
        return f"frozen ({hold})" if hold.frozen else f"waiting for live data ({hold})"
    if state is None or state.seen_ms is None or missing:
        return "waiting for data"
    if state.fired_ms is not None and state.seen_ms - state.fired_ms < rule.cooldown_ms:
        return f"cooling down until {_clock(state.fired_ms + rule.cooldown_ms)}"
    return "armed"


def _exposure(value_bn: float) -> str:
    """An exposure with sign and unit: `−$1.2500Bn per 1 %`."""
    text = bn(value_bn)
    return f"{text[0]}${text[1:]} per 1 %"


def _clock(ms: int) -> str:
    return f"{_new_york(ms):%H:%M:%S}"


def _day_time(ms: int) -> str:
    at = _new_york(ms)
    return f"{at.day} {at:%b %H:%M}"


def _new_york(ms: int) -> datetime:
    return new_york(instant_of(ms))


def _safe(name: str) -> str:
    """A name from outside, without what Discord would read as markup or a mention."""
    return re.sub(r"[^A-Za-z0-9_.:+/ -]", "", name)[:16].replace("_", "\\_") or UNKNOWN
