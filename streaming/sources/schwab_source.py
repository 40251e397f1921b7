"""GEX_SOURCE=schwab: what the streamer computes, as a source like the others."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from streaming.settings import StreamSettings
from streaming.sources.source_kind import Kit, SourceKind, Stream
from streaming.status import SourceState, SourceStatus
from streaming.symbols import Ticker

NAME: Final = "schwab"
_STATES: Final[Mapping[str, SourceState]] = {
    "stopped": "stopped",
    "standby": "standby",
    "backoff": "failing",
    "taken_over": "failing",
    "needs_login": "needs_action",
    "failed": "needs_action",
}


class SchwabSource:
    """A `SnapshotSource` that is the streamer, which streams ticks too."""

    name = NAME

    def __init__(self, tickers: Sequence[Ticker], stream: Stream) -> None:
        self._names = tuple(ticker.name for ticker in tickers)
        self._stream = stream

    async def run(self, progress: Callable[[], None]) -> None:
        """Stream and compute until cancelled."""
        await self._stream.run(progress)

    def status(self) -> SourceStatus:
        """What the streamer is as a source of snapshots."""
        status, counters = self._stream.status(), self._stream.counters
        producing: SourceState = "live" if counters.snapshots else "waiting"
        errors = self._stream.chain_errors - status.chains_refused
        return SourceStatus(
            name=NAME,
            tickers=self._names,
            state=_STATES.get(status.state, producing),
            last_snapshot_at=counters.last_snapshot_at,
            snapshots=counters.snapshots,
            rejected=status.chains_refused,
            errors=errors + counters.compute_errors + counters.store_errors,
            last_error=status.needs_login or status.last_error,
        )


def stream_is_needed(settings: StreamSettings, tickers: Sequence[Ticker]) -> bool:
    """Whether `python -m streaming start` streams: without a Schwab app only where a ticker comes from Schwab.

    With nothing to do at all it is needed too: somebody has to say that the app is missing.
    """
    configured = settings.schwab_client_id is not None and settings.schwab_client_secret is not None
    return configured or not tickers or bool(settings.tickers_from(NAME, tickers))


def _build(tickers: Sequence[Ticker], kit: Kit) -> SchwabSource:
    return SchwabSource(tickers, kit.stream)


KIND: Final = SourceKind(NAME, _build, has_own_job=True)
"""What it needs besides is a login, which is checked elsewhere."""
