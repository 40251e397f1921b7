"""The programs from outside: what they print, how they end, what they leave untouched."""

import errno
import json
import os
import re
import signal
import socket
import stat
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import redis as sync_redis

from tests.data_builders.chains import RECIPES, made
from tests.data_builders.frames import FILES, as_file, equities
from tests.e2e.conftest import ENV_TEXT, REDIS, URL, Home, Program


def page_state(url: str, persona: str = "guest") -> dict:
    with urllib.request.urlopen(f"{url}api/page/state?as={persona}", timeout=5) as answer:
        return json.load(answer)


def board_texts(url: str) -> dict[str, str]:
    """Channel name to the text of its last message."""
    state = page_state(url)
    names = {channel["id"]: channel["name"] for channel in state["channels"] if not channel["direct"]}
    texts = {}
    for channel, posts in ((channel, posts) for channel, posts in state["messages"].items() if channel in names):
        if public := [post for post in posts if post["page"]["ephemeral_for"] is None]:
            texts[names[channel]] = public[-1]["content"]
    return texts


def events(url: str, *, seconds: float) -> Iterator[tuple[str, dict]]:
    """Server-sent events of the page for some seconds."""
    with urllib.request.urlopen(f"{url}api/page/events?as=guest", timeout=5) as stream:
        kind, deadline = "", time.monotonic() + seconds
        while time.monotonic() < deadline:
            line = stream.readline().decode().rstrip("\n")
            if line.startswith("event:"):
                kind = line.removeprefix("event:").strip()
            elif line.startswith("data:"):
                yield kind, json.loads(line.removeprefix("data:"))


def await_both_boards(url: str, *, within_s: float) -> dict[str, str]:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        texts = board_texts(url)
        if len(texts) == 2 and all("net gex" in text for text in texts.values()):
            return texts
        time.sleep(0.2)
    raise AssertionError(f"boards: {board_texts(url)}")


