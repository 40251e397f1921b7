"""Every command of README.md, CONTRIBUTING.md, specs/ and the other pages runs, or stands here with the reason."""

import argparse
import gzip
import importlib.util
import io
import re
import shlex
import shutil
import signal
import subprocess
import threading
import time
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import redis as sync_redis
import yaml
from msgspec.structs import replace

from bot import app
from bot.settings import BotSettings
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.commands import cli
from streaming.model import PointView
from streaming.settings import StreamSettings
from tests.data_builders.frames import as_file, equities
from tests.support.history import DAY, closed_days, path
from tests.support.page_commands import FENCE, PAGES, PROGRAMS, ROOT, commands, fenced, forms, plain
from tests.support.recordings import record
from tests.support.snapshots import snapshot

EVERY = commands()
OURS = ("python -m streaming", "python run_bot.py")
IN_A_SHELL = ("cp", "export", "mkdir", "touch", "zcat")
"""Run as they are, by bash, in the folder below."""

TESTED = {
    'curl -H "Authorization: Bearer $GEXCORD_TOKEN" "$GEXCORD/v1/levels/SPX"': "tests/specs/test_http_api.py",
    "python -m streaming redis-url": "tests/streaming/commands/test_cli.py",
    "python -m streaming serve": "tests/streaming/commands/test_serve.py",
    "python -m streaming start": "tests/streaming/commands/test_start.py",
    "python -m streaming start --dry-run": "tests/streaming/commands/test_start.py",
    "python -m streaming token doctor": "tests/streaming/commands/test_token.py",
    "python -m streaming token import FILE": "tests/streaming/commands/test_token.py",
    "python -m streaming token login": "tests/streaming/commands/test_token.py",
    "python -m tests.data_builders FOLDER": "tests/e2e/test_process.py",
    "python -m tests.fuzz.feed_storm": "tests/fuzz/test_feed_storm.py",
    "python -m tests.fuzz.stream_storm 1000": "tests/fuzz/test_stream_storm.py",
    "python -m tests.fuzz.stream_storm 250 10 SEED": "tests/fuzz/test_stream_storm.py",
    "python -m tests.fuzz.virtual_day": "tests/fuzz/test_virtual_day.py",
    "python -m tests.fuzz.login_storm 1 100": "tests/fuzz/test_login_storm.py",
    "python -m tests.fuzz.login_storm 1 1000": "tests/fuzz/test_login_storm.py",
    "python -m tests.fuzz.virtual_storm 1 100": "tests/fuzz/test_virtual_storm.py",
    "python -m tests.fuzz.virtual_storm 1 10000": "tests/fuzz/test_virtual_storm.py",
    "python -m tests.fuzz.feed_storm 1 10": "tests/fuzz/test_feed_storm.py",
    "python -m tests.fuzz.feed_storm SEED N": "tests/fuzz/test_feed_storm.py",
    "python -m tests.fuzz.paused_leader 12": "tests/fuzz/test_paused_leader.py",
    "python -m tests.fuzz.kill_any": "tests/fuzz/test_kill_any.py",
    "python -m tests.fuzz.soak": "tests/fuzz/test_soak.py",
    "python -m tests.fuzz.stream_frames": "tests/fuzz/test_stream_frames.py",
    "python run_bot.py init": "tests/bot/setup/test_init.py",
    "python run_bot.py backup FILE": "tests/e2e/test_moving.py",
    "python run_bot.py restore FILE FOLDER": "tests/e2e/test_moving.py",
    "python run_bot.py --demo": "tests/e2e/test_demo.py",
    "python run_bot.py --demo --chain FILE": "tests/e2e/test_demo.py",
}
"""What needs a world of its own: the test that has it, and runs it."""

