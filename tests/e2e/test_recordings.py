"""A session recorded by the bot, and played by another bot at night: processes, files and a local Discord."""

import asyncio
import gzip
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import redis as sync_redis

from streaming.bus import keys
from streaming.bus.codec import encode_snapshot
from streaming.bus.server.embedded import free_port
from streaming.recording.recording_files import parts_in
from tests.e2e.conftest import Home
from tests.e2e.test_accounts import open_world, until
from tests.e2e.test_demo import await_answer, order
from tests.e2e.test_process import page_state
from tests.support.feed import without_colours
from tests.support.recordings import record
from tests.support.snapshots import snapshot


def recorded(folder: Path) -> list[dict]:
    lines = [line for part in parts_in(folder) for line in gzip.decompress(part.path.read_bytes()).splitlines()]
    return [json.loads(line) for line in lines]


async def test_the_bot_records_what_is_published_and_says_so(home: Home, redis_url: str, redis: object):
    folder = home.path / ".recordings"
    async with open_world(home, redis_url) as world:
        program = world.start(GEX_SOURCE="redis", GEX_RECORD="true", GEX_RECORD_TICKS="true")
        with sync_redis.Redis.from_url(redis_url) as client:
            await until(
                lambda: client.hget(keys.RECORDER_METRICS, "state") == b"recording", what=lambda: program.output
            )
            await until(lambda: client.pubsub_numsub(keys.SNAPSHOT_STREAM)[0][1] >= 4, what=lambda: program.output)
            for seq in range(3):
                now = datetime.now(UTC)
                client.publish(
                    keys.SNAPSHOT_STREAM, encode_snapshot(snapshot(asof=now + timedelta(seconds=seq), seq=seq))
                )
            await until(lambda: client.hget(keys.RECORDER_METRICS, "snapshots") == b"3", what=lambda: program.output)
        await until(lambda: len(recorded(folder)) == 3, what=lambda: program.output)
        assert [line["snapshot"]["seq"] for line in recorded(folder)] == [0, 1, 2]
        journal = home.path / ".history" / "journal"
        await until(lambda: len(recorded(journal)) == 3, what=lambda: program.output)
        assert [line["snapshot"]["strikes"] for line in recorded(journal)] == [[], [], []]
        page = world.sandbox.page_url
        async with asyncio.timeout(20):
            while not (await asyncio.to_thread(page_state, page, "owner"))["commands"]:
                await asyncio.sleep(0.2)
        assert await asyncio.to_thread(order, page, "owner", "stream status") == 202
        answer = await asyncio.to_thread(await_answer, page, "owner", 0)
        assert "**Recorder: recording** · .recordings\n3 snapshots, 0 ticks, 0 gaps" in answer["content"]
        assert await asyncio.to_thread(program.stop) == 0
        assert "Traceback" not in program.output


async def test_a_bot_plays_a_recording_at_any_hour_and_calls_it_a_replay(home: Home, redis_url: str, redis: object):
    folder = record(home.path / "friday", seconds=120)
    async with open_world(home, redis_url) as world:
        program = world.start(
            GEX_SOURCE="replay", GEX_REPLAY_PATH=str(folder), GEX_REPLAY_SPEED="30", GEX_REPLAY_START="10:30"
        )
        played = re.compile(r"REPLAY 20 Nov 2026 x30 · 10:3[01]:\d\d")
        await until(
            lambda: world.texts() and played.search(without_colours(world.texts()[-1])), what=lambda: program.output
        )
        await until(lambda: "playing" in world.texts()[-1], what=lambda: world.texts()[-1])
        await until(
            lambda: "REPLAY 20 Nov 2026 paused · 10:31:54 NY" in without_colours(world.texts()[-1]),
            within_s=25.0,
            what=lambda: world.texts()[-1],
        )
        await until(lambda: len(world.texts()) == 1, what=lambda: str(world.texts()))
        assert await asyncio.to_thread(program.stop) == 0
        assert "feed stopped" in world.texts()[-1] and "REPLAY 20 Nov 2026" in without_colours(world.texts()[-1])
        assert "Traceback" not in program.output
        assert world.sandbox.traffic.violations == 0


async def test_a_replay_without_a_path_reaches_the_operators_in_their_own_way_too(
    home: Home, redis_url: str, redis: object
):
    rung, said, place = home.path / "rung", "GEX_REPLAY_PATH is not set.", f"127.0.0.1:{free_port()}"
    async with open_world(home, redis_url) as world:
        program = world.start(GEX_SOURCE="replay", ON_ALARM=f"cat >> {rung}", SCHWAB_CALLBACK_BIND=place)
        await until(lambda: any(said in letter for letter in world.letters()), what=lambda: program.output)
        await until(lambda: rung.exists() and said in rung.read_text(), what=lambda: program.output)
        await until(lambda: f"logins arrive at {place}" in program.output, what=lambda: program.output)
        assert await asyncio.to_thread(program.stop) == 0
