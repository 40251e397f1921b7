"""What a board shows, as plain values: made by the feed, turned into text by `bot.render.text`."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from bot.render.numbers import age, known

STALE_AFTER_S: Final = 5.0
OLD_AFTER_S: Final = 30.0


class Freshness(StrEnum):
    """How far the figures can be trusted as current."""

    LIVE = "live"
    STALE = "stale"
    """Older than 5 s."""
    OLD = "old"
    """Older than 30 s."""
    DELAYED = "delayed"
    """The source itself is delayed; the age is shown."""
    AHEAD = "clock ahead"
    """Quotes of more than 5 s in the future: some clock is wrong, so their age is unknown."""
    WAITING = "waiting"
    """Nothing has arrived yet."""
    CLOSED = "closed"
    """The session is over; the figures are its last."""
    STOPPED = "stopped"
    """The feed was shut down; nothing updates this message until it is back."""


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
    spot: Moving = Moving()
    zero_gamma: Moving = Moving()
    call_wall: Moving = Moving()
    put_wall: Moving = Moving()
    net_gex_bn: Moving = Moving()
    """By volume."""
    scaled_gamma_bn: Moving = Moving()
    """By open interest."""
    max_change_bn: Moving = Moving()
    max_change_strike: float | None = None


def freshness_of(age_s: float, *, delayed: bool) -> Freshness:
    """Live up to 5 s, stale up to 30 s, old after that; a delayed source is called delayed at any age.

    A negative age is a time in the future, which beyond 5 s is no age at all.
    """
    if age_s < -STALE_AFTER_S:
        return Freshness.AHEAD
    if delayed:
        return Freshness.DELAYED
    if age_s <= STALE_AFTER_S:
        return Freshness.LIVE
    return Freshness.STALE if age_s <= OLD_AFTER_S else Freshness.OLD


def freshness_words(freshness: Freshness, age_s: float | None) -> str:
    """Freshness with its age where it matters: live, 7s stale, old 45s, delayed 15m."""
    old = age(age_s or 0.0)
    match freshness:
        case Freshness.STALE:
            return f"{old} stale"
        case Freshness.OLD:
            return f"old {old}"
        case Freshness.DELAYED:
            return f"delayed {old}"
        case _:
            return str(freshness)