def is_listening(redis_url: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(redis_url.removeprefix("unix://")) == 0


def test_the_demo_shows_both_boards_and_edits_each_every_second(demo: tuple[Home, Program]):
    _, program = demo
    url = URL.search(program.output).group(1)
    texts = await_both_boards(url, within_s=20.0)
    assert set(texts) == {"gex-spx", "gex-ndx"}
    edits = [data["channel_id"] for kind, data in events(url, seconds=6.0) if kind == "message_update"]
    counts = sorted(edits.count(channel) for channel in set(edits))
    assert len(counts) == 2
    assert counts[0] >= 4


def test_the_running_bot_computes_draws_and_searches_nothing_itself(demo: tuple[Home, Program]):
    _, program = demo
    await_both_boards(URL.search(program.output).group(1), within_s=20.0)
    mapped = Path(f"/proc/{program.process.pid}/maps").read_text()
    assert "/msgspec/" in mapped
    assert [name for name in ("numpy", "matplotlib", "duckdb", "pandas") if f"/{name}/" in mapped] == []


def test_the_demo_announces_one_page_and_its_redis_to_which_others_attach(demo: tuple[Home, Program]):
    home, program = demo
    assert len(URL.findall(program.output)) == 1
    redis_url = REDIS.search(program.output).group(1)
    tail = home.streaming("tail", "market_data:ticks", "--count", "3", REDIS_URL=redis_url)
    assert tail.finish(within_s=20.0) == 0
    ticks = [json.loads(line) for line in tail.lines if line.startswith("{")]
    assert len(ticks) == 3
    assert all({"symbol", "timestamp", "last", "bid", "ask", "volume"} <= tick.keys() for tick in ticks)


def test_the_demo_tells_a_line_that_asks_it_for_levels(demo: tuple[Home, Program]):
    _, program = demo
    await_both_boards(URL.search(program.output).group(1), within_s=20.0)
    [line] = [line for line in program.lines if line.startswith("For other programs: ")]
    name, value, url = re.fullmatch(r'.*: curl -H "(\w+): ([^"]+)" (http\S+)', line).groups()
    with urllib.request.urlopen(urllib.request.Request(url, headers={name: value}), timeout=10) as answer:
        said = json.load(answer)
    assert (said["symbol"], said["origin"]) == ("SPX", "simulated")
    assert said["levels"]["call_wall"] > 0


def test_the_demos_redis_and_folder_are_closed_to_other_users(demo: tuple[Home, Program]):
    path = REDIS.search(demo[1].output).group(1).removeprefix("unix://")
    folder = Path(path).parent
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    assert {stat.S_IMODE(place.stat().st_mode) for place in (folder, folder.parent)} == {0o700}
    if os.geteuid() == 0:
        code = "import socket, sys; print(socket.socket(socket.AF_UNIX).connect_ex(sys.argv[1]))"
        nobody = {"user": 65534, "group": 65534, "extra_groups": ()}
        command = ["/usr/bin/env", "python3", "-W", "ignore", "-c", code, path]
        assert int(subprocess.run(command, cwd="/", capture_output=True, check=True, **nobody).stdout) == errno.EACCES


def test_a_shared_server_is_told_by_redis_url_and_by_nothing_else(home: Home):
    first = home.streaming("tail", "market_data:ticks", REDIS_SHARE="true")
    first.wait_for(re.compile(r"Redis: redis://\*\*\*@127\.0\.0\.1:\d+/0"), within_s=30.0)
    told = home.streaming("redis-url")
    assert told.finish(within_s=20.0) == 0
    (url,) = told.lines
    other = home.streaming("tail", "market_data:ticks", "--count", "1", REDIS_URL=url)
    other.wait_for(re.compile("Redis: "), within_s=20.0)
    with sync_redis.Redis.from_url(url) as client:
        deadline = time.monotonic() + 10.0
        while client.publish("market_data:ticks", "tick") < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert other.finish(within_s=20.0) == 0
    assert url.split("@")[0] not in first.output + other.output


def test_the_demo_keeps_its_telemetry_and_snapshots_in_redis(demo: tuple[Home, Program]):
    _, program = demo
    with sync_redis.Redis.from_url(REDIS.search(program.output).group(1)) as client:
        await_both_boards(URL.search(program.output).group(1), within_s=20.0)
        time.sleep(1.5)
        feed = client.hgetall("metrics:gex_feed")
        assert int(feed[b"edits"]) > 0
        assert json.loads(client.get("gex:snapshot:SPX"))["ticker"] == "SPX"
        assert client.hget("metrics:schwab_stream", "state") == b"live"


def test_secrets_stay_out_of_the_demos_output(demo: tuple[Home, Program]):
    assert "demo-app-secret" not in demo[1].output


def test_sigterm_ends_the_demo_cleanly_and_leaves_no_server(home: Home):
    program = home.bot("--demo")
    url = program.wait_for(URL, within_s=60.0).group(1)
    redis_url = REDIS.search(program.output).group(1)
    assert is_listening(redis_url)
    await_both_boards(url, within_s=20.0)
    began_s = time.monotonic()
    assert program.stop(signal.SIGTERM) == 0
    assert time.monotonic() - began_s < 10.0
    assert not is_listening(redis_url)
    assert "Traceback" not in program.output
    assert "was never retrieved" not in program.output
    ended = [program.output.index(f"job {name} stopped") for name in ("gex-feed", "call-share")]
    assert ended == sorted(ended), "boards say goodbye at a pace that is still ours"


def test_a_killed_demo_takes_its_redis_server_along(home: Home):
    program = home.bot("--demo")
    program.wait_for(URL, within_s=60.0)
    redis_url = REDIS.search(program.output).group(1)
    assert is_listening(redis_url)
    program.process.kill()
    deadline = time.monotonic() + 2.0
    while is_listening(redis_url) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_listening(redis_url)


def test_a_setting_that_prevents_a_start_is_one_sentence_and_a_status(home: Home):
    program = home.bot()
    assert program.finish(within_s=60.0) == 78
    assert "DISCORD_BOT_TOKEN is not set" in program.output
    assert "Traceback" not in program.output


def test_a_chain_that_is_none_is_refused_by_name(home: Home):
    (home.path / "notes.txt").write_text("not a chain")
    program = home.bot("--demo", "--chain", "notes.txt")
    assert program.finish(within_s=60.0) == 65
    assert "notes.txt" in program.output
    assert "Traceback" not in program.output


def test_frames_are_replayed_into_redis_and_seen_by_another_process(home: Home):
    frames = home.path / "frames.jsonl"
    frames.write_bytes(as_file(equities()))
    tail = home.streaming("tail", "market_data:ticks", "--count", "3")
    tail.wait_for(REDIS, within_s=20.0)
    time.sleep(0.5)
    replay = home.streaming("replay", str(frames), "--speed", "0")
    assert replay.finish(within_s=20.0) == 0, replay.output
    assert "3 frames" in replay.output
    assert tail.finish(within_s=20.0) == 0
    ticks = [json.loads(line) for line in tail.lines if line.startswith("{")]
    assert {tick["symbol"] for tick in ticks} <= {"QQQ", "SPY", "IWM"}
    assert all(tick["bid"] and tick["last"] for tick in ticks)


def test_the_levels_of_a_chain_are_printed_as_json(home: Home):
    chain = made("spx_intraday.csv").write(home.path / "chain.csv")
    program = home.streaming("gex", str(chain), "--json", "--scope", "zero")
    assert program.finish(within_s=60.0) == 0
    report = json.loads(program.output)
    assert report["ticker"] == "SPX"
    assert set(report["scopes"]) == {"zero"}
    assert 4200 < report["scopes"]["zero"]["oi"]["zero_gamma"] < 4400


def test_the_files_that_the_readme_offers_are_written_and_read(home: Home):
    made_up = home.start("-m", "tests.data_builders", "made")
    assert made_up.finish(within_s=60.0) == 0
    names = {path.name for path in (home.path / "made").iterdir()}
    assert {*RECIPES, *FILES, "spx_whole.csv"} == names
    program = home.streaming("gex", "made/spx_whole.csv")
    assert program.finish(within_s=60.0) == 0
    assert "SPX" in program.output


def test_a_file_that_is_missing_is_named(home: Home):
    program = home.streaming("gex", "nowhere.csv")
    assert program.finish(within_s=60.0) == 65
    assert "nowhere.csv" in program.output
    assert home.env_file.read_text() == ENV_TEXT
