"""GEX_SOURCE=replay: a recording played inside the bot or by `python -m streaming start`, by one process at a time."""

import logging
from collections.abc import Callable, Sequence
from datetime import time
from typing import TYPE_CHECKING, Final

from streaming.bus import keys
from streaming.bus.lease import Lease
from streaming.errors import ConfigurationError
from streaming.recording.recording_files import parts_of
from streaming.replay.guard import NAME, ReplayGuard
from streaming.settings import StreamSettings
from streaming.sources.source_kind import Kit, SourceKind
from streaming.status import SourceState, SourceStatus
from streaming.symbols import Ticker

if TYPE_CHECKING:  # what plays is imported when something is played
    from streaming.replay.player import SnapshotReplay
    from streaming.replay.recorded import RecordedTape

_LOG: Final = logging.getLogger(__name__)
_REMEDY: Final = "End that program, or choose another source in GEX_SOURCE or GEX_SOURCE_MAP, then restart."


class RecordedSource:
    """A `SnapshotSource` by the settings GEX_REPLAY_*; at its end it holds the last snapshots on display."""

    name = NAME

    def __init__(self, tickers: Sequence[Ticker], kit: Kit) -> None:
        self._names = tuple(ticker.name for ticker in tickers)
        self._kit = kit
        self._lease = Lease(kit.redis, keys.REPLAY_LEASE, kit.owner)
        self._guard = ReplayGuard(kit.redis, kit.snapshots, kit.clock, remedy=_REMEDY, streams=False)
        self._player: SnapshotReplay | None = None
        self._state: SourceState = "stopped"

    def status(self) -> SourceStatus:
        """One look at it."""
        if self._player is not None:
            return self._player.status()
        return SourceStatus(name=NAME, tickers=self._names, state=self._state)

    async def run(self, progress: Callable[[], None]) -> None:
        """Stand by until no other process plays, then play until cancelled.

        ConfigurationError without GEX_REPLAY_PATH, RequestError when nothing can be played from there or a live
        producer stays.
        """
        tape = self._tape()
        self._state = "standby"
        try:
            async with self._lease.held(wait=True):
                self._state = "waiting"
                await self._play(tape, progress)
        finally:
            self._state, self._player = "stopped", None

    def _tape(self) -> "RecordedTape":
        from streaming.replay.recorded import TapeChoice, recorded_tape

        settings = self._kit.settings
        if (missing := missing_path(settings)) is not None:
            raise missing
        assert settings.gex_replay_path is not None  # noqa: S101  # looked at above
        start = None if settings.gex_replay_start is None else parse_start(settings.gex_replay_start)
        return recorded_tape(parts_of(settings.gex_replay_path), TapeChoice(start=start, tickers=self._names))

    async def _play(self, tape: "RecordedTape", progress: Callable[[], None]) -> None:
        from streaming.replay.player import SnapshotReplay

        streams = await Lease(self._kit.redis, keys.STREAM_LEASE, "").holder() is not None
        if streams:
            _LOG.info("recorded ticks are not played: live ones are being streamed")
        self._player = SnapshotReplay(
            tape,
            self._kit.snapshots,
            None if streams else self._kit.events,
            self._kit.clock,
            speed=self._kit.settings.gex_replay_speed,
            loop=self._kit.settings.gex_replay_loop,
            hold=True,
            tickers=self._names,
            guard=self._guard,
            by=self._lease.owner,
        )
        await self._player.run(progress)


def missing_path(settings: StreamSettings) -> ConfigurationError | None:
    """What a person must set before anything can be played, or None."""
    if settings.gex_replay_path is not None:
        return None
    return ConfigurationError(
        "GEX_REPLAY_PATH is not set.",
        remedy="Set it to a recording or a folder of recordings, then restart, or choose another GEX_SOURCE.",
    )


def parse_start(text: str) -> time:
    """A time of day such as 10:30; ValueError for anything else."""
    hour, _, minute = text.partition(":")
    return time(int(hour), int(minute))


def _lacks(_tickers: Sequence[Ticker], settings: StreamSettings) -> ConfigurationError | None:
    return missing_path(settings)


KIND: Final = SourceKind(NAME, RecordedSource, _lacks)
