"""Where our processor time goes: each pure step alone on a mix of the benchmark, in microseconds a row."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from streaming.bus.codec import encode_event
from streaming.bus.events import BOOK, TICK
from streaming.bus.publish.batch_script import ScriptPacker
from streaming.bus.publish.stream_budget import StreamBudget
from streaming.model import Level2Event, OptionQuote, TickEvent
from streaming.ports import StreamEvent
from streaming.schwab.stream.merge import Merger
from streaming.schwab.wire.frames import decode_data
from streaming.schwab.wire.rows import DataBlock
from streaming.schwab.wire.splitter import FrameSplitter
from tests.benchmarks.stream_frames import STAMP_BASE, texts, websocket_frame

_RUNS: Final = 7
RECV_MS: Final = 1_787_233_770_000
_PIECE: Final = 1 << 18


def costs(mix: str) -> Mapping[str, float]:
    """Every pure step over the whole mix, in the portions the streamer takes: the best of seven runs."""
    frames, merger, packer = texts(mix, b"%d" % STAMP_BASE), Merger(), ScriptPacker(StreamBudget().caps)
    decoded = [decode_data(raw) or () for raw in frames]
    rows = sum(len(block.content) for blocks in decoded for block in blocks)
    merged = (event for blocks in decoded for event in merger.apply(blocks, RECV_MS))
    events = [event for event in merged if not isinstance(event, OptionQuote)]
    entries = [(n, TICK if isinstance(one, TickEvent) else BOOK, _encode(one)) for n, one in enumerate(events)]
    wire = b"".join(map(websocket_frame, frames))
    pieces = [wire[at : at + _PIECE] for at in range(0, len(wire), _PIECE)]

    def merge(blocks: Sequence[DataBlock]) -> object:
        return merger.apply(blocks, RECV_MS)

    steps: Mapping[str, Callable[[], object]] = {
        "split": lambda: _split(pieces),
        "decode": lambda: _one_by_one(decode_data, frames),
        "merge": lambda: _one_by_one(merge, decoded),
        "encode": lambda: _one_by_one(_encode, events),
        "pack": lambda: packer.pack(entries),
    }
    return {name: _best_s(step) / rows * 1e6 for name, step in steps.items()}


def _split(pieces: Sequence[bytes]) -> None:
    texts_seen: list[bytes] = []
    splitter = FrameSplitter(texts_seen.append, texts_seen.append, max_size=1 << 24)
    for piece in pieces:
        splitter.feed(piece)
        texts_seen.clear()


def _one_by_one(step: Callable[[Any], object], items: Sequence[object]) -> None:
    """Without keeping results, since the streamer keeps few at a time."""
    for item in items:
        step(item)


def _encode(event: StreamEvent) -> bytes:
    assert isinstance(event, (TickEvent, Level2Event))
    return encode_event(event)


def _best_s(step: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(_RUNS):
        began = time.process_time()
        step()
        best = min(best, time.process_time() - began)
    return best
