"""Mutated frames through session, merger, publisher's encoder and engine: only the contract error may come out.

And nothing that cannot be: no time outside 1970 to 2100, no price without end, no size below zero, no odd name.

python -m tests.fuzz.stream_frames [--frames 1000000] [--seed 1]
"""

import argparse
import asyncio
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from streaming.bus.codec import decode_snapshot, encode_event, encode_snapshot
from streaming.clock import LAST_MS, epoch_ms, instant_of
from streaming.engine.inbox import EngineInbox
from streaming.engine.protocol import Load
from streaming.engine.room import EngineRoom
from streaming.errors import ContractError, TransientError
from streaming.model import Candle, OptionQuote, TickEvent
from streaming.ports import StreamEvent
from streaming.schwab.stream.bad_keys import BadKeys
from streaming.schwab.stream.merge import Merger
from streaming.schwab.stream.policy import StreamTiming
from streaming.schwab.stream.session import StreamSession
from streaming.schwab.stream.session_events import Data
from streaming.schwab.stream.stream_connection import StreamConnection
from streaming.schwab.stream.stream_status import StreamCounters
from streaming.schwab.wire.fields import Service
from streaming.schwab.wire.frames import StreamerInfo
from streaming.schwab.wire.values import LARGEST_COUNT, LARGEST_PRICE
from streaming.symbols import parse_ticker
from tests.support.chains import ASOF, TODAY, expiry_body
from tests.support.clock import ManualClock
from tests.support.frames import data_frame, notice, response

CAPTURED: Final = Path(__file__).resolve().parents[3] / "shared" / "data" / "schwab" / "stream"
INFO: Final = StreamerInfo("ws://x", "customer", "correl", "N9", "APIAPP")
LONGEST: Final = 4000
TICKERS: Final = (parse_ticker("SPX"), parse_ticker("ES"))
RECV_MS: Final = epoch_ms(ASOF) + 1000
AHEAD_MS: Final = 10 * 86_400_000 + 300_000
COMPUTE_EVERY: Final = 100
SYMBOL: Final = re.compile(r"[A-Za-z0-9_.:+/^$-]{1,24}|[A-Z0-9 ]{6}[0-9]{6}[CP][0-9]{8}")
VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, -999, -999.0, 0.1, 1e11, 1e13, 1e308, -1e308,
    2**31, 2**53, 2**63, 2**64, 10**400, 1e-320,
    "", "NaN", "nan", "Infinity", "-inf", "0", "12.5", " 7 ", "1e999", "\x00", "\ud800", "é" * 50, [], {}, [[]], [None],
    "-", "N/A", "5,001.25", "<@1>", "SPY\n", "A" * 25, -5, 1, 86_400_000, 4_102_444_799_999, 4_102_444_800_000, -1e12,
    {"0": 1}, {"key": 1}, [{}], [{"0": "X"}], "LEVELONE_EQUITIES", "/ESZ26", "SPY", 1787233769963, "1787233769963",
)  # fmt: skip
KEYS: Final = ("key", "0", "1", "2", "3", "4", "8", "10", "13", "34", "35", "seq", "content", "service", "delayed", "x")


def seeds() -> list[bytes]:
    """Captured frames where there are any, and one made frame of every kind."""
    files = sorted(CAPTURED.glob("*.jsonl")) if CAPTURED.is_dir() else []
    captured = [line for file in files for line in file.read_bytes().splitlines() if len(line) <= LONGEST]
    return captured + MADE


