"""What one board writes: while it is live, when its session ends, and over what another process left. No I/O."""

from datetime import datetime

from bot.feed.view import Ending, board_view, left_over
from bot.feed.window import Slot
from bot.render.text import Style, board_text
from bot.render.view import Freshness
from streaming.market_time import market_now
from streaming.model import GexSnapshot
from streaming.symbols import Ticker


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
