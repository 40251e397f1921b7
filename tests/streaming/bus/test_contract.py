"""specs/redis-contract.md and specs/schemas: what another process reads is what the contract says."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import msgspec
import pytest
from referencing import Registry, Resource

from bot.feed.feed_metrics import BoardCounters, BoardStatus, FeedStatus, metrics_mapping
from streaming import model
from streaming.bus import keys
from streaming.bus.events import KINDS
from streaming.bus.metrics_store import hash_fields, write_metrics
from streaming.bus.publish.publisher import TradingEventPublisher
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import SystemClock
from streaming.model import DepthKind, GexSnapshot
from streaming.recording.recorder import METRICS as RECORDER
from streaming.settings import StreamSettings
from streaming.status import RecorderStatus, SourceStatus
from streaming.streamer.runtime import open_runtime
from streaming.streamer.source_table import source_metrics
from streaming.streamer.streamer import Streamer
from streaming.symbols import parse_ticker
from streaming.telemetry.stream_metrics import METRICS as STREAM
from tests.support.contract_pages import ASYNCAPI, CONTRACT, EXAMPLES, asyncapi, examples, written_anew
from tests.support.events import book, candle, tick
from tests.support.other_process import line_of, python_process
from tests.support.snapshots import snapshot

SPECS = Path(__file__).resolve().parents[3] / "specs"
SCHEMAS = {path.stem: json.loads(path.read_text()) for path in (SPECS / "schemas").glob("*.json")}
REGISTRY = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS.values() if "$id" in schema
)
READER = """
import json, sys, redis
client = redis.Redis.from_url(sys.argv[1], decode_responses=True)
pubsub = client.pubsub()
pubsub.subscribe("market_data:ticks", "market_data:level2", "market_data:candles", "gex:snapshot:stream")
for _ in range(4):
    pubsub.get_message(timeout=5)
print("ready", flush=True)
heard = []
for message in pubsub.listen():
    heard.append([message["channel"], message["data"]])
    if message["channel"] == "gex:snapshot:stream":
        break
streams = {name: [fields["data"] for _, fields in client.xrange(name)]
           for name in ("market_data:ticks:stream", "market_data:level2:stream", "market_data:candles:stream",
                        "gex:history:SPX")}
