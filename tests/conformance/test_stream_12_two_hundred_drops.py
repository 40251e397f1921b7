"""Two hundred drops in a row: every subscription restored, no event lost or doubled between full images."""

import asyncio
import json
import random
from collections import defaultdict

import msgspec

from streaming.bus import keys
from streaming.bus.publish.publisher import TradingEventPublisher
from streaming.model import Level2Event, TickEvent
from streaming.schwab.stream.routing import Subscriptions
from streaming.sim.local_schwab import Limits
from streaming.sim.stream.stream_routes import ClientSocket
from tests.support.stream_rig import client_rig, until

DROPS = 200
CODES = (None, None, 1000, 1001, 1011, 4000)
EXPECTED = {
    "LEVELONE_EQUITIES": {"SPY", "QQQ", "$SPX"},
    "LEVELONE_FUTURES": {"/ES", "/MNQ"},
    "NYSE_BOOK": {"SPY"},
    "NASDAQ_BOOK": {"QQQ"},
}
NAMES = {
    "LEVELONE_EQUITIES": {"1": "bid", "2": "ask", "3": "last", "4": "bid_size", "5": "ask_size", "8": "volume"},
    "LEVELONE_FUTURES": {"1": "bid", "2": "ask", "3": "last", "4": "bid_size", "5": "ask_size", "8": "volume"},
}
BOOKS = {"NYSE_BOOK", "NASDAQ_BOOK"}


def merged_by_hand(frames):
    """What a reader of these frames must see, by the plainest possible merge."""
    images, seen = {}, []
    for frame in frames:
        for block in msgspec.json.decode(frame).get("data", ()):
            service = block["service"]
            for row in block["content"]:
                if service in BOOKS:
                    seen.append((row["key"], "book", row["1"]))
                    continue
                image = images.setdefault((service, row["key"]), {})
                if "assetMainType" in row:
                    image.clear()
                image.update({name: row[number] for number, name in NAMES[service].items() if number in row})
                seen.append((row["key"], "tick", dict(image)))
    return seen


def as_seen(event):
    if isinstance(event, TickEvent):
        values = {name: getattr(event, name) for name in NAMES["LEVELONE_EQUITIES"].values()}
        return (event.symbol, "tick", {name: value for name, value in values.items() if value is not None})
    return (event.symbol, "book", event.event_ms)


def known(item):
    """The hand-made merge without zeros, which mean "no such price" for an index."""
    symbol, kind, value = item
    return item if kind == "book" else (symbol, kind, {name: number for name, number in value.items() if number})


async def test_two_hundred_random_drops_lose_and_double_nothing(tmp_path, redis, monkeypatch):
    sent = defaultdict(list)
    send = ClientSocket.send

    async def recorded(self, frame):
        if b'"data"' in frame[:8]:
            sent[self].append(frame)
        await send(self, frame)

    monkeypatch.setattr(ClientSocket, "send", recorded)
    rng = random.Random(12)
    subscriptions = Subscriptions(("SPY", "QQQ", "$SPX", "/ES", "/MNQ"))
    async with TradingEventPublisher(redis) as publisher:
        async with client_rig(
            tmp_path, subscriptions=subscriptions, limits=Limits(frame_s=0.005, heartbeat_s=0.1)
        ) as rig:
            by_connection = defaultdict(list)

            def sink(batch):
                publisher.publish(batch)
                rig.events.extend(batch)
                by_connection[rig.client.status.connects].extend(batch)

            rig.client._sink = sink

            def restored(connects):
                held = {name: set(keys) for name, keys in rig.sim.subscriptions.items()}
                return rig.client.status.connects == connects and rig.state == "live" and held == EXPECTED

            for drop in range(DROPS):
                await until(lambda number=drop: restored(number + 1))
                await asyncio.sleep(rng.choice((0.0, 0.005, 0.02)))
                await rig.sim.drop_streams(rng.choice(CODES))
            await until(lambda: restored(DROPS + 1))
            status = rig.client.status
        events = rig.events
    assert status.connects == DROPS + 1
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    for frames, (connection, batch) in zip(sent.values(), sorted(by_connection.items()), strict=False):
        expected = [known(item) for item in merged_by_hand(frames)]
        # a future's tick is followed by its top of book, which is the tick's own
        received = [
            known(as_seen(event))
            for event in batch
            if not (isinstance(event, Level2Event) and event.depth_kind == "top_of_book")
        ]
        assert received == expected[: len(received)], f"connection {connection}"
    stored = []
    for stream in (keys.TICKS_STREAM, keys.LEVEL2_STREAM):
        stored += [json.loads(fields[b"data"])["seq"] for _, fields in await redis.xrange(stream)]
    assert sorted(stored) == [event.seq for event in events]
