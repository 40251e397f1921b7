"""From a slot to what its board shows at this instant. Pure."""

from dataclasses import dataclass
from datetime import datetime

from bot.feed.schedule import close_of
from bot.feed.window import Slot
from bot.render.board_view import BoardView, Moving
from bot.render.numbers import age
from bot.render.origin_words import live_word, origin_banner
from streaming.calendar import new_york
from streaming.clock import instant_of
from streaming.figures import headline, max_change
from streaming.freshness import Freshness, data_age_s, freshness, old_chain_s
from streaming.model import GexSnapshot
from streaming.symbols import Ticker


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a message gets no more edits, and since when."""

    freshness: Freshness
    at: datetime


def board_view(
    ticker: Ticker,
    slot: Slot,
    now: datetime,
    *,
    source: str,
    since: datetime,
    window_s: float,
    ending: Ending | None = None,
) -> BoardView:
    """The view of the newest snapshot with its changes over the window.

    `source` and `since` speak for a slot that is still empty; an `ending` replaces the freshness.
    """
    snapshot = slot.latest
    if snapshot is None:
        state, at = (Freshness.WAITING, since) if ending is None else (ending.freshness, ending.at)
        return BoardView(ticker=ticker.name, source=source, freshness=state, at=at, window_s=window_s)
    sample = slot.window.before(snapshot.asof_ms)
    return BoardView(
        ticker=ticker.name,
        source=snapshot.source,
        freshness=freshness(snapshot, now) if ending is None else ending.freshness,
        age_s=max(data_age_s(snapshot, now), 0.0),
        at=None if ending is None else ending.at,
        note=_note(snapshot, now) if ending is None else "",
        banner=origin_banner(snapshot),
        live_word=live_word(snapshot),
        window_s=window_s if sample is None else min((snapshot.asof_ms - sample.asof_ms) // 1000, window_s),
        decimals=ticker.decimals,
        figures={
            name: Moving(value, None if sample is None else sample.headline[name])
            for name, value in headline(snapshot).items()
        },
        max_change_strike=max_change(snapshot)[0],
    )


def left_over(slot: Slot, session: str | None, now: datetime) -> tuple[Slot, Ending]:
    """How to close a message of `session` (an ISO date) that a killed process left saying "live".

    With what is known of that day, under the hour of those figures; else without figures.
    """
    if slot.latest is not None:
        asof = instant_of(slot.latest.asof_ms)
        if new_york(asof).date().isoformat() == session:
            return slot, Ending(Freshness.CLOSED, min(asof, now))
    return Slot(0.0), Ending(Freshness.CLOSED, min(close_of(session) or now, now))


def _note(snapshot: GexSnapshot, now: datetime) -> str:
    """A live spot over an old chain must not look alive; opening and closing minutes say so too.

    "closed" is left out while snapshots keep coming, as they do in a forced window over a made-up market.
    """
    behind_s = old_chain_s(snapshot)
    if behind_s is not None:
        return f"chain {age(behind_s)} old"
    live = freshness(snapshot, now) is Freshness.LIVE
    return "" if snapshot.state == "live" or (live and snapshot.state == "closed") else snapshot.state