print(json.dumps({"heard": heard, "streams": streams, "latest": client.get("gex:snapshot:SPX")}))
"""


def _check(schema: str, value: object, part: str = "") -> None:
    validator = jsonschema.Draft202012Validator({"$ref": f"{schema}.json{part}"}, registry=REGISTRY)
    validator.validate(value)


@pytest.mark.parametrize("name", ["tick", "level2", "candle", "snapshot", "map", "metrics"])
def test_the_schemas_are_schemas(name):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize(
    ("record", "schema", "path"),
    [
        (model.TickEvent, "tick", ()),
        (model.Level2Event, "level2", ()),
        (model.Candle, "candle", ()),
        (model.BookLevel, "level2", ("$defs", "level")),
        (model.VenueQuote, "level2", ("$defs", "level", "properties", "venues", "items")),
        (model.GexSnapshot, "snapshot", ()),
        (model.ScopeFigures, "snapshot", ("$defs", "scope")),
        (model.Flow, "snapshot", ("$defs", "flow")),
        (model.IvFault, "snapshot", ("$defs", "iv_fault")),
        (model.ReplayMark, "snapshot", ("$defs", "replay")),
        (model.OnDemandMark, "snapshot", ("$defs", "on_demand")),
        (model.SignedFlow, "snapshot", ("$defs", "signed_flow")),
        (model.FlowSum, "snapshot", ("$defs", "flow_sum")),
        (model.PointView, "snapshot", ("$defs", "view")),
        (model.WeightFigures, "snapshot", ("$defs", "figures")),
    ],
)
def test_every_field_of_a_record_is_in_its_schema_and_none_is_forgotten(record, schema, path):
    described = SCHEMAS[schema]
    for step in path:
        described = described[step]
    assert set(described["properties"]) == set(record.__struct_encode_fields__) == set(described["required"])


def test_every_name_on_the_bus_is_in_the_contract():
    contract = (SPECS / "redis-contract.md").read_text()
    names = [value for name, value in vars(keys).items() if name.isupper()]
    names += [name for kind in KINDS for name in (kind.channel, kind.stream)]
    assert names
    for name in [*names, "gex:snapshot:<TICKER>", "gex:history:<TICKER>"]:
        assert f"`{name}`" in contract, name


@pytest.mark.parametrize(("name", "schema"), [*zip(EXAMPLES, ("tick", "level2", "candle", "snapshot"), strict=True)])
def test_the_example_of_each_is_valid_and_shows_every_field(name, schema):
    shown = examples(CONTRACT.read_text())
    assert set(shown) == set(EXAMPLES)
    _check(schema, json.loads(shown[name]))
    assert shown[name] == written_anew(name, shown[name]), "python -m tests.support.contract_pages writes it anew"


def test_asyncapi_has_every_channel_its_stream_and_the_schema_of_its_payloads():
    described = json.loads(ASYNCAPI.read_text())
    assert described == asyncapi(), "python -m tests.support.contract_pages writes it anew"
    channels = {channel["address"]: channel for channel in described["channels"].values()}
    assert set(channels) == {keys.SNAPSHOT_STREAM, *(kind.channel for kind in KINDS)}
    for kind in KINDS:
        [message] = channels[kind.channel]["messages"].values()
        assert set(SCHEMAS[message["payload"]["$ref"].removesuffix(".json")]["properties"]) == set(
            kind.record.__struct_encode_fields__
        )
        assert channels[kind.channel]["x-stream"] == {"key": kind.stream, "field": "data"}
    sent = {operation["channel"]["$ref"].rpartition("/")[2] for operation in described["operations"].values()}
    assert sent == set(described["channels"])


async def test_what_another_process_reads_is_valid(redis, redis_url):
    top = msgspec.structs.replace(book(4, "/MNQU26", levels=1), depth_kind=DepthKind.TOP_OF_BOOK)
    bare = msgspec.structs.replace(
        tick(5), last=None, bid=None, ask=None, volume=None, bid_size=None, ask_size=None, last_size=None, delayed=None
    )
    async with python_process(READER, redis_url) as process:
        assert await line_of(process) == "ready"
        async with TradingEventPublisher(redis) as publisher:
            publisher.publish([tick(1), book(2), book(3, levels=0), top, bare, candle(6)])
        await SnapshotStore(redis).put(snapshot())
        read = json.loads((await process.communicate())[0])
    schemas = {keys.TICKS: "tick", keys.LEVEL2: "level2", keys.CANDLES: "candle", keys.SNAPSHOT_STREAM: "snapshot"}
    heard = [(channel, json.loads(payload)) for channel, payload in read["heard"]]
    for channel, payload in heard:
        _check(schemas[channel], payload)
    assert [payload["seq"] for channel, payload in heard if channel != keys.SNAPSHOT_STREAM] == [1, 2, 3, 4, 5, 6]
    for channel in (keys.TICKS, keys.LEVEL2, keys.CANDLES):
        assert [json.loads(payload) for payload in read["streams"][f"{channel}:stream"]] == [
            payload for on, payload in heard if on == channel
        ]
    assert json.loads(read["latest"]) == heard[-1][1]
    assert [json.loads(payload) for payload in read["streams"]["gex:history:SPX"]] == [heard[-1][1]]


async def test_the_recipe_for_a_consumer_group_resumes_where_it_crashed(redis, redis_url):
    [recipe] = [
        part for part in (SPECS / "redis-contract.md").read_text().split("```python\n") if "xgroup_create" in part
    ]
    setup = """
import json, sys, redis
url, crash_at, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
def work(event):
    if event["seq"] == crash_at:
        sys.exit()
    print(event["seq"])
    if event["seq"] == last:
        sys.exit()