MADE: Final = [
    data_frame("LEVELONE_EQUITIES", {"key": "SPY", "delayed": False, "assetMainType": "EQUITY", "1": 5.0, "13": "P"}),
    data_frame("LEVELONE_EQUITIES", {"key": "$SPX", "3": 5655.5, "35": 1787238000100}),
    data_frame("LEVELONE_FUTURES", {"key": "/ES", "3": 5667.25, "11": 1787238000200}),
    data_frame(
        "LEVELONE_OPTIONS",
        {"key": "SPXW  260820C05660000", "2": 9.5, "3": 9.9, "8": 7, "9": 120, "10": 16.5, "35": 5655.5},
        {"key": "SPXW  260820P05650000", "2": 8.5, "3": 8.9, "8": 9, "9": 90, "10": 17.5, "38": 1787238000300},
    ),
    data_frame("LEVELONE_OPTIONS", {"key": "SPXW  251208C06880000", "2": 10.2, "3": 10.4, "10": 16.5, "35": 6880.0}),
    data_frame("LEVELONE_FUTURES", {"key": "/ES", "1": 1.0, "2": 1.25, "10": 1787233769963, "34": "/ESZ26"}),
    data_frame(
        "NYSE_BOOK",
        {
            "key": "SPY",
            "1": 1787233769963,
            "2": [{"0": 5.0, "1": 3, "2": 1, "3": [{"0": "NYSE", "1": 3, "2": 35693547}]}],
            "3": [],
        },
    ),
    data_frame(
        "CHART_EQUITY",
        {
            "key": "SPY",
            "seq": 1,
            "1": 1,
            "2": 1.0,
            "3": 2.0,
            "4": 0.5,
            "5": 1.5,
            "6": 9,
            "7": 1787233740000,
            "8": 20685,
        },
    ),
    data_frame("CHART_FUTURES", {"key": "/ES", "seq": 1, "1": 1787233740000, "2": 1.0, "3": 2.0, "4": 0.5, "5": 1.5}),
    response("1", "SUBS", 0, service="LEVELONE_EQUITIES", msg="SUBS command succeeded"),
    response("0", "LOGIN", 0, msg="server=x;status=NP"),
    notice(30, "Stop streaming due to empty subscription"),
    b'{"notify":[{"heartbeat":"1668715930582"}]}',
    b'{"snapshot":[{"service":"CHART_FUTURES"}]}',
]


class Mutator:
    """Damages frames in the ways wires, servers and proxies do, and in a few that they do not."""

    def __init__(self, seeds: Sequence[bytes], rng: random.Random) -> None:
        self._seeds = list(seeds)
        self._trees = [json.loads(seed) for seed in seeds]
        self._rng = rng

    def frame(self) -> bytes:
        """The next mutated frame; one in twenty is left whole."""
        rng = self._rng
        kind = rng.random()
        if kind < 0.05:
            return rng.choice(self._seeds)
        if kind < 0.55:
            tree = json.loads(rng.choice(self._seeds))
            for _ in range(rng.randint(1, 3)):
                self._change(tree)
            try:
                return json.dumps(tree, allow_nan=True).encode("utf-8", "surrogatepass")
            except (ValueError, RecursionError):
                return b"{}"
        return self._bytes(bytearray(rng.choice(self._seeds)))

    def _change(self, tree: Any) -> None:
        """Replace, remove, add or duplicate something somewhere in a JSON tree."""
        rng = self._rng
        node = tree
        for _ in range(rng.randint(0, 7)):
            inner = list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []
            containers = [item for item in inner if isinstance(item, (dict, list)) and item]
            if not containers:
                break
            node = rng.choice(containers)
        if isinstance(node, dict):
            self._change_object(node)
        elif node:
            self._change_array(node)

    def _change_object(self, node: dict[str, Any]) -> None:
        rng = self._rng
        if node and rng.random() < 0.7:
            name = rng.choice(list(node))
            if rng.random() < 0.2:
                del node[name]
            else:
                node[name] = rng.choice(VALUES)
        else:
            node[rng.choice(KEYS)] = rng.choice(VALUES)

    def _change_array(self, node: list[Any]) -> None:
        rng = self._rng
        at = rng.randrange(len(node))
        action = rng.random()
        if action < 0.3:
            del node[at]
        elif action < 0.6:
            node.insert(at, node[at])
        else:
            node[at] = rng.choice(VALUES)

    def _bytes(self, raw: bytearray) -> bytes:
        rng = self._rng
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(raw)) if raw else 0
            action = rng.randrange(6)
            if action == 0 and raw:
                raw[at] = rng.randrange(256)
            elif action == 1:
                raw[at:at] = rng.randbytes(rng.randint(1, 4))
            elif action == 2:
                del raw[at : at + rng.randint(1, 20)]
            elif action == 3:
                del raw[at:]
            elif action == 4:
                raw[at:at] = raw[at : at + rng.randint(1, 60)]
            else:
                raw[at:at] = rng.choice((b'"', b"{", b"}", b"[", b"]", b":", b",", b"-", b"\\", b"\\u", b"1e9999"))
        return bytes(raw)


