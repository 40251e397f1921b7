"""What a source says of itself, kept up to date as it works."""

from collections.abc import Iterable
from datetime import datetime

from streaming.clock import instant_of
from streaming.errors import GexcordError
from streaming.model import GexSnapshot
from streaming.status import SourceState, SourceStatus


class SourceBook:
    """Counts what happened since the process started."""

    def __init__(self, name: str, tickers: Iterable[str]) -> None:
        self.name = name
        self.tickers = tuple(tickers)
        self._state: SourceState = "stopped"
        self._refused: set[str] = set()
        self._last_snapshot_at: datetime | None = None
        self._quote_ms = 0
        self._snapshots = 0
        self._rejected = 0
        self._errors = 0
        self._last_error: str | None = None

    def begins(self) -> None:
        """The source runs."""
        self._state = "waiting"

    def ends(self) -> None:
        """The source does not run any more."""
        self._state = "stopped"

    def stands_by(self) -> None:
        """Another process asks for these tickers."""
        self._state = "standby"

    def answered(self, ticker: str) -> None:
        """The other side answers, whether with something new or not."""
        self._refused.discard(ticker)
        self._state = "live" if self._snapshots else "waiting"

    def stored(self, snapshot: GexSnapshot, at: datetime) -> None:
        """A snapshot went to the sink."""
        self._snapshots += 1
        self._last_snapshot_at = at
        self._quote_ms = max(self._quote_ms, snapshot.asof_ms)
        self.answered(snapshot.ticker)

    def rejected(self, error: GexcordError) -> None:
        """An answer was of no use."""
        self._rejected += 1
        self._last_error = error.sentence
        self._state = "failing"

    def failed(self, error: GexcordError) -> None:
        """A request failed; the machine tries again."""
        self._errors += 1
        self._last_error = error.sentence
        self._state = "failing"

    def refused(self, error: GexcordError, *tickers: str) -> None:
        """Nothing comes for these tickers, or any without a name, until a person acts."""
        self._errors += 1
        self._last_error = error.sentence
        self._refused.update(tickers or self.tickers)
        if self._refused.issuperset(self.tickers):
            self._state = "needs_action"

    def status(self) -> SourceStatus:
        """All of it, as one record."""
        return SourceStatus(
            name=self.name,
            tickers=self.tickers,
            state=self._state,
            last_snapshot_at=self._last_snapshot_at,
            quote_at=instant_of(self._quote_ms) if self._quote_ms else None,
            snapshots=self._snapshots,
            rejected=self._rejected,
            errors=self._errors,
            last_error=self._last_error,
        )
