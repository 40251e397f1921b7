"""How figures that are not of today's market are called, on boards, in embeds, pictures and alerts alike. Pure."""

import re
from datetime import datetime
from typing import Final

from bot.render.numbers import UNKNOWN, age
from streaming.calendar import new_york
from streaming.clock import date_of, epoch_ms, instant_of
from streaming.freshness import Freshness, data_age_s, freshness
from streaming.model import FILE_SOURCE, SIMULATED, GexSnapshot, OnDemandMark

PAUSED: Final = "paused"
_LONGEST_NAME: Final = 16


def origin_words(snapshot: GexSnapshot) -> str | None:
    """`REPLAY 20 Nov 2026 x10`, `SIMULATED` or `FILE OF 20 May 2022`; None for figures of the market itself.

    A replay of what was made up says both.
    """
    mark = snapshot.replay
    if mark is None:
        return _made_up(snapshot.source)
    day = _quote_time(snapshot)
    words = f"REPLAY {day.day} {day:%b %Y} {f'x{mark.speed:.4g}' if mark.speed > 0 else PAUSED}"
    made_up = _made_up(mark.of)
    return words if made_up is None else f"{made_up} · {words}"


def origin_banner(snapshot: GexSnapshot) -> str:
    """The words, of a replay with the recorded hour: `REPLAY 20 Nov 2026 x10 · 10:31:05 NY`; empty for live figures."""
    words = origin_words(snapshot)
    if words is None:
        return ""
    return words if snapshot.replay is None else f"{words} · {_quote_time(snapshot):%H:%M:%S} NY"


def live_word(snapshot: GexSnapshot) -> str:
    """How a snapshot that is up to date is called."""
    mark = snapshot.replay
    if mark is not None:
        return "playing" if mark.speed > 0 else PAUSED
    return "live" if _made_up(snapshot.source) is None else "running"


def freshness_words(snapshot: GexSnapshot, now: datetime) -> str:
    """How current a snapshot is, with its age where it matters: `live`, `running`, `7s stale`, `delayed 15m`.

    Of what was asked for on demand, when that was and what it leaves out.
    """
    found = freshness(snapshot, now)
    if snapshot.on_demand is not None:
        return _demand_words(snapshot.on_demand, found, snapshot, now)
    return live_word(snapshot) if found is Freshness.LIVE else found.words(age(data_age_s(snapshot, now)))


def _demand_words(mark: OnDemandMark, found: Freshness, snapshot: GexSnapshot, now: datetime) -> str:
    asked_s = (epoch_ms(now) - mark.asked_ms) / 1000
    words = [f"asked for on demand {age(max(asked_s, 0.0))} ago"]
    if mark.expiries is not None:
        words.append(f"the nearest {mark.expiries} expiries only")
    if found is Freshness.DELAYED:
        words.append(found.words(age(data_age_s(snapshot, now))))
    return ", ".join(words)


def safe_name(name: str) -> str:
    """A name from outside, without what could end a line or a fence, or pass for markup."""
    return re.sub(r"[^A-Za-z0-9_.:+/-]", "", name)[:_LONGEST_NAME] or UNKNOWN


def source_name(source: str) -> str:
    """A source as people read it, `file of 2022-05-20`."""
    safe = safe_name(source)
    return f"file of {safe.removeprefix(FILE_SOURCE)}" if safe.startswith(FILE_SOURCE) else safe


def source_text(source: str) -> str:
    """The same where Discord reads markdown."""
    return escaped(source_name(source))


def escaped(name: str) -> str:
    """A name from outside where Discord reads markdown: `my_own_feed` must not turn slanted."""
    return name.replace("_", "\\_")


def _made_up(source: str) -> str | None:
    if source == SIMULATED:
        return SIMULATED.upper()
    if not source.startswith(FILE_SOURCE):
        return None
    day = date_of(source.removeprefix(FILE_SOURCE))
    return None if day is None else f"FILE OF {day.day} {day:%b %Y}"


def _quote_time(snapshot: GexSnapshot) -> datetime:
    return new_york(instant_of(snapshot.asof_ms))
