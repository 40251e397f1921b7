"""Where our processor time goes: each pure step alone on the benchmark's frames, in microseconds an event."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from streaming.bus.batch import BatchPacker
from streaming.bus.buffer import BOOK, TICK
from streaming.bus.codec import encode_level2, encode_tick
from streaming.bus.publisher import STREAM_CAPS
from streaming.model import Level2Event, TickEvent
from streaming.ports import StreamEvent
from streaming.schwab.frames import decode_frame
from streaming.schwab.merge import Merger
from tests.benchmarks.stream_frames import STAMP_BASE, texts

_RUNS: Final = 7


def costs() -> Mapping[str, float]:
    """Decode, merge, encode and pack of the whole mix: the best of seven runs over a thousand frames."""
    frames, merger, packer = texts(b"%d" % STAMP_BASE), Merger(), BatchPacker(STREAM_CAPS)
    decoded = [decode_frame(raw).blocks for raw in frames]
    events = [event for blocks in decoded for event in merger.apply(blocks, 0)]
    entries = [(n, TICK if isinstance(one, TickEvent) else BOOK, _encode(one)) for n, one in enumerate(events)]
    steps: Mapping[str, Callable[[], object]] = {
        "decode": lambda: [decode_frame(raw) for raw in frames],
        "merge": lambda: [merger.apply(blocks, 0) for blocks in decoded],
        "encode": lambda: [_encode(event) for event in events],
        "pack": lambda: packer.pack(entries, ()),
    }
    return {name: _best_s(step) / len(frames) * 1e6 for name, step in steps.items()}


def _encode(event: StreamEvent) -> bytes:
    if isinstance(event, TickEvent):
        return encode_tick(event)
    assert isinstance(event, Level2Event)
    return encode_level2(event)


def _best_s(step: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(_RUNS):
        began = time.process_time()
        step()
        best = min(best, time.process_time() - began)
    return best
