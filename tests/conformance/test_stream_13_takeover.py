"""One process streams; a standby takes over within five seconds of its death."""

import asyncio
from contextlib import asynccontextmanager

from streaming.bus import keys
from streaming.bus.redis_connection import open_redis
from streaming.clock import ShiftedClock, SystemClock
from streaming.sim.local_schwab import open_sim
from streaming.sim.world.market import Market
from tests.support.start_process import environment, start_command
from tests.support.stream_rig import FLOWING, START, write_token


@asynccontextmanager
async def _simulator(tmp_path):
    market = Market.generate(("SPX", "SPY"), start_at=START, seed=7)
    async with open_sim(
        market, ShiftedClock(START), client_id="id", client_secret="secret", limits=FLOWING, login_clock=SystemClock()
    ) as sim:
        token_path = tmp_path / "tokens" / "token.json"
        write_token(token_path, sim)
        yield sim, token_path


async def test_a_standby_streams_within_five_seconds_of_a_kill(tmp_path, redis, redis_url):
    async with _simulator(tmp_path) as (sim, token_path):
        env = environment(sim, token_path, redis_url)
        async with (
            start_command(tmp_path, env, "--symbols", "SPY,/ES") as first,
            start_command(tmp_path, env, "--symbols", "SPY,/ES") as second,
        ):
            await asyncio.wait(
                {asyncio.create_task(first.says("live")), asyncio.create_task(second.says("live"))},
                return_when=asyncio.FIRST_COMPLETED,
            )
            leader, standby = (first, second) if "Stream: live" in first.lines else (second, first)
            await standby.says("standby")
            assert sim.counters["logins"] == 1
            loop = asyncio.get_running_loop()
            killed_s = loop.time()
            leader.process.kill()
            await standby.says("live")
            took_s = loop.time() - killed_s
            assert took_s <= 5.0
            async with open_redis(redis_url) as client:
                before = await client.xlen(keys.TICKS_STREAM)
                async with asyncio.timeout(5):
                    while await client.xlen(keys.TICKS_STREAM) <= before:
                        await asyncio.sleep(0.02)
            standby.process.terminate()
            assert await asyncio.wait_for(standby.process.wait(), 8) == 0
            assert standby.lines[-1] == "Stopped."
            assert await redis.get(keys.STREAM_LEASE) is None
