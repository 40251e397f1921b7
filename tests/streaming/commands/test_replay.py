import asyncio
import gzip
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import date, time
from pathlib import Path

import pytest
import redis as sync_redis

from streaming.bus import keys
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import SystemClock
from streaming.commands.cli import main
from streaming.commands.replay import ReplayOrder, replay
from streaming.errors import RequestError
from streaming.replay.recorded import TapeChoice
from streaming.settings import StreamSettings
from tests.data_builders.frames import as_file, equities
from tests.support.recordings import DAY, record
from tests.support.snapshots import snapshot

ROOT = Path(__file__).resolve().parents[3]


async def play(redis_url, **order):
    said = []
    settings = StreamSettings(_env_file=None, redis_url=redis_url)
    await replay(settings, ReplayOrder(**({"speed": 0.0} | order)), say=said.append)
    return said


async def test_a_folder_is_played_and_summed_up(redis, redis_url, tmp_path):
    said = await play(redis_url, paths=[record(tmp_path, gap_after=3)])
    assert said[-1] == f"Played 20 snapshots and 10 ticks of {DAY}, 1 gaps."
    latest = await SnapshotStore(redis).latest("NDX")
    assert (latest.source, latest.replay.of, latest.spot) == ("replay", "test", 6409.0)
    ticks = [json.loads(fields[b"data"]) for _, fields in await redis.xrange(keys.TICKS_STREAM)]
    assert [tick["seq"] for tick in ticks] == list(range(10))
    assert {tick["source"] for tick in ticks} == {"replay"}


async def test_one_file_a_day_a_start_and_tickers_can_be_chosen(redis, redis_url, tmp_path):
    record(tmp_path)
    (ticks,) = tmp_path.glob("ticks-*")
    assert (await play(redis_url, paths=[ticks]))[-1].startswith("Played 0 snapshots and 10 ticks")
    choice = TapeChoice(start=time(10, 30, 3), tickers={"SPX"})
    said = await play(redis_url, paths=[tmp_path], day=date(2026, 11, 20), choice=choice)
    assert said[-1].startswith("Played 2 snapshots")
    with pytest.raises(RequestError, match="no recording of 2026-11-19"):
        await play(redis_url, paths=[tmp_path], day=date(2026, 11, 19))


async def test_a_stream_of_redis_is_played(redis, redis_url):
    store = SnapshotStore(redis)
    await store.put(snapshot())
    said = await play(redis_url, stream="gex:history:SPX")
    assert said[-1] == "Played 1 snapshots and 0 ticks of gex:history:SPX."
    assert (await store.latest("SPX")).source == "replay"
    assert await redis.xlen(keys.history("SPX")) == 1, "it does not feed what it reads"


async def test_frames_are_played_as_ever(redis, redis_url, tmp_path):
    frames = tmp_path / "frames.jsonl"
    frames.write_bytes(as_file(equities()))
    assert (await play(redis_url, paths=[frames]))[-1] == "3 frames, 9 events, 0 malformed lines"
    with pytest.raises(RequestError, match="as a whole, once"):
        await play(redis_url, paths=[frames], loop=True)


async def test_frames_and_recordings_are_not_mixed(redis, redis_url, tmp_path):
    (tmp_path / "frames.jsonl").write_bytes(b"{}\n")
    with pytest.raises(RequestError, match="some are not"):
        await play(redis_url, paths=[tmp_path / "frames.jsonl", record(tmp_path / "out")])


async def test_live_data_in_the_same_redis_is_not_overwritten_without_force(redis, redis_url, tmp_path, monkeypatch):
    monkeypatch.setattr("streaming.replay.guard.FRESH_S", 0.5)
    record(tmp_path)

    async def produce():
        while True:
            await SnapshotStore(redis).put(snapshot("NDX", asof=SystemClock().now()))
            await asyncio.sleep(0.05)

    producing = asyncio.create_task(produce())
    await until_there(redis)
    with pytest.raises(RequestError, match="live snapshots of NDX") as caught:
        await play(redis_url, paths=[tmp_path])
    assert "--force" in caught.value.remedy
    assert (await SnapshotStore(redis).latest("NDX")).source == "test"
    producing.cancel()
    await play(redis_url, paths=[tmp_path], force=True)
    assert (await SnapshotStore(redis).latest("NDX")).source == "replay"


async def until_there(redis):
    async with asyncio.timeout(5):
        while await redis.exists(keys.snapshot("NDX")) == 0:
            await asyncio.sleep(0.01)


async def test_what_a_stopped_stream_left_is_waited_for_and_the_shell_says_how_long(
    redis, redis_url, tmp_path, monkeypatch
):
    monkeypatch.setattr("streaming.replay.guard.FRESH_S", 1.0)
    record(tmp_path)
    await SnapshotStore(redis).put(snapshot("NDX", asof=SystemClock().now()))
    said = await play(redis_url, paths=[tmp_path])
    assert any("The replay begins in 1 s unless another one comes." in line for line in said)
    assert (await SnapshotStore(redis).latest("NDX")).source == "replay"


