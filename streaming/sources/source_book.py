"""What a source says of itself, kept up to date as it works."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from streaming.clock import instant_of
from streaming.errors import GexcordError
from streaming.model import GexSnapshot
from streaming.status import SourceState, SourceStatus


class SourceBook:
    """Counts what happened since the process started."""

    def __init__(self, name: str, tickers: Iterable[str]) -> None:
        self.name = name
        self.tickers = tuple(tickers)
        self._refused: set[str] = set()
        self._status = SourceStatus(name=name, tickers=self.tickers)

    def status(self) -> SourceStatus:
        """All of it, as one record."""
        return self._status

    def begins(self) -> None:
        """The source runs."""
        self._is("waiting")

    def ends(self) -> None:
        """The source does not run any more."""
        self._is("stopped")

    def stands_by(self) -> None:
        """Another process asks for these tickers."""
        self._is("standby")

    def answered(self, ticker: str) -> None:
        """The other side answers, whether with something new or not."""
        self._refused.discard(ticker)
        self._is("live" if self._status.snapshots else "waiting")

    def stored(self, snapshot: GexSnapshot, at: datetime) -> None:
        """A snapshot went to the sink."""
        known, quoted = self._status, instant_of(snapshot.asof_ms)
        quote_at = quoted if known.quote_at is None else max(known.quote_at, quoted)
        self._status = replace(known, snapshots=known.snapshots + 1, last_snapshot_at=at, quote_at=quote_at)
        self.answered(snapshot.ticker)

    def rejected(self, error: GexcordError) -> None:
        """An answer was of no use."""
        self._is("failing", rejected=self._status.rejected + 1, last_error=error.sentence)

    def failed(self, error: GexcordError) -> None:
        """A request failed; the machine tries again."""
        self._is("failing", errors=self._status.errors + 1, last_error=error.sentence)

    def refused(self, error: GexcordError, *tickers: str) -> None:
        """Nothing comes for these tickers, or any without a name, until a person acts."""
        self._refused.update(tickers or self.tickers)
        state = "needs_action" if self._refused.issuperset(self.tickers) else self._status.state
        self._is(state, errors=self._status.errors + 1, last_error=error.sentence)

    def _is(self, state: SourceState, **counted: Any) -> None:
        self._status = replace(self._status, state=state, **counted)
