"""Alerts as people read them: what happened, rules in words, and how a rule stands. Pure."""

import re
from datetime import datetime
from typing import Final

from bot.alerts.hold import Hold
from bot.alerts.kinds.alert_kind import Firing
from bot.alerts.kinds.registry import KINDS
from bot.alerts.reading import Reading, WallReading
from bot.alerts.rules import DEFAULT_COOLDOWN_MIN, AlertState, Rule
from bot.render.message_form import stamp
from bot.render.numbers import UNKNOWN, age, price
from bot.render.origin_words import origin_words, source_text
from streaming.clock import instant_of
from streaming.freshness import data_age_s
from streaming.model import WEIGHT_NAMES, GexSnapshot

LONGEST: Final = 180
"""Ten alerts fit one message, also when each says that it comes late."""


def firing_text(firing: Firing, now: datetime) -> str:
    """Two short lines: what happened with figure, unit and sign; then spot, time, source and what to know."""
    return f"{_headline(firing)}\n{_provenance(firing, now)}"[:LONGEST]


def rule_text(rule: Rule) -> str:
    """A rule in words: `SPX: spot crosses zero gamma`."""
    details = [rule.scope and f"scope {rule.scope}", rule.weight and f"by {WEIGHT_NAMES[rule.weight]}"]
    if rule.cooldown_min != DEFAULT_COOLDOWN_MIN:
        details.append(f"at most every {rule.cooldown_min} min")
    known = ", ".join(detail for detail in details if detail)
    return f"{_safe(rule.ticker)}: {KINDS[rule.kind].happening(rule)}{f' ({known})' if known else ''}"


def standing_text(rule: Rule, state: AlertState | None, *, hold: Hold | None, missing: bool, paused: str | None) -> str:
    """How a rule stands: paused, waiting, frozen, cooling down or armed, and when it fired last."""
    fired_ms = None if state is None else state.fired_ms
    last = "" if fired_ms is None else f", fired {stamp(instant_of(fired_ms))}"
    return f"{_standing(rule, state, hold=hold, missing=missing, paused=paused)}{last}"


def reading_text(snapshot: GexSnapshot, reading: Reading | WallReading | None, rule: Rule) -> str:
    """Where the figure stands now, for the answer to a new rule."""
    if reading is None:
        return "This figure is not known right now; the alert waits until it is."
    return KINDS[rule.kind].now(snapshot, reading)


def _headline(firing: Firing) -> str:
    return KINDS[firing.rule.kind].headline(firing, f"**{_safe(firing.rule.ticker)}**")


def _provenance(firing: Firing, now: datetime) -> str:
    snapshot = firing.snapshot
    parts = [f"spot {price(snapshot.spot)}", stamp(instant_of(snapshot.asof_ms), "T"), _source(snapshot, now)]
    if caveat := KINDS[firing.rule.kind].caveat(snapshot):
        parts.append(caveat)
    if snapshot.state == "warming":
        parts.append("warming")
    if firing.held:
        parts.append(f"since {stamp(instant_of(firing.before.since_ms or snapshot.asof_ms), 'T')}")
    if firing.before.gap_ms is not None:
        parts.append(f"not watched since {stamp(instant_of(firing.before.gap_ms))}")
    return " · ".join(parts)


def _source(snapshot: GexSnapshot, now: datetime) -> str:
    origin = origin_words(snapshot)
    if origin is not None:
        return origin
    name = source_text(snapshot.source)
    return f"{name} delayed {age(data_age_s(snapshot, now))}" if snapshot.delayed else name


def _standing(rule: Rule, state: AlertState | None, *, hold: Hold | None, missing: bool, paused: str | None) -> str:
    if paused is not None:
        return f"paused: {paused}"
    if hold is not None and hold.holds(rule.kind):
        return f"frozen ({hold})" if hold.frozen else f"waiting for live data ({hold})"
    if state is None or state.seen_ms is None or missing:
        return "waiting for data"
    if state.fired_ms is not None and state.seen_ms - state.fired_ms < rule.cooldown_ms:
        return f"cooling down until {stamp(instant_of(state.fired_ms + rule.cooldown_ms), 't')}"
    return "armed"


def _safe(name: str) -> str:
    """A name from outside, without what Discord would read as markup or a mention."""
    return re.sub(r"[^A-Za-z0-9_.:+/ -]", "", name)[:16].replace("_", "\\_") or UNKNOWN
