"""A bot of its own process with boards from different sources, and a source that refuses its key."""

import asyncio
import json
import time

import redis as sync_redis
from aiohttp import web

from tests.e2e.conftest import Home
from tests.e2e.test_accounts import open_world, until
from tests.support.http import Seen, open_http_server
from tests.support.source_rigs import GEXBOT_ANSWER, KEY


class Gexbot:
    """Answers with figures of now, or refuses."""

    def __init__(self) -> None:
        self.status = 200

    def answer(self, seen: Seen) -> web.Response:
        ticker = seen.path.split("/")[1]
        body = GEXBOT_ANSWER | {"ticker": ticker, "timestamp": int(time.time()), "zero_gamma": 6390.5}
        return web.Response(status=self.status, body=json.dumps(body).encode())


def shows(texts: list[str], *words: str) -> bool:
    return bool(texts) and all(word in texts[-1] for word in words)


async def test_each_board_shows_its_own_source_and_a_refused_key_is_told_once(
    home: Home, redis_url: str, redis: object
) -> None:
    gexbot = Gexbot()
    async with open_world(home, redis_url) as world, open_http_server(gexbot.answer) as http:
        with sync_redis.Redis.from_url(redis_url) as client:
            client.set("gexcord:stream:wanted", "1")
        spx, ndx = (world.sandbox.channel_ids[name] for name in ("gex-spx", "gex-ndx"))
        program = world.start(
            DISCORD_GEX_FEED_CHANNEL_IDS="",
            GEX_FEED_CHANNEL_MAP=f"NDX:{ndx},SPX:{spx}",
            GEX_SOURCE_MAP="SPX:gexbot",
            GEXBOT_API_URL=http.url,
            GEXBOT_API_KEY=KEY,
            GEXBOT_POLL_SECONDS="1",
            LOG_LEVEL="DEBUG",
        )
        await until(lambda: shows(world.texts(), "gexbot", "live"), what=lambda: (world.texts(), program.output))
        assert "6390.50" in world.texts()[-1]
        await until(
            lambda: shows(world.texts("gex-ndx"), "SIMULATED", "running"),
            what=lambda: world.texts("gex-ndx"),
        )
        gexbot.status = 401
        await until(lambda: world.letters(), what=lambda: program.output)
        await until(lambda: "stale" in world.texts()[-1] or "old" in world.texts()[-1], what=lambda: world.texts()[-1])
        assert "running" in world.texts("gex-ndx")[-1]
        (letter,) = world.letters()
        assert "GEXBot refuses us (HTTP 401)" in letter
        assert "GEXBOT_API_KEY" in letter
        assert await asyncio.to_thread(program.stop) == 0
        assert KEY not in program.output + "".join(world.texts()) + letter


async def test_a_missing_key_is_found_by_the_check_and_costs_only_that_sources_boards(
    home: Home, redis_url: str, redis: object
) -> None:
    async with open_world(home, redis_url) as world:
        checking = world.start("--check", GEX_SOURCE_MAP="QQQ:gexbot")
        assert await asyncio.to_thread(checking.process.wait, 30) == 78
        assert any("FAIL  source gexbot: GEXBOT_API_KEY is not set." in line for line in checking.lines)
        program = world.start(GEX_SOURCE_MAP="QQQ:gexbot")
        await until(lambda: world.letters(), what=lambda: program.output)
        assert "GEXBOT_API_KEY is not set." in world.letters()[0]
        assert await asyncio.to_thread(program.stop) == 0
