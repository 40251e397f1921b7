"""What readers see of a bot that was sent away, died, or never came back."""

import asyncio
import json
import signal
import time
from functools import partial

import redis as sync_redis

from tests.e2e.conftest import Home
from tests.e2e.test_accounts import open_world, ready, until
from tests.support.redis_server import plain_redis


def put(client: sync_redis.Redis, **changes: object) -> None:
    """A snapshot as another program writes it."""
    now_ms = int(time.time() * 1000)
    made = {
        "ticker": "SPX", "timestamp": now_ms // 1000, "asof_ms": now_ms, "computed_ms": now_ms, "seq": 1,
        "source": "other", "spot": 6400.25, "zero_gamma": 6390.5, "major_pos_oi": 6500.0, "major_neg_oi": 6300.0,
        "sum_gex_vol": 1250.0, "sum_gex_oi": -310.5,
    }  # fmt: skip
    payload = json.dumps(made | changes)
    client.set("gex:snapshot:SPX", payload)
    client.publish("gex:snapshot:stream", payload)


async def test_a_bot_that_discord_sends_away_says_goodbye_while_it_can(home: Home, tmp_path):
    (folder := tmp_path / "redis-server").mkdir()
    with plain_redis(folder) as (url, _):
        async with open_world(home, url) as world:
            with sync_redis.Redis.from_url(url) as client:
                program = world.start(GEX_SOURCE="redis", GEX_FEED_AGE="true")
                await ready(program)
                put(client)
                await until(lambda: world.texts() and "6400.25" in world.texts()[-1], what=lambda: program.output)
                assert "-# updated <t:" in world.texts()[-1]
                world.sandbox.gateway.close_all(4014)
                assert await asyncio.to_thread(partial(program.finish, within_s=15)) == 77
                assert "feed stopped" in world.texts()[-1]
                assert "<t:" not in world.texts()[-1], "nothing grows under a message that nobody renews"
                assert "close code 4014" in program.output


async def test_a_message_that_a_killed_bot_left_live_does_not_look_alive_after_the_next_start(home: Home, tmp_path):
    (folder := tmp_path / "redis-server").mkdir()
    with plain_redis(folder) as (url, _):
        async with open_world(home, url) as world:
            with sync_redis.Redis.from_url(url) as client:
                program = world.start(GEX_SOURCE="redis")
                await ready(program)
                put(client)
                await until(lambda: world.texts() and "live" in world.texts()[-1], what=lambda: program.output)
                program.process.send_signal(signal.SIGKILL)
                await asyncio.to_thread(program.process.wait)
                client.delete("gex:snapshot:SPX", "gex:history:SPX")
                assert "live" in world.texts()[-1], "a killed process says nothing"
                second = world.start(GEX_SOURCE="redis")
                await until(lambda: "live" not in world.texts()[-1], within_s=12.0, what=lambda: second.output)
                assert len(world.texts()) == 1