NOT_RUN = {
    "python -m tests.fuzz.redis_failover": "takes minutes; tests/streaming/bus has failovers by themselves",
    "pip install": "asks the package index: .ci/run and .ci/install do it",
    "pipx install": "asks the package index: .ci/install does it",
    "uvx": "asks the package index: .ci/install does it",
    "python -m venv": "takes seconds; .ci/run and .ci/install do it",
    "pytest": "is what runs this",
    "ruff": ".ci/run runs it",
    "mypy": ".ci/run runs it",
    "lint-imports": ".ci/run runs it",
    "python -m tests.benchmarks": "measures for minutes, and alone on its machine",
    "python -m compileall": ".ci/image runs it",
    "python -m tests.pictures": "runs the demo for three minutes; tests/specs/test_pictures.py looks at what it made",
    "docker": "needs an engine",
    "eval": "changes the shell it is typed in; tests/test_package.py asks for the same completion",
    "curl -i": "goes with an address that a login prints",
    "kill -9": "is what befalls a process, not what a reader types",
}
"""What no suite can run, by how it begins, and why. It is parsed all the same."""

MADE = {"FILE.gz": "spy.csv.gz", "FILE": "spy.csv", "MESSAGE": "invalid_client", "PORT": "8080"}
"""What a reader puts in the place of a word in capitals."""
STOPPED_AT = {"record": "Recording into", "replay": "Playing", "sim": "Faults and facts", "tail": "SPY"}
"""What runs until it is interrupted, and the words after which it is."""
INTERRUPTED, WITHOUT_SETTINGS = 130, 78
ENDS_WITH = {
    "python -m streaming sim": INTERRUPTED,
    "python -m streaming sim --chain FILE": INTERRUPTED,
    "python -m streaming tail market_data:ticks": INTERRUPTED,
    "python run_bot.py": WITHOUT_SETTINGS,
    "python run_bot.py --check": WITHOUT_SETTINGS,
}
"""Everything else ends with 0."""
NAMED_ONLY = ("gex", "replay")
"""Commands that a sentence names without what they need: their help is asked for."""

FOREIGN_OPTIONS = {"--enable-optimizations"}
"""Of other programs: CPython's build."""
LANGUAGES = {"", "bash", "csv", "js", "json", "python", "sh"}


def not_run(text):
    return next((begin for begin in NOT_RUN if text == begin or text.startswith((f"{begin} ", f"{begin}."))), None)