@dataclass
class Outcome:
    """What became of the frames."""

    frames: int = 0
    refused: int = 0
    events: Counter[str] = field(default_factory=Counter)
    took_s: float = 0.0


class Reader:
    """A logged-in session with a request in flight, a merger, the publisher's encoder and an engine with a chain."""

    def __init__(self) -> None:
        self.merger = Merger(source="fuzz")
        self.session = self._fresh()
        self.inbox = EngineInbox(TICKERS)
        self.room = EngineRoom(TICKERS, scope="full")
        body = expiry_body(TODAY, required=(TODAY,))
        order = Load(body.underlying, body.kind, body.asof, body.expiry, body.planned, body.required)
        self.inbox.loaded("SPX", self.room.load(order, body.payload))

    def read(self, raw: bytes, outcome: Outcome) -> None:
        """One frame; everything but ContractError escapes."""
        try:
            events = self.session.receive(raw)
        except ContractError:
            outcome.refused += 1
            return
        for event in events:
            outcome.events[type(event).__name__] += 1
            if isinstance(event, Data):
                self._merge(event, outcome)
        self.merger.take_rolled()
        if self.session.state.name == "ENDED":
            self.session = self._fresh()
        else:
            self.session.to_send(0.0)

    def compute(self) -> None:
        """Have the engine work with what it was given; its figures can be shown."""
        taken = self.inbox.empty()
        if taken is not None:
            self.room.take(taken.spots, taken.quotes)
        for ticker in TICKERS:
            snapshot = self.room.compute(ticker.name, ASOF)
            assert snapshot is not None
            assert snapshot.spot is None or 0.0 < snapshot.spot < LARGEST_PRICE
            decode_snapshot(encode_snapshot(snapshot))

    def _merge(self, data: Data, outcome: Outcome) -> None:
        records = self.merger.apply(data.blocks, RECV_MS)
        for record in records:
            outcome.events[type(record).__name__] += 1
            check(record)
            if not isinstance(record, OptionQuote):
                json.loads(encode_event(record))
        self.inbox.take(records)
        if sum(map(len, self.merger._images.values())) > 5000:
            self.merger.reset()

    def _fresh(self) -> StreamSession:
        session = StreamSession(INFO, {Service.LEVELONE_EQUITIES: ("SPY", "QQQ")}, chunk=1)
        session.login("token")
        session.to_send(0.0)
        session.receive(response("0", "LOGIN", 0))
        session.to_send(0.0)
        return session


def check(record: StreamEvent) -> None:
    """AssertionError for an event that cannot be, whatever the wire said."""
    assert SYMBOL.fullmatch(record.symbol), record
    assert 0 < record.event_ms <= RECV_MS + AHEAD_MS, record
    if isinstance(record, OptionQuote):
        prices = [record.bid, record.ask, record.iv, record.underlying_price]
        counts = [record.volume, record.open_interest]
    elif isinstance(record, TickEvent):
        prices = [record.bid, record.ask, record.last]
        counts = [record.volume, record.bid_size, record.ask_size, record.last_size]
    elif isinstance(record, Candle):
        prices, counts = [record.open, record.high, record.low, record.close], [record.volume, record.source_seq]
    else:
        levels = (*record.bids, *record.asks)
        venues = [venue for level in levels for venue in level.venues]
        prices = [level.price for level in levels]
        counts = [level.size for level in levels] + [venue.size for venue in venues]
        assert all(venue.quote_ms is None or 0 < venue.quote_ms <= LAST_MS for venue in venues), record
    assert all(price is None or -LARGEST_PRICE < price < LARGEST_PRICE for price in prices), record
    assert all(count is None or 0 <= count < LARGEST_COUNT for count in counts), record
    if not isinstance(record, OptionQuote):
        assert record.timestamp == instant_of(record.event_ms), record
        assert record.contract is None or SYMBOL.fullmatch(record.contract), record


