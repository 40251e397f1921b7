"""What one board writes: while it is live, when its session ends, and over what another process left. No I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.choices import Style
from bot.feed.schedule import close_of
from bot.feed.window import Slot
from bot.render.numbers import age
from bot.render.origin_words import live_word, origin_banner
from bot.render.several_text import boards_text
from bot.render.text import BoardView, Moving
from streaming.calendar import new_york
from streaming.clock import instant_of
from streaming.figures import headline, max_change
from streaming.freshness import Freshness, data_age_s, freshness, market_now, old_chain_s
from streaming.gex.results.standing import standing
from streaming.model import GexSnapshot
from streaming.status import Loading
from streaming.symbols import Ticker

_RENEWED_S: Final = 15.0
LookLoading = Callable[[], Loading | None]
"""How far the first load is now; None once it is over."""


def not_loading() -> Loading | None:
    """Of a source whose chains are there as a whole."""
    return None


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
    digits: int = 3,
    loading: LookLoading = not_loading,
    ending: Ending | None = None,
) -> BoardView:
    """The view of the newest snapshot with its changes over the window.

    `source` and `since` speak for a slot that is still empty; an `ending` replaces the freshness.
    """
    snapshot = slot.latest
    if snapshot is None:
        state, at = (Freshness.WAITING, since) if ending is None else (ending.freshness, ending.at)
        note = str(loading() or "") if ending is None else ""
        return BoardView(ticker=ticker.name, source=source, freshness=state, at=at, note=note, window_s=window_s)
    sample = slot.window.before(snapshot.asof_ms)
    return BoardView(
        ticker=ticker.name,
        source=snapshot.source,
        freshness=freshness(snapshot, now) if ending is None else ending.freshness,
        age_s=max(data_age_s(snapshot, now), 0.0),
        at=None if ending is None else ending.at,
        note=_note(snapshot, now, loading) if ending is None else "",
        banner=origin_banner(snapshot),
        live_word=live_word(snapshot),
        window_s=window_s if sample is None else min((snapshot.asof_ms - sample.asof_ms) // 1000, window_s),
        decimals=ticker.decimals,
        figures={
            name: Moving(value, None if sample is None else sample.headline[name])
            for name, value in headline(snapshot, slot.weight).items()
        },
        max_change_strike=max_change(snapshot)[0],
        scope=snapshot.scope,
        weight=slot.weight,
        regime=standing(snapshot, None, slot.weight or "oi").regime,
        digits=digits,
    )


def left_over(slot: Slot, session: str | None, now: datetime) -> tuple[Slot, Ending]:
    """How to close a message of `session` (an ISO date) that a killed process left saying "live".

    With what is known of that day, under the hour of those figures; else without figures.
    """
    if slot.latest is not None:
        asof = instant_of(slot.latest.asof_ms)
        if new_york(asof).date().isoformat() == session:
            return slot, Ending(Freshness.CLOSED, min(asof, now))
    return Slot(0.0, weight=slot.weight), Ending(Freshness.CLOSED, min(close_of(session) or now, now))


def _note(snapshot: GexSnapshot, now: datetime, loading: LookLoading) -> str:
    """A live spot over an old chain must not look alive; opening and closing minutes say so too, and figures of before
    a restart that new ones are on their way.

    "closed" is left out while snapshots keep coming, as they do in a forced window over a made-up market.
    """
    behind_s = old_chain_s(snapshot)
    if behind_s is not None:
        return f"chain {age(behind_s)} old"
    live = freshness(snapshot, now) is Freshness.LIVE
    if not live and (load := loading()) is not None:
        return f"{load.loaded}/{load.planned} loaded"
    return "" if snapshot.state == "live" or (live and snapshot.state == "closed") else snapshot.state


class UpdatedLine:
    """Discord's own growing time under a board: of its last edit, renewed while the figures stand still.

    It goes on growing when nobody edits any more, which nothing else in a message does.
    """

    def __init__(self, wall_s: Callable[[], float]) -> None:
        self._wall_s = wall_s
        self._body = ""
        self._at_s = 0.0

    def under(self, body: str) -> str:
        """The body with the time of its edit; for an unchanged one the same text for 15 s."""
        now_s = self._wall_s()
        if body != self._body or not 0.0 <= now_s - self._at_s < _RENEWED_S:
            self._body, self._at_s = body, now_s
        return f"{body}\n-# updated <t:{int(self._at_s)}:R>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """One of several tickers in a message, after the first."""

    ticker: Ticker
    slot: Slot
    source: str
    loading: LookLoading = not_loading


class Wording:
    """The texts of one slot, or of several in one message."""

    def __init__(
        self,
        ticker: Ticker,
        slot: Slot,
        *,
        source: str,
        style: Style,
        window_s: float,
        since: datetime,
        digits: int = 3,
        loading: LookLoading = not_loading,
        beside: Sequence[Beside] = (),
    ) -> None:
        """`source` and `since` speak for a slot that is still empty."""
        self._slot = slot
        self._shown = (Beside(ticker=ticker, slot=slot, source=source, loading=loading), *beside)
        self._style = style
        self._window_s = window_s
        self._since = since
        self._digits = digits

    def live(self, now: datetime) -> str:
        """The figures of this instant."""
        return self._text(now, lambda slot: (slot, None))

    def stopped(self, now: datetime) -> str:
        """The figures of this instant, from now on without updates."""
        return self._text(now, lambda slot: (slot, Ending(Freshness.STOPPED, now)))

    def closed(self, shown: GexSnapshot | None, now: datetime, *, at: datetime) -> str:
        """The session's last figures, closed `at`; of what was `shown` where a replay takes over, or ends."""
        latest = self._slot.latest
        if shown is None or latest is None or (shown.replay is None) == (latest.replay is None):
            return self._text(now, lambda slot: (slot, Ending(Freshness.CLOSED, at)))
        before = Slot(self._window_s, weight=self._slot.weight)
        before.put(shown)
        ending = Ending(Freshness.CLOSED, market_now(shown, now))
        return self._text(now, lambda slot: (before if slot is self._slot else slot, ending))

    def left_over(self, session: str | None, now: datetime) -> str:
        """For a message of `session` that a killed process left."""
        return self._text(now, lambda slot: left_over(slot, session, now))

    def _text(self, now: datetime, seen: Callable[[Slot], tuple[Slot, Ending | None]]) -> str:
        """What `seen` makes of each slot: what is shown of it, and how that ended."""
        views = []
        for shown in self._shown:
            slot, ending = seen(shown.slot)
            views.append(
                board_view(
                    shown.ticker,
                    slot,
                    now,
                    source=shown.source,
                    since=self._since,
                    window_s=self._window_s,
                    digits=self._digits,
                    loading=shown.loading,
                    ending=ending,
                )
            )
        return boards_text(views, style=self._style)