RUN_HERE = [one.text for one in EVERY if one.text not in TESTED and not not_run(one.text)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the pages speak of: chains, frames, recordings and a history, all made up."""
    place = tmp_path_factory.mktemp("reader")
    chain = next(text for page in PAGES if page.name == "chain-files.md" for text in fenced(page, "csv"))
    (place / "spy.csv").write_text(chain)
    (place / "spy.csv.gz").write_bytes(gzip.compress(chain.encode()))
    (place / "frames.jsonl").write_bytes(as_file(equities()[:1]))
    shutil.copy(ROOT / ".env.back", place)
    record(place / ".recordings", gap_after=3)
    closed_days(place, {DAY: path(("09:30", 6400.0), ("16:00", 6455.0), step_s=600)}).root.rename(place / ".history")
    return place


@pytest.fixture
def reader(folder, redis_url, monkeypatch):
    """Somebody in that folder, with a Redis and no other setting."""
    for name in {**BotSettings.model_fields, **StreamSettings.model_fields}:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.chdir(folder)
    yield folder
    (folder / ".env").unlink(missing_ok=True)


@contextmanager
def ticks_of_spy(redis_url):
    """Somebody publishes them again and again: whoever begins to listen hears one."""
    over = threading.Event()

    def publish():
        with sync_redis.Redis.from_url(redis_url) as producer:
            while not over.wait(0.005):
                producer.publish("market_data:ticks", '{"symbol": "SPY"}')

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Terminal(io.StringIO):
    """Presses Ctrl+C once it reads certain words."""

    def __init__(self, words):
        super().__init__()
        self.words = words

    def write(self, text):
        if self.words and self.words in text:
            self.words = None
            signal.raise_signal(signal.SIGINT)
        return super().write(text)


def filled(text):
    """As a reader types it."""
    return re.sub(r"\b(?:FILE\.gz|[A-Z]+)\b", lambda found: MADE.get(found[0], found[0]), text)


def run(text):
    """A command of ours by its own entry point; its exit status and what it said."""
    typed, _, target = filled(text).partition(" > ")
    words = shlex.split(typed)
    if words[1] == "-m":
        program, arguments = cli.main, words[3:]
        arguments += ["--help"] if arguments[-1:] and arguments[-1] in NAMED_ONLY else []
    else:
        program, arguments = app.main, words[2:]
    told = Terminal(STOPPED_AT.get(arguments[0]) if arguments else None)
    with redirect_stderr(told), redirect_stdout(told):
        try:
            status = program(arguments or ["--help"] if program is cli.main else arguments)
        except SystemExit as ended:
            status = ended.code
    if target:
        Path(target).write_text(told.getvalue())
    return status, told.getvalue()


@pytest.fixture
async def published(redis):
    """A snapshot as the stream would have left it, with the index's ETF quoted beside it."""
    await SnapshotStore(redis).put(replace(snapshot(), views={"etf": PointView(symbol="SPY", ratio=0.1, ratio_ms=1)}))


@pytest.mark.parametrize("text", [text for text in RUN_HERE if text.startswith(OURS)])
def test_a_command_of_ours_runs_and_ends_as_it_should(text, reader, published, redis_url):
    with ticks_of_spy(redis_url) if " tail " in text else nullcontext():
        status, told = run(text)
    assert (status, told) == (ENDS_WITH.get(text, 0), told)


@pytest.mark.parametrize("text", [text for text in RUN_HERE if text.startswith(IN_A_SHELL)])
def test_a_line_for_a_shell_runs_in_one(text, reader):
    if "jq " in text and shutil.which("jq") is None:
        text = text.partition(" | ")[0]
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", filled(text)], capture_output=True, timeout=20, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout or not text.startswith("zcat")


def test_every_command_is_run_here_or_named_in_a_table_and_no_table_names_another():
    texts = {one.text for one in EVERY}
    assert {one for one in RUN_HERE if not one.startswith((*OURS, *IN_A_SHELL))} == set()
    assert set(TESTED) | set(ENDS_WITH) <= texts
    assert set(NOT_RUN) == {not_run(text) for text in texts} - {None}


@pytest.mark.parametrize("text", TESTED)
def test_the_test_that_runs_a_command_has_each_of_its_words(text):
    test = (ROOT / TESTED[text]).read_text()
    words = [word for word in shlex.split(text)[2:] if word.islower() and word != "streaming"]
    assert [word for word in words if word.rpartition(".")[2] not in test.lower()] == []


@pytest.mark.parametrize("text", [one.text for one in EVERY if not_run(one.text)])
def test_a_command_that_no_suite_can_run_is_well_formed_and_what_it_names_is_there(text):
    assert subprocess.run(["bash", "-n", "-c", text], timeout=10, check=False).returncode == 0
    words = shlex.split(text)
    if "-r" in words:
        assert (ROOT / words[-1]).is_file()
    if words[2:3] and words[2].startswith("tests.benchmarks."):
        source = importlib.util.find_spec(words[2]).loader.get_source(words[2])
        assert "__main__" in source
        assert [word for word in words if word.startswith("--") and f'"{word}"' not in source] == []
    if words[:2] == ["docker", "compose"] and len(words) > 3 and not words[3].startswith("-"):
        assert words[3] in yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    if "streaming" in words:
        assert cli._parser("x").parse_args(words[words.index("streaming") + 1 :])
    if words[0] in {"mypy", "ruff", "lint-imports", "pytest"}:
        assert re.search(rf"bin/{words[0]}\b", (ROOT / ".ci" / "run").read_text())


def of_parser(parser, words=()):
    """Every command of a parser with its options."""
    yield " ".join(words), {option for action in parser._actions for option in action.option_strings}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield from of_parser(child, (*words, name))


OFFERED = dict(of_parser(cli._parser("x")))
"""Commands of the streamer, such as `history export`, and the options of each."""


@pytest.mark.parametrize("text", forms())
def test_a_form_shows_options_that_its_command_has(text):
    assert text.startswith("python -m") or set(re.findall(r"--[a-z][a-z-]*", text)) <= set(
        app._parser()._option_string_actions
    )
    words = [word for word in text.split()[3:] if word.islower() and word.isalpha()]
    if text.startswith("python -m streaming"):
        assert set(re.findall(r"--[a-z][a-z-]*", text)) <= OFFERED[" ".join(words)]


def test_every_command_that_a_sentence_shortens_is_offered():
    heads = {name.partition(" ")[0] for name in OFFERED if name}
    shown = {span for page in PAGES for span in re.findall(r"`([^`\n]+)`", FENCE.sub("", page.read_text()))}
    short = [span.split() for span in shown if span.split()[1:] and span.split()[0] in heads]
    named = {
        " ".join(word for word in words if re.fullmatch(r"[a-z-]+[a-z]", word) and word[0] != "-") for words in short
    }
    assert len(named) > 8
    assert named - set(OFFERED) == set()


def test_every_option_that_a_page_names_is_one_of_ours():
    sources = [path.read_text() for top in ("tests/benchmarks", "tests/fuzz") for path in (ROOT / top).glob("*.py")]
    ours = set().union(
        *dict(of_parser(app._parser())).values(),
        *OFFERED.values(),
        *(re.findall(r'"(--[a-z-]+)"', text) for text in sources),
    )
    named = {name for page in PAGES for name in re.findall(r"`(--[a-z][a-z-]+)", FENCE.sub("", page.read_text()))}
    assert len(named) > 20
    assert named - ours - FOREIGN_OPTIONS == set()


def test_the_table_of_the_shell_lists_every_command_and_no_other():
    rows = re.findall(
        r"^\| `([a-z][a-z-]+)(?: [A-Z]+)?` \|", (ROOT / "specs" / "shell.md").read_text(), flags=re.MULTILINE
    )
    assert sorted(rows) == sorted({name.partition(" ")[0] for name in OFFERED if name})


def test_every_block_says_its_language_and_one_without_holds_no_command():
    assert {language for page in PAGES for language, _ in FENCE.findall(page.read_text())} <= LANGUAGES
    bare = [line for page in PAGES for text in fenced(page, "") for line in text.splitlines() if line.strip()]
    shown = {line for line in bare if plain(line.split()[0]) in PROGRAMS}
    assert [line for line in shown if line not in forms()] == []


@pytest.mark.parametrize(("page", "code"), [(page.name, code) for page in PAGES for code in fenced(page, "python")])
def test_every_block_of_python_is_python(page, code):
    compile(code, page, "exec")


class EventArrivedError(Exception):
    """A consumer has had its event."""


def worked(event):
    raise EventArrivedError(event["symbol"])


def test_the_consumers_of_the_contract_read_what_is_published(redis_url):
    live, resuming, newest = fenced(ROOT / "specs" / "redis-contract.md", "python")
    names = {"url": redis_url, "work": worked}
    consumer = threading.Thread(target=exec, args=(live, names), daemon=True)
    with ticks_of_spy(redis_url):
        consumer.start()
        while "event" not in names and consumer.is_alive():
            time.sleep(0.005)
        names["pubsub"].unsubscribe()
        consumer.join(10)
    assert names["event"] == {"symbol": "SPY"}
    with sync_redis.Redis.from_url(redis_url) as producer:
        producer.delete("market_data:ticks:stream")
        producer.xadd("market_data:ticks:stream", {"data": '{"symbol": "QQQ"}'})
        with pytest.raises(EventArrivedError, match="QQQ"):
            exec(resuming, names)
        producer.set("gex:snapshot:SPX", '{"ticker": "SPX"}')
        exec(newest, names)
        assert names["latest"] == {"ticker": "SPX"}
    names["pubsub"].close()
    names["client"].close()


def test_links_to_other_places_are_whole_addresses():
    links = [link for page in PAGES for link in re.findall(r"\]\((\w+:[^)\s]*)\)", page.read_text())]
    assert len(links) > 5
    assert [link for link in links if not re.fullmatch(r"https://[\w.-]+\.\w+(/[^\s)]*)?", link)] == []
