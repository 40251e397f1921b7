"""A bot that moves: backed up on one machine, restored into an empty folder, and going on with the same message."""

import asyncio
import json
import time
from pathlib import Path

import redis as sync_redis

from bot.alerts.rule_store import AlertStore
from streaming.bus.redis_connection import open_redis
from tests.e2e.conftest import ENV_TEXT, REDIS, Home, Program
from tests.e2e.test_accounts import CLASSIC, World, open_world, until
from tests.support.alerts import rule


async def shows(world: World, program: Program, spot: float) -> None:
    """Publish a spot until the live message has it."""
    url = (await asyncio.to_thread(program.wait_for, REDIS, within_s=30.0)).group(1)
    with sync_redis.Redis.from_url(url) as client:

        def publish() -> bool:
            snapshot = json.dumps(CLASSIC | {"timestamp": int(time.time()), "spot": spot, "sum_gex_oi": 5.0})
            client.set("gex:snapshot:SPX", snapshot)
            client.publish("gex:snapshot:stream", snapshot)
            return bool(world.texts()) and f"{spot:.2f}" in world.texts()[-1]

        await until(publish, what=lambda: program.output)


async def ended(program: Program) -> None:
    assert await asyncio.to_thread(program.finish, within_s=60.0) == 0, program.output


async def test_a_second_bot_goes_on_with_the_restored_message_and_alerts(home: Home, tmp_path: Path):
    (tmp_path / "passphrase").write_text("correct horse battery")
    (tmp_path / "second").mkdir()
    second = Home(tmp_path / "second")
    of_backup = (str(tmp_path / "bot.backup"), "--passphrase-file", str(tmp_path / "passphrase"))
    async with open_world(home, "") as world:
        first = world.start(GEX_SOURCE="redis")
        await shows(world, first, 6401.25)
        async with open_redis(REDIS.search(first.output).group(1)) as redis:
            kept = await AlertStore(redis).add(rule(), most=9)
        assert await asyncio.to_thread(first.stop) == 0
        (left,) = world.sandbox.world.channels[world.sandbox.channel_ids["gex-spx"]].messages
        await ended(world.start("backup", *of_backup, GEX_SOURCE="redis"))
        second.env_file.unlink()
        try:
            await ended(second.bot("restore", *of_backup))
            (second.path / ".env.new").rename(second.env_file)
            again = second.bot()
            await shows(world, again, 6402.75)
            async with open_redis(REDIS.search(again.output).group(1)) as redis:
                assert (await AlertStore(redis).load()).rules == {kept.number: kept}
            assert await asyncio.to_thread(again.stop) == 0
        finally:
            second.close()
        assert list(world.sandbox.world.channels[world.sandbox.channel_ids["gex-spx"]].messages) == [left]
        assert second.env_file.read_text().startswith(ENV_TEXT)
