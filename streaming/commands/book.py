"""`python -m streaming book INDEX`: an index with its ETF and mini as one book, as JSON (specs/gex-method.md §22)."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import SystemClock
from streaming.errors import TransientError
from streaming.gex.results.one_book import OneBook, one_book
from streaming.model import SCOPES, WEIGHTS, GexSnapshot
from streaming.process.logs import say, settings_of_command
from streaming.streamer.runtime import open_bus
from streaming.symbols import books


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `book` to the commands."""
    command = subparsers.add_parser(
        "book",
        help="an index with its ETF and mini as one book, as JSON",
        description="Adds up the newest snapshots in Redis, in points of the index and US dollars per 1 % move.",
    )
    command.add_argument("index", choices=books(), type=str.upper, help="which market")
    command.add_argument("--scope", choices=SCOPES, help="which expiries; without it, the snapshots' own")
    command.add_argument("--weight", choices=WEIGHTS, default="oi", help="open interest or today's volume")
    command.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the book; TransientError without snapshots of the index and a relative, RequestError without ladders."""
    found = asyncio.run(_newest(books()[arguments.index]))
    if len(found) < 2 or found[0].ticker != arguments.index:  # noqa: PLR2004  # a book of one is no book
        raise TransientError(
            f"One book needs current snapshots of {arguments.index} and a related ticker.",
            remedy="Start the stream with both tickers, or another producer of snapshots.",
        )
    book = one_book(found, scope=arguments.scope, weight=arguments.weight)
    sys.stdout.write(json.dumps(as_json(book), allow_nan=False) + "\n")
    return 0


def as_json(book: OneBook) -> dict[str, Any]:
    """The book by its names; levels are [strike, $ per 1 %], strongest strikes have their share of Σ|net| behind."""
    meetings = [{"price": met.price, "levels": [level._asdict() for level in met.levels]} for met in book.confluences]
    return asdict(book) | {"parts": dict(book.parts), "confluences": meetings}


async def _newest(names: Sequence[str]) -> list[GexSnapshot]:
    async with open_bus(settings_of_command(), tell=say) as redis:
        store = SnapshotStore(redis, clock=SystemClock())
        found = [await store.latest(name) for name in names]
    return [snapshot for snapshot in found if snapshot is not None]
