"""The bot as it runs with accounts: settings from the environment, servers elsewhere, and trouble in between.

Discord and Schwab are the local stand-ins, in this process; the bot is a process of its own that knows only
their addresses.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis as sync_redis

from bot.sandbox.local_discord import Sandbox, open_sandbox
from bot.sandbox.world.permission_bits import Permission
from streaming.clock import SystemClock
from streaming.sim.local_schwab import SimServer, open_sim
from streaming.sim.world.market import Market
from tests.e2e.conftest import Home, Program
from tests.support.redis_server import plain_redis

READY = re.compile(r"connected to Discord as")
MISSING_CHANNEL = "123456789012345678"
CLASSIC = {"ticker": "SPX", "spot": 6400.25, "zero_gamma": 6390.5, "major_pos_oi": 6500, "major_neg_oi": 6300}


@dataclass
class World:
    home: Home
    sandbox: Sandbox
    sim: SimServer
    redis_url: str
    environment: dict[str, str]

    def start(self, *arguments: str, **more: str) -> Program:
        return self.home.bot(*arguments, **(self.environment | more))

    def texts(self, name: str = "gex-spx") -> list[str]:
        """Contents of the public messages of a channel, oldest first."""
        channel = self.sandbox.world.channels[self.sandbox.channel_ids[name]]
        return [post.content for post in channel.messages.values() if post.ephemeral_for is None]

    def letters(self) -> list[str]:
        """What operators were told by direct message."""
        channels = self.sandbox.world.channels.values()
        return [post.content for item in channels if item.recipient is not None for post in item.messages.values()]


@pytest.fixture
def redis_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "redis-server"
    folder.mkdir()
    return folder


@asynccontextmanager
async def open_world(home: Home, redis_url: str) -> AsyncIterator[World]:
    market = Market.generate(start_at=datetime.now(UTC), seed=3, always_open=True)
    async with (
        open_sim(market, SystemClock(), client_id="id", client_secret="secret") as sim,
        open_sandbox() as sandbox,
    ):
        token_path = home.path / "tokens" / "token.json"
        token_path.parent.mkdir(mode=0o700)
        token_path.write_text(json.dumps(sim.issue_token()))
        token_path.chmod(0o600)
        environment = {
            "DISCORD_BOT_TOKEN": sandbox.token,
            "DISCORD_API_URL": sandbox.api_url,
            "DISCORD_GATEWAY_URL": sandbox.gateway_url,
            "DISCORD_OPERATOR_IDS": str(sandbox.owner_id),
            "DISCORD_GEX_FEED_CHANNEL_IDS": str(sandbox.channel_ids["gex-spx"]),
            "GEX_FEED_SYMBOL": "SPX",
            "GEX_FEED_FORCE_WINDOW": "true",
            "GEX_CHAIN_DAYS": "5",
            "SCHWAB_CLIENT_ID": "id",
            "SCHWAB_CLIENT_SECRET": "secret",
            "SCHWAB_API_URL": sim.url,
            "SCHWAB_TOKEN_PATH": str(token_path),
            "REDIS_URL": redis_url,
        }
        try:
            yield World(home, sandbox, sim, redis_url, environment)
        finally:
            await asyncio.to_thread(home.close)


async def until(condition: Callable[[], object], *, within_s: float = 20.0, what: Callable[[], object] = str) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, what()
        await asyncio.sleep(0.05)


async def ready(program: Program) -> None:
    await asyncio.to_thread(program.wait_for, READY, within_s=20.0)


async def test_a_stream_goes_on_after_a_restart_and_the_message_is_adopted(home: Home, redis_folder: Path):
    with plain_redis(redis_folder) as (url, _):
        async with open_world(home, url) as world:
            with sync_redis.Redis.from_url(url) as client:
                client.set("gexcord:stream:wanted", "1")
            first = world.start()
            await until(lambda: world.texts() and "net gex" in world.texts()[-1], what=lambda: first.output)
            assert await asyncio.to_thread(first.stop) == 0
            (left,) = world.sandbox.world.channels[world.sandbox.channel_ids["gex-spx"]].messages.values()
            farewell = left.content
            second = world.start()
            await until(
                lambda: world.texts()[-1] != farewell and "running" in world.texts()[-1], what=lambda: second.output
            )
            posts = world.sandbox.world.channels[world.sandbox.channel_ids["gex-spx"]].messages.values()
            assert [post.id for post in posts] == [left.id]
            assert await asyncio.to_thread(second.stop) == 0
            assert world.sandbox.traffic.violations == 0


async def test_redis_that_is_restarted_in_the_middle_costs_no_figures_for_long(home: Home, redis_folder: Path):
    with plain_redis(redis_folder) as (url, process):
        port = int(url.split(":")[2].split("/")[0])
        async with open_world(home, url) as world:
            with sync_redis.Redis.from_url(url) as client:
                client.set("gexcord:stream:wanted", "1")
            program = world.start()
            await until(lambda: world.texts() and "running" in world.texts()[-1], what=lambda: program.output)
            process.kill()
            process.wait()
            await until(
                lambda: "stale" in world.texts()[-1] or "old" in world.texts()[-1], what=lambda: world.texts()[-1]
            )
            with plain_redis(redis_folder, port):
                await until(lambda: "running" in world.texts()[-1], within_s=60.0, what=lambda: program.output)
                assert len(world.texts()) == 1
                assert await asyncio.to_thread(program.stop) == 0
            assert "Traceback" not in program.output


async def test_missing_channels_and_lost_permissions_reach_the_operators_and_spare_the_others(
    home: Home, redis_url: str, redis: object
):
    async with open_world(home, redis_url) as world:
        spx, ndx = (world.sandbox.channel_ids[name] for name in ("gex-spx", "gex-ndx"))
        world.sandbox.world.deny(ndx, Permission.SEND_MESSAGES)
        program = world.start(DISCORD_GEX_FEED_CHANNEL_IDS=f"{MISSING_CHANNEL},{ndx},{spx}", GEX_SOURCE="redis")
        await ready(program)
        with sync_redis.Redis.from_url(redis_url) as client:

            def publish() -> bool:
                now = int(time.time())
                snapshot = json.dumps(
                    CLASSIC | {"timestamp": now, "sum_gex_vol": 1500 + now % 60, "sum_gex_oi": -912.3}
                )
                client.set("gex:snapshot:SPX", snapshot)
                client.publish("gex:snapshot:stream", snapshot)
                return bool(world.texts()) and "+1.5" in world.texts()[-1]

            await until(publish, what=lambda: program.output)
        assert "6390.50" in world.texts()[-1]
        assert "−0.912Bn" in world.texts()[-1]
        await until(lambda: len(world.letters()) >= 2, what=lambda: world.letters())
        letters = " ".join(world.letters())
        assert MISSING_CHANNEL in letters
        assert str(ndx) in letters
        assert len(world.letters()) == len(set(world.letters()))
        assert await asyncio.to_thread(program.stop) == 0


async def test_malformed_frames_are_counted_and_change_nothing_else(home: Home, redis_url: str, redis: object):
    async with open_world(home, redis_url) as world:
        with sync_redis.Redis.from_url(redis_url) as client:
            client.set("gexcord:stream:wanted", "1")
            program = world.start()
            await until(lambda: world.texts() and "running" in world.texts()[-1], what=lambda: program.output)
            for _ in range(3):
                assert await world.sim.send_raw() == 1
            await until(lambda: client.hget("metrics:schwab_stream", "bad_frames") == b"3")
            assert client.hget("metrics:schwab_stream", "reconnects") == b"0"
        assert "running" in world.texts()[-1]


async def test_the_check_knows_the_good_the_missing_and_the_forbidden_channel(home: Home, redis_url: str):
    async with open_world(home, redis_url) as world:
        spx, ndx = (world.sandbox.channel_ids[name] for name in ("gex-spx", "gex-ndx"))
        good = world.start("--check")
        assert await asyncio.to_thread(good.finish, within_s=60.0) == 0, good.output
        world.sandbox.world.deny(ndx, Permission.SEND_MESSAGES)
        bad = world.start("--check", DISCORD_GEX_FEED_CHANNEL_IDS=f"{spx},{ndx},{MISSING_CHANNEL}")
        assert await asyncio.to_thread(bad.finish, within_s=60.0) == 78, bad.output
        failed = [line for line in bad.lines if line.startswith("FAIL")]
        assert len(failed) == 2
        assert str(ndx) in failed[0] or "gex-ndx" in failed[0]
        assert MISSING_CHANNEL in failed[1]
        assert world.sandbox.token not in bad.output


async def test_a_refused_bot_token_is_said_in_one_sentence(home: Home, redis_url: str):
    async with open_world(home, redis_url) as world:
        program = world.start(DISCORD_BOT_TOKEN="wrong-token")
        assert await asyncio.to_thread(program.finish, within_s=60.0) == 77
        assert "DISCORD_BOT_TOKEN" in program.output
        assert "Traceback" not in program.output
        assert "wrong-token" not in program.output
