"""`python -m streaming record`: everything that is published onto the disk, until told to stop."""

import argparse
import asyncio
import logging
from pathlib import Path

from redis.asyncio import Redis

from streaming.clock import SystemClock
from streaming.process.logs import say, settings_of_command
from streaming.process.signals import run_until, stop_on_signals
from streaming.recording.recorder import Recorder, RecordOrder
from streaming.setting_values import asked_tickers
from streaming.settings import StreamSettings
from streaming.status import RecorderStatus
from streaming.streamer.runtime import open_bus


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser of `python -m streaming`."""
    command = commands.add_parser(
        "record", help="write snapshots, and ticks if you like, to daily files until told to stop"
    )
    command.add_argument("--path", type=Path, help="folder for the files instead of GEX_RECORD_PATH")
    command.add_argument("--ticks", action="store_true", help="write ticks too, as GEX_RECORD_TICKS=true does")
    command.add_argument("--tickers", metavar="SPX,NDX", help="only the snapshots of these")
    command.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Record until SIGTERM or SIGINT, then return 0; errors carry their exit status (specs/operations.md)."""
    settings = settings_of_command(least=logging.NOTSET)
    return asyncio.run(_serve(settings, order_of(settings, arguments)))


def order_of(settings: StreamSettings, arguments: argparse.Namespace | None = None) -> RecordOrder:
    """What the settings ask for, and the command line in their stead; RequestError for what is no ticker."""
    path: Path | None = getattr(arguments, "path", None)
    tickers: str | None = getattr(arguments, "tickers", None)
    return RecordOrder(
        path=path or settings.gex_record_path,
        max_mb=settings.gex_record_max_mb,
        ticks=settings.gex_record_ticks or getattr(arguments, "ticks", False),
        tickers=None if tickers is None else frozenset(ticker.name for ticker in asked_tickers(tickers)),
    )


async def _serve(settings: StreamSettings, order: RecordOrder) -> int:
    stop = stop_on_signals()
    async with open_bus(settings, tell=say) as redis:
        recorder = await _record_until(stop, redis, order)
    say(summary(recorder))
    return 0


async def _record_until(stop: asyncio.Event, redis: Redis, order: RecordOrder) -> RecorderStatus:
    """Run the recorder; what ended it before the signal did is raised."""
    recorder = Recorder(redis, SystemClock(), order)
    say(f"Recording into {order.path} (Ctrl+C ends it).")
    await run_until(stop, {"recorder": recorder.run(lambda: None)})
    return recorder.status()


def summary(status: RecorderStatus) -> str:
    """One line on what was recorded."""
    parts = [f"{status.snapshots} snapshots", *([f"{status.ticks} ticks"] if status.with_ticks else [])]
    parts += [f"{status.gaps} gaps", f"{status.written_bytes / 1e6:.1f} MB"]
    return f"Recorded {', '.join(parts)} into {status.path}."
