"""`python -m streaming replay`: recordings, streams of Redis and captured frames, played as if they were live."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Final, TextIO

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.lease import Lease, process_name
from streaming.bus.publish.publisher import TradingEventPublisher
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.calendar import new_york
from streaming.clock import SystemClock, instant_of
from streaming.errors import RequestError
from streaming.process.flags import a_day
from streaming.process.logs import Say, say, settings_of_command
from streaming.process.signals import on_user_signal, run_until, stop_on_signals
from streaming.process.terminal import keys_of
from streaming.recording.reader import holds_recording
from streaming.recording.recording_files import parts_of
from streaming.replay.frame_files import replay_frames
from streaming.replay.guard import ReplayGuard
from streaming.replay.player import SnapshotReplay
from streaming.replay.recorded import EVERYTHING, RecordedTape, TapeChoice, recorded_tape, stream_tape
from streaming.replay.source import parse_start
from streaming.setting_values import asked_tickers
from streaming.settings import StreamSettings
from streaming.streamer.runtime import open_bus

_REMEDY: Final = "Stop it first (`/stream stop`, or end that program), use another REDIS_URL, or add --force."
_FASTEST: Final = 1000.0


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser of `python -m streaming`."""
    command = commands.add_parser("replay", help="play recordings, a stream of Redis or captured Schwab frames")
    command.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="recordings, a folder, or files of frames")
    command.add_argument("--stream", metavar="KEY", help="a stream instead, such as gex:history:SPX")
    command.add_argument("--day", type=a_day, metavar="YYYY-MM-DD", help="of a folder; else its newest day")
    command.add_argument("--speed", type=_speed, default=1.0, metavar="X", help="1 = as recorded, 0 = at once")
    command.add_argument("--start", type=_start, metavar="HH:MM", help="begin at this New York time of the day")
    command.add_argument("--tickers", metavar="SPX,NDX", help="only the snapshots of these")
    command.add_argument("--loop", action="store_true", help="begin again at the end")
    command.add_argument("--force", action="store_true", help="even over live data in the same Redis")
    command.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Play until the end or until told to stop, then return 0; errors carry their exit status."""
    order = ReplayOrder.read(arguments)
    return asyncio.run(replay(settings_of_command(), order, say=say))


def _start(text: str) -> time:
    try:
        return parse_start(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be a time of day such as 10:30") from None


def _speed(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= _FASTEST:
        raise argparse.ArgumentTypeError(f"must be from 0 to {_FASTEST:g}")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOrder:
    """What the command line asks for."""

    paths: Sequence[Path] = ()
    stream: str | None = None
    day: date | None = None
    choice: TapeChoice = EVERYTHING
    speed: float = 1.0
    loop: bool = False
    force: bool = False

    @classmethod
    def read(cls, arguments: argparse.Namespace) -> "ReplayOrder":
        """RequestError for what is no ticker, or for nothing to play."""
        if bool(arguments.paths) == bool(arguments.stream):
            raise RequestError("A replay needs either files or --stream.", remedy="Give a PATH, or --stream KEY.")
        tickers = None if arguments.tickers is None else {one.name for one in asked_tickers(arguments.tickers)}
        return cls(
            paths=arguments.paths,
            stream=arguments.stream,
            day=arguments.day,
            choice=TapeChoice(start=arguments.start, tickers=tickers),
            speed=arguments.speed,
            loop=arguments.loop,
            force=arguments.force,
        )


async def replay(settings: StreamSettings, order: ReplayOrder, *, say: Say) -> int:
    """Play what is ordered and say what was published. RequestError when that cannot be played."""
    frames = _are_frames(order)
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(open_bus(settings, tell=say))
        guard = ReplayGuard(redis, SnapshotStore(redis), SystemClock(), remedy=_REMEDY)
        if not order.force:
            await guard.look()
        lease = Lease(redis, keys.REPLAY_LEASE, process_name())
        await stack.enter_async_context(lease.held())
        publisher = await stack.enter_async_context(
            TradingEventPublisher(redis, kinds=settings.redis_events, streams_mb=settings.redis_events_mb)
        )
        if frames:
            await _play_frames(order, publisher, say)
        else:
            player = SnapshotReplay(
                tape := _tape(redis, order),
                SnapshotStore(redis, history_mb=settings.redis_history_mb),
                publisher,
                SystemClock(),
                speed=order.speed,
                loop=order.loop,
                guard=None if order.force else guard,
                say=say,
                by=lease.owner,
            )
            await _play(player, tape, say)
    return 0


def _are_frames(order: ReplayOrder) -> bool:
    """Whether the files hold captured frames; RequestError when only some do, or for options they do not take."""
    kinds = {path.is_dir() or holds_recording(path) for path in order.paths}
    if len(kinds) > 1:
        raise RequestError("Some of the files are recordings and some are not.", remedy="Play them one after another.")
    frames = kinds == {False}
    if frames and (order.day or order.loop or order.choice != EVERYTHING):
        raise RequestError(
            "Captured frames are played as a whole, once.", remedy="Leave out --day, --start, --tickers and --loop."
        )
    return frames


def _tape(redis: Redis, order: ReplayOrder) -> RecordedTape:
    if order.stream is not None:
        return stream_tape(redis, order.stream, order.choice)
    return recorded_tape([part for path in order.paths for part in parts_of(path, order.day)], order.choice)


async def _play_frames(order: ReplayOrder, publisher: TradingEventPublisher, say: Say) -> None:
    for path in order.paths:
        report = await replay_frames(path, speed=order.speed, sink=publisher, clock=SystemClock())
        say(f"{report.frames} frames, {report.events} events, {report.malformed} malformed lines")


async def _play(player: SnapshotReplay, tape: RecordedTape, say: Say) -> None:
    """Play until the end or until a signal."""
    stop = stop_on_signals()
    progress = asyncio.create_task(show_progress(player, sys.stderr), name="progress")
    try:
        with pause_keys(player.toggle, sys.stdin) as how:
            say(f"Playing {tape.name}. {how}")
            await run_until(stop, {"replay": player.run(lambda: None)})
    finally:
        progress.cancel()
        await asyncio.wait({progress})
    say(summary(player, tape))


def summary(player: SnapshotReplay, tape: RecordedTape) -> str:
    """One line on what was played and what could not be."""
    counts = tape.counts
    met = {
        "gaps": counts.gaps,
        "torn files": counts.torn,
        "unusable entries": counts.unusable,
        "foreign lines": counts.foreign,
    }
    troubles = "".join(f", {count} {name}" for name, count in met.items() if count)
    return f"Played {player.played} snapshots and {player.ticks} ticks of {tape.name}{troubles}."


_EVERY_S: Final = 0.5
_EVERY_S_IN_A_LOG: Final = 10.0
_KEYS: Final = frozenset(b" \r\n")


@contextmanager
def pause_keys(toggle: Callable[[], None], source: TextIO) -> Iterator[str]:
    """Let SIGUSR1 and, on a terminal, space and enter call `toggle`; gives the sentence that says so."""
    loop = asyncio.get_running_loop()
    with on_user_signal(toggle) as by_signal, keys_of(source) as keyboard:
        if keyboard is None:
            yield f"`kill -USR1 {os.getpid()}` pauses and resumes it." if by_signal else "Ctrl+C ends it."
            return
        loop.add_reader(keyboard, _read, keyboard, toggle)
        try:
            yield "Space or Enter pauses and resumes it; Ctrl+C ends it."
        finally:
            loop.remove_reader(keyboard)


def _read(descriptor: int, toggle: Callable[[], None]) -> None:
    try:
        pressed = os.read(descriptor, 64)
    except OSError:
        pressed = b""
    if not pressed:  # the terminal is gone
        asyncio.get_running_loop().remove_reader(descriptor)
    for key in pressed:
        if key in _KEYS:
            toggle()


async def show_progress(player: SnapshotReplay, out: TextIO) -> None:
    """Keep one line current on a terminal; elsewhere write one now and then. Until cancelled."""
    terminal = out.isatty()
    try:
        while True:
            await asyncio.sleep(_EVERY_S if terminal else _EVERY_S_IN_A_LOG)
            out.write(f"\r\x1b[K{progress_line(player)}" if terminal else f"{progress_line(player)}\n")
            out.flush()
    finally:
        if terminal:
            out.write("\r\x1b[K")
            out.flush()


def progress_line(player: SnapshotReplay) -> str:
    """Such as `2026-11-20 10:31:05 New York · 1234 snapshots · 0 ticks · paused`."""
    if player.market_ms is None:
        return "nothing played yet"
    at = new_york(instant_of(player.market_ms))
    counts = f"{player.played} snapshots · {player.ticks} ticks"
    return f"{at:%Y-%m-%d %H:%M:%S} New York · {counts}{' · paused' if player.paused else ''}"