"""
    async with TradingEventPublisher(redis) as publisher:
        publisher.publish([tick(n) for n in range(1200)])
    code = setup + recipe.partition("```")[0]
    async with python_process(code, redis_url, "700", "-1") as process:
        first = (await process.communicate())[0].split()
    async with python_process(code, redis_url, "-1", "1199") as process:
        second = (await process.communicate())[0].split()
    assert [int(seq) for seq in first + second] == list(range(1200))


async def test_the_barest_snapshot_is_valid_too(redis):
    bare = GexSnapshot(ticker="SPX", timestamp=1, sum_gex_oi=1.0, asof_ms=1000, computed_ms=1000, seq=1, source="test")
    await SnapshotStore(redis).put(bare)
    _check("snapshot", json.loads(await redis.get(keys.snapshot("SPX"))))


@pytest.mark.parametrize(
    ("schema", "change"),
    [
        ("tick", {"last": "500"}),
        ("tick", {"timestamp": "2026-08-20T13:40:00+00:00"}),
        ("tick", {"volume": -1}),
        ("tick", {"seq": None}),
        ("level2", {"depth_kind": "full"}),
        ("candle", {"interval_s": 300}),
        ("level2", {"bids": [{"price": 1.0}]}),
        ("snapshot", {"scope": "half"}),
        ("snapshot", {"strikes": [[1.0, 2.0]]}),
        ("snapshot", {"max_priors": [[1.0, 2.0]] * 7}),
        ("snapshot", {"scopes": {"full": {}}}),
    ],
)
def test_the_schemas_notice_what_is_wrong(schema, change):
    good = {"tick": tick(1), "level2": book(1), "candle": candle(1), "snapshot": snapshot()}[schema]
    payload = json.loads(msgspec.json.encode(good))
    _check(schema, payload)
    with pytest.raises(jsonschema.ValidationError):
        _check(schema, {**payload, **change})


def _text(fields: dict[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in fields.items()}


async def test_the_feeds_hash_is_as_described(redis):
    now = datetime(2026, 8, 20, 15, 0, tzinfo=UTC)
    counters = BoardCounters(updates=9, errors=1, last_repost_at=now)
    counters.sent(now, 0.18)
    counters.failed(now, "Discord did not answer.")
    board = BoardStatus(
        channel_id=123, ticker="SPX", state="open", reason="session", until=now, message_id=5, counters=counters
    )
    status = FeedStatus(boards=(board,), leading=True, listening=True, snapshots=3, last_snapshot_at=now)
    await write_metrics(redis, keys.FEED_METRICS, metrics_mapping(status, now))
    fields = _text(await redis.hgetall(keys.FEED_METRICS))
    _check("metrics", fields, "#/$defs/feed")
    known = SCHEMAS["metrics"]["$defs"]["feed"]["properties"]
    assert {name for name in fields if not name.startswith("board:")} <= set(known)
    assert "board:123:edits" in fields


async def test_the_sources_hash_is_as_described(redis):
    now = datetime(2026, 8, 20, 15, 0, tzinfo=UTC)
    told = SourceStatus(
        name="cboe", tickers=("SPX",), state="failing", last_snapshot_at=now, quote_at=now, last_error="CBOE is away."
    )
    await write_metrics(redis, keys.SOURCE_METRICS, source_metrics([told, SourceStatus(name="redis")], now))
    fields = _text(await redis.hgetall(keys.SOURCE_METRICS))
    _check("metrics", fields, "#/$defs/sources")
    assert fields["cboe:last_error"] == "CBOE is away."
    with pytest.raises(jsonschema.ValidationError):
        _check("metrics", {**fields, "yahoo:state": "live"}, "#/$defs/sources")


async def test_the_recorders_hash_is_as_described(redis):
    now = datetime(2026, 8, 20, 15, 0, tzinfo=UTC)
    recording = RecorderStatus(state="recording", path="x", last_write_at=now, last_error="Away.")
    for status in (RecorderStatus(), recording):
        await write_metrics(redis, keys.RECORDER_METRICS, hash_fields(RECORDER, status))
        _check("metrics", _text(await redis.hgetall(keys.RECORDER_METRICS)), "#/$defs/recorder")
    known = SCHEMAS["metrics"]["$defs"]["recorder"]["properties"]
    assert set(hash_fields(RECORDER, RecorderStatus())) == set(known)


async def test_the_streams_hash_is_as_described(redis, redis_url, tmp_path):
    settings = StreamSettings(_env_file=None, redis_url=redis_url, schwab_token_path=tmp_path / "tokens" / "token.json")
    async with open_runtime(settings, SystemClock(), tell=lambda _: None) as runtime:
        streamer = Streamer(runtime, [parse_ticker("SPX")], rng=random.Random(1))
        await write_metrics(redis, keys.STREAM_METRICS, hash_fields(STREAM, streamer.facts()))
        fields = _text(await redis.hgetall(keys.STREAM_METRICS))
        _check("metrics", fields, "#/$defs/stream")
        assert set(hash_fields(STREAM, streamer.facts())) <= set(SCHEMAS["metrics"]["$defs"]["stream"]["properties"])