async def test_a_producer_that_publishes_now_and_then_ends_a_replay_that_runs(redis, redis_url, tmp_path, monkeypatch):
    monkeypatch.setattr("streaming.replay.player._GUARD_EVERY_S", 0.1)
    task = asyncio.create_task(play(redis_url, paths=[record(tmp_path)], speed=1.0))
    async with asyncio.timeout(5):
        while await redis.exists(keys.snapshot("NDX")) == 0:
            await asyncio.sleep(0.01)
    await redis.publish(keys.SNAPSHOT_STREAM, b'{"ticker": "SPX", "spot": 6400, "net_gex": 5}')
    async with asyncio.timeout(5):
        with pytest.raises(RequestError, match="redis publishes live snapshots of SPX"):
            await task


async def test_a_running_stream_is_in_the_way_of_frames_too(redis, redis_url, tmp_path):
    await redis.set(keys.STREAM_LEASE, "host:7")
    (tmp_path / "frames.jsonl").write_bytes(b"{}\n")
    with pytest.raises(RequestError, match="host:7 streams live data"):
        await play(redis_url, paths=[tmp_path / "frames.jsonl"])


@pytest.fixture
def cli(redis_url, tmp_path, monkeypatch):
    """The command line in an empty folder, on an empty Redis."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REDIS_URL", redis_url)
    with sync_redis.Redis.from_url(redis_url) as client:
        client.flushall()
    return main


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["replay"], 65, "needs either files or --stream"),
        (["replay", "x", "--stream", "y"], 65, "needs either files or --stream"),
        (["replay", "none.jsonl"], 65, "none.jsonl cannot be read"),
        (["replay", "x", "--tickers", "!"], 65, "not a ticker"),
    ],
)
def test_what_cannot_be_played_ends_with_a_sentence(cli, words, status, sentence, capsys):
    assert cli(words) == status
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["--speed", "-1"], ["--speed", "9999"], ["--speed", "fast"], ["--start", "25:00"], ["--day", "today"]]
)
def test_impossible_options_are_refused_by_the_parser(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["replay", "x", *words])
    assert caught.value.code == 2
    assert f"{words[0]}: must be" in capsys.readouterr().err


@contextmanager
def process(redis_url, *words):
    """`python -m streaming replay` in a process of its own."""
    child = subprocess.Popen(
        [sys.executable, "-m", "streaming", "replay", *words],
        cwd=ROOT,
        env={"REDIS_URL": redis_url, "PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


async def test_a_second_process_plays_a_file_and_is_paused_and_ended_by_signals(redis, redis_url, tmp_path):
    record(tmp_path, seconds=600)
    store = SnapshotStore(redis)
    with process(redis_url, str(tmp_path), "--speed", "20", "--loop") as child:
        async with asyncio.timeout(20):
            while (latest := await store.latest("SPX")) is None or latest.spot < 6410:
                await asyncio.sleep(0.05)
        assert (latest.replay.speed, latest.replay.rules) == (20, True)  # its hours rule a forced window
        child.send_signal(signal.SIGUSR1)
        async with asyncio.timeout(5):
            while (latest := await store.latest("SPX")).replay.speed:
                await asyncio.sleep(0.05)
        await asyncio.sleep(1.2)
        later = await store.latest("SPX")
        assert (later.asof_ms, later.replay.speed) == (latest.asof_ms, 0)
        assert later.replay.sent_ms > latest.replay.sent_ms
        child.send_signal(signal.SIGUSR1)
        async with asyncio.timeout(5):
            while (await store.latest("SPX")).asof_ms == latest.asof_ms:
                await asyncio.sleep(0.05)
        child.send_signal(signal.SIGTERM)
        said = child.communicate(timeout=10)[1].decode()
    assert child.returncode == 0
    assert "kill -USR1" in said
    assert f"ticks of {DAY}" in said.splitlines()[-1]


async def test_two_replays_do_not_play_into_one_redis(redis, redis_url, tmp_path):
    record(tmp_path)
    await redis.set(keys.REPLAY_LEASE, "host:9")
    with process(redis_url, str(tmp_path)) as child:
        said = (await asyncio.to_thread(child.communicate, timeout=15))[1].decode()
    assert child.returncode == 70
    assert "host:9 holds gexcord:lease:replay" in said


def test_a_recording_can_be_read_without_us(tmp_path):
    record(tmp_path)
    (path,) = tmp_path.glob("snapshots-*")
    lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert [line["snapshot"]["spot"] for line in lines[::2]] == [6400.0 + n for n in range(10)]
