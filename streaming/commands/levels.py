"""`python -m streaming levels`: the newest levels as text for charting programs (specs/level-texts.md)."""

import argparse
import asyncio
import sys
from typing import Final

from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import SystemClock
from streaming.errors import TransientError
from streaming.export.levels import FORMATS, level_sheet
from streaming.model import SCOPES, VIEWS, WEIGHTS, GexSnapshot
from streaming.process.logs import say, settings_of_command
from streaming.streamer.runtime import open_bus
from streaming.symbols import parse_ticker

_DEFAULT: Final = "csv"


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `levels` to the commands."""
    command = subparsers.add_parser(
        "levels",
        help="the newest levels as text for charting programs",
        description="Reads the newest snapshot of a ticker from Redis and prints its levels.",
    )
    command.add_argument("ticker", metavar="TICKER", help="such as SPX or NQ_NDX")
    formats = "; ".join(f"{name}: {form.words}" for name, form in FORMATS.items())
    command.add_argument("--format", choices=FORMATS, default=_DEFAULT, help=formats)
    command.add_argument("--scope", choices=SCOPES, help="which expiries; without it, the snapshot's own")
    command.add_argument("--weight", choices=WEIGHTS, default="oi", help="open interest or today's volume")
    command.add_argument("--view", choices=VIEWS, default="native", help="in whose points")
    command.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the levels; TransientError without a snapshot, RequestError for points that are not known."""
    snapshot = asyncio.run(_newest(parse_ticker(arguments.ticker).name))
    sheet = level_sheet(snapshot, scope=arguments.scope, weight=arguments.weight, view=arguments.view)
    sys.stdout.write(FORMATS[arguments.format].write(sheet) + "\n")
    return 0


async def _newest(ticker: str) -> GexSnapshot:
    async with open_bus(settings_of_command(), tell=say) as redis:
        snapshot = await SnapshotStore(redis, clock=SystemClock()).latest(ticker)
    if snapshot is None:
        raise TransientError(
            f"There is no current snapshot of {ticker}.", remedy="Start the stream, or another producer of snapshots."
        )
    return snapshot