def fuzz(frames: int, seed: int) -> Outcome:
    """Read `frames` mutated frames; an exception that is not the contract error ends it and names the frame."""
    mutator, reader, outcome = Mutator(seeds(), random.Random(seed)), Reader(), Outcome()
    began_s = time.perf_counter()
    for number in range(frames):
        raw = mutator.frame()
        try:
            reader.read(raw, outcome)
            if number % COMPUTE_EVERY == 0:
                reader.compute()
        except Exception as error:
            error.add_note(f"frame: {raw!r}")
            raise
        outcome.frames += 1
    outcome.took_s = time.perf_counter() - began_s
    return outcome


class FuzzedSocket:
    """A streamer that answers every request and sends mutated frames between, so many; then it breaks off."""

    def __init__(self, mutator: Mutator, rng: random.Random, frames: int) -> None:
        self.frames = frames
        self._mutator = mutator
        self._rng = rng
        self._answers: list[bytes] = []

    async def send(self, text: str) -> None:
        request = json.loads(text)["requests"][0]
        code = self._rng.choice((0, 0, 0, 9, 11, 19, 21, 22, 77)) if request["command"] != "LOGIN" else 0
        self._answers.append(response(request["requestid"], request["command"], code, service=request["service"]))

    async def receive(self) -> list[bytes]:
        await asyncio.sleep(0)
        if self._answers:
            answers, self._answers = self._answers, []
            return answers
        if self.frames <= 0:
            raise TransientError("The streamer's connection broke off without a close frame.")
        count = self._rng.randint(1, 40)
        self.frames -= count
        return [self._mutator.frame() for _ in range(count)]


async def serve(frames: int, seed: int) -> tuple[StreamCounters, int]:
    """Connections one after another until `frames` were sent: nothing but their known ends may end them.

    Returns what was counted, and how many connections it took.
    """
    rng = random.Random(seed)
    counters, merger, bad_keys = StreamCounters(), Merger(source="fuzz"), BadKeys()
    mutator, connections = Mutator(seeds(), rng), 0
    wanted = {Service.LEVELONE_EQUITIES: ("SPY", "QQQ", "$SPX"), Service.NYSE_BOOK: ("SPY",)}
    while frames > 0:
        connections += 1
        socket = FuzzedSocket(mutator, rng, frames)
        connection = StreamConnection(
            socket,
            StreamSession(INFO, wanted, bad_keys=bad_keys),
            merger,
            plan=lambda _listings: wanted,
            sink=_encode_all,
            room=_always,
            owner=MutedOwner(),
            counters=counters,
            timing=StreamTiming(),
            clock=ManualClock(ASOF),
        )
        with suppress(TransientError):
            await connection.serve("token")
        frames = socket.frames
    return counters, connections


class MutedOwner:
    """Hears everything a connection tells and does nothing about it."""

    def wanted_symbols(self) -> tuple[str, ...]:
        return ("SPY", "QQQ", "$SPX")

    def __getattr__(self, name: str) -> Any:
        return lambda *_words: None


async def _always() -> None:
    """Room for all."""


def _encode_all(batch: Sequence[StreamEvent]) -> None:
    for record in batch:
        check(record)
        if not isinstance(record, OptionQuote):
            encode_event(record)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    outcome = fuzz(arguments.frames, arguments.seed)
    kinds = ", ".join(f"{name} {count}" for name, count in outcome.events.most_common())
    sys.stdout.write(f"{outcome.frames} frames in {outcome.took_s:.0f} s, {outcome.refused} refused; {kinds}\n")


if __name__ == "__main__":
    main()
