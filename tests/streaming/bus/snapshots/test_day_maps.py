"""Maps in a real Redis."""

import base64
import json
from pathlib import Path

import jsonschema
import pytest

from streaming.bus import keys
from streaming.bus.redis_connection import make_client
from streaming.bus.snapshots.day_maps import DayMapStore
from streaming.errors import ContractError, TransientError
from tests.support.day_maps import made_map

SCHEMA = json.loads((Path(__file__).parents[4] / "specs" / "schemas" / "map.json").read_text())


async def test_the_newest_map_of_a_ticker_is_kept_for_a_day(redis):
    store = DayMapStore(redis)
    assert await store.get("NQ_NDX") is None
    await store.put(made_map())
    await store.put(made_map(spot=25070.0))
    assert (await store.get("NQ_NDX")).spot == 25070.0
    assert await store.get("SPX") is None
    assert 86_000 < await redis.ttl(keys.day_map("NQ_NDX")) <= 86_400


async def test_what_is_no_map_is_refused(redis):
    await redis.set(keys.day_map("SPX"), b"{}")
    with pytest.raises(ContractError, match="map"):
        await DayMapStore(redis).get("SPX")


async def test_a_redis_that_is_away_is_trouble_that_passes():
    store = DayMapStore(make_client("redis://127.0.0.1:1/0"))
    with pytest.raises(TransientError, match="while reading the map of SPX"):
        await store.get("SPX")
    with pytest.raises(TransientError, match="while storing the map of NQ_NDX"):
        await store.put(made_map())


async def test_what_is_stored_is_what_the_schema_says(redis):
    await DayMapStore(redis).put(made_map())
    stored = json.loads(await redis.get(keys.day_map("NQ_NDX")))
    jsonschema.validate(stored, SCHEMA, cls=jsonschema.Draft202012Validator)
    cells = len(stored["prices"]) * len(stored["times_ms"])
    assert {len(base64.b64decode(field)) for part in stored["parts"] for field in part.values()} == {4 * cells}
