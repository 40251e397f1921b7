"""What one board writes: while it is live, when its session ends, and over what another process left. No I/O."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from bot.feed.view import Ending, board_view, left_over
from bot.feed.window import Slot
from bot.render.text import Style, board_text
from streaming.freshness import Freshness, market_now
from streaming.model import GexSnapshot
from streaming.symbols import Ticker

_RENEWED_S: Final = 15.0


class LifeSign:
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


class Wording:
    """The texts of one slot."""

    def __init__(
        self, ticker: Ticker, slot: Slot, *, source: str, style: Style, window_s: float, since: datetime
    ) -> None:
        """`source` and `since` speak for a slot that is still empty."""
        self._ticker = ticker
        self._slot = slot
        self._source = source
        self._style = style
        self._window_s = window_s
        self._since = since

    def live(self, now: datetime) -> str:
        """The figures of this instant."""
        return self._text(self._slot, now)

    def stopped(self, now: datetime) -> str:
        """The figures of this instant, from now on without updates."""
        return self._text(self._slot, now, Ending(Freshness.STOPPED, now))

    def closed(self, shown: GexSnapshot | None, now: datetime, *, at: datetime) -> str:
        """The session's last figures, closed `at`; of what was `shown` where a replay takes over, or ends."""
        latest = self._slot.latest
        if shown is None or latest is None or (shown.replay is None) == (latest.replay is None):
            return self._text(self._slot, now, Ending(Freshness.CLOSED, at))
        before = Slot(self._window_s)
        before.put(shown)
        return self._text(before, now, Ending(Freshness.CLOSED, market_now(shown, now)))

    def left_over(self, session: str | None, now: datetime) -> str:
        """For a message of `session` that a killed process left."""
        slot, ending = left_over(self._slot, session, now)
        return self._text(slot, now, ending)

    def _text(self, slot: Slot, now: datetime, ending: Ending | None = None) -> str:
        view = board_view(
            self._ticker,
            slot,
            now,
            source=self._source,
            since=self._since,
            window_s=self._window_s,
            ending=ending,
        )
        return board_text(view, style=self._style)
