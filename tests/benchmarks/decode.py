"""Frames to merged events: our way against `json.loads` into dataclasses, on captured frames or made ones, in one run.

`python -m tests.benchmarks.decode [--seconds 2]`
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from streaming.schwab.stream.merge import Merger
from streaming.schwab.wire.frames import decode_frame
from tests.benchmarks.inputs import stream_frames

NAMES = {"1": "bid", "2": "ask", "3": "last", "4": "bid_size", "5": "ask_size", "8": "volume", "9": "last_size"}


@dataclass(frozen=True)
class PlainTick:
    symbol: str
    timestamp: datetime
    last: float | None
    bid: float | None
    ask: float | None
    volume: int | None
    bid_size: int | None
    ask_size: int | None
    last_size: int | None
    event_ms: int
    recv_ms: int
    source: str
    seq: int


@dataclass(frozen=True)
class PlainVenue:
    venue: str
    size: int
    quote_ms: int


@dataclass(frozen=True)
class PlainLevel:
    price: float
    size: int
    venues: tuple[PlainVenue, ...]


@dataclass(frozen=True)
class PlainBook:
    symbol: str
    timestamp: datetime
    bids: tuple[PlainLevel, ...]
    asks: tuple[PlainLevel, ...]
    event_ms: int
    recv_ms: int


class PlainMerger:
    """What one would write first: dictionaries, relabelled and merged."""

    def __init__(self) -> None:
        self.states: dict[str, dict[str, Any]] = {}
        self.seq = 0

    def apply(self, raw: bytes, recv_ms: int) -> list[Any]:
        return [
            self._book(row, recv_ms) if block["service"].endswith("BOOK") else self._tick(row, recv_ms)
            for block in json.loads(raw)["data"]
            for row in block["content"]
        ]

    def _tick(self, row: dict[str, Any], recv_ms: int) -> PlainTick:
        named = {NAMES.get(name, name): value for name, value in row.items()}
        state = named if "delayed" in row else self.states.get(row["key"], {}) | named
        self.states[row["key"]] = state
        self.seq += 1
        event_ms = max(row.get("34", 0), row.get("35", 0))
        return PlainTick(
            symbol=row["key"],
            timestamp=datetime.fromtimestamp(event_ms / 1000, UTC),
            event_ms=event_ms,
            recv_ms=recv_ms,
            source="plain",
            seq=self.seq,
            **{name: state.get(name) for name in NAMES.values()},
        )

    def _book(self, row: dict[str, Any], recv_ms: int) -> PlainBook:
        sides = [
            tuple(
                PlainLevel(level["0"], level["1"], tuple(PlainVenue(e["0"], e["1"], e["2"]) for e in level["3"]))
                for level in row[side]
            )
            for side in ("2", "3")
        ]
        return PlainBook(
            row["key"], datetime.fromtimestamp(row["1"] / 1000, UTC), sides[0], sides[1], row["1"], recv_ms
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="time per way and frame kind")
    seconds = parser.parse_args().seconds
    source = stream_frames()
    level_one, books = source.level_one, source.books
    sys.stdout.write(f"{source.said}\n")
    sys.stdout.write(
        f"{'frames':<26}{'json + dataclass':>18}{'ours':>12}{'ratio':>8}   rows/s, best of interleaved rounds\n"
    )
    for name, frames in (
        ("full images (52 fields)", level_one[:1]),
        ("deltas, 3 rows a frame", level_one[1:]),
        ("deltas, 1 row of 5 fields", _small_deltas()),
        ("books", books),
        ("80 % deltas, 20 % books", _small_deltas(8) + books[:2]),
    ):
        plain, ours = _rates(frames, level_one[:1], seconds)
        sys.stdout.write(f"{name:<26}{plain:>18,.0f}{ours:>12,.0f}{ours / plain:>8.1f}\n")


def _small_deltas(count: int = 8) -> list[bytes]:
    """Frames as the reference measured them: one symbol, a few changed fields."""
    row = {"key": "SPY", "1": 766.88, "2": 766.9, "3": 766.89, "8": 3755917, "34": 1787233770826}
    block = {"service": "LEVELONE_EQUITIES", "timestamp": 1787233770967, "command": "SUBS", "content": [row]}
    return [json.dumps({"data": [block]}, separators=(",", ":")).encode()] * count


def _rates(frames: Sequence[bytes], images: Sequence[bytes], seconds: float) -> tuple[float, float]:
    plain, merger = PlainMerger(), Merger()

    def ours(raw: bytes) -> int:
        return len(merger.apply(decode_frame(raw).blocks, 1787233770000))

    def theirs(raw: bytes) -> int:
        return len(plain.apply(raw, 1787233770000))

    for raw in images:
        ours(raw)
        theirs(raw)
    best = [0.0, 0.0]
    for _ in range(5):
        for way, work in enumerate((theirs, ours)):
            best[way] = max(best[way], _rate(work, frames, seconds / 5))
    return best[0], best[1]


def _rate(work: Callable[[bytes], int], frames: Sequence[bytes], seconds: float) -> float:
    rows, began = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - began) < seconds:
        for raw in frames:
            rows += work(raw)
    return rows / elapsed


if __name__ == "__main__":
    main()
