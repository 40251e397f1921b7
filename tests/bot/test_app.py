"""Flags, and what an error means to whoever started the program."""

import logging
import re
import subprocess
import sys

import pytest

from bot import app
from bot.settings import BotSettings
from streaming.errors import ConfigurationError, GexcordError, RequestError
from streaming.settings import StreamSettings

NEVER = "redis://127.0.0.1:1/0"
NOT_NEEDED = {
    "rich", "pygments", "click",  # of httpx's shell command
    "holidays", "dateutil", "certifi", "cryptography.fernet", "tqdm", "segno", "prometheus_client",
    "aiohttp.web", "html", "streaming.replay.player", "difflib",
    "unittest", "multiprocessing", "xml", "pydantic.v1", "pydantic.mypy",
}  # fmt: skip


@pytest.fixture
def settings(monkeypatch, tmp_path):
    """Sets some; the others are as in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in {**BotSettings.model_fields, **StreamSettings.model_fields}:
        monkeypatch.delenv(name.upper(), raising=False)

    def let(**values):
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return let


def ending_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    async def run(_arguments: object) -> int:
        raise error

    monkeypatch.setattr(app, "_run", run)
    return app.main([])


def test_every_wrong_setting_is_a_line_of_its_own_and_the_remedy_comes_last(monkeypatch, capsys):
    status = ending_with(monkeypatch, ConfigurationError("A is wrong.", "B is wrong.", remedy="Correct .env."))
    assert status == 78
    assert capsys.readouterr().err.splitlines() == ["A is wrong.", "B is wrong.", "Correct .env."]


def test_an_error_inside_a_group_counts_as_itself(monkeypatch, capsys):
    group = ExceptionGroup("jobs", [ExceptionGroup("inner", [RequestError("There is no such file.")])])
    assert ending_with(monkeypatch, group) == 65
    assert capsys.readouterr().err == "There is no such file.\n"


def test_a_bug_is_logged_with_its_traceback_and_ends_with_its_own_status(monkeypatch, caplog):
    with caplog.at_level(logging.CRITICAL):
        assert ending_with(monkeypatch, ZeroDivisionError("oops")) == GexcordError.exit_status == 70
    assert "ZeroDivisionError" in caplog.text


def test_an_interrupt_has_the_shells_status(monkeypatch):
    assert ending_with(monkeypatch, KeyboardInterrupt()) == 130


@pytest.mark.parametrize(
    ("environment", "status", "sentence"),
    [
        ({"DISCORD_BOT_TOKEN": "x", "GEX_FEED_UPDATE_SECONDS": "soon"}, 78, "GEX_FEED_UPDATE_SECONDS is not valid"),
        ({"DISCORD_BOT_TOKEN": "x", "GEX_FEED_SYMBOL": "s p x"}, 78, "GEX_FEED_SYMBOL is not valid"),
        ({"DISCORD_BOT_TOKEN": "x", "REDIS_URL": NEVER}, 69, "does not answer"),
    ],
)
def test_what_prevents_a_start_is_one_sentence_and_a_status(settings, capsys, environment, status, sentence):
    settings(**environment)
    assert app.main([]) == status
    said = capsys.readouterr()
    assert sentence in said.err
    assert "Traceback" not in said.out + said.err


def test_every_wrong_setting_gets_its_own_line_and_no_secret_is_echoed(settings, capsys):
    settings(DISCORD_OPERATOR_IDS="hunter2", GEX_SOURCE="hunter2", REDIS_URL="hunter2")
    assert app.main([]) == 78
    said = capsys.readouterr()
    names = [line.partition(" ")[0] for line in said.err.splitlines()[:3]]
    assert names == ["REDIS_URL", "GEX_SOURCE", "DISCORD_OPERATOR_IDS"]
    assert "hunter2" not in said.out + said.err


def test_the_check_prints_a_line_per_subject(settings, redis_url, capsys):
    settings(REDIS_URL=redis_url)
    assert app.main(["--check"]) in {0, 69, 77, 78}
    subjects = re.findall(r"^(?:ok|warn|FAIL)\s+([\w /]+):", capsys.readouterr().out, re.MULTILINE)
    assert {"settings", "redis"} <= {subject.lower() for subject in subjects}


def test_unknown_flags_are_refused_by_the_parser():
    with pytest.raises(SystemExit) as caught:
        app.main(["--nonsense"])
    assert caught.value.code == 2


@pytest.mark.parametrize("flags", [["--seed", "1"], ["--port", "0"], ["--chain", "x.json"], ["--check", "--seed", "2"]])
def test_what_shapes_the_demo_is_refused_without_it(flags, capsys):
    with pytest.raises(SystemExit) as caught:
        app.main(flags)
    assert caught.value.code == 2
    assert "only with --demo" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_a_port_that_cannot_be_one_is_refused(port, capsys):
    with pytest.raises(SystemExit) as caught:
        app.main(["--demo", "--port", port])
    assert caught.value.code == 2
    assert "from 0 to 65535" in capsys.readouterr().err


@pytest.fixture(scope="module")
def imported():
    """What the bot with all its commands has imported, and what aiohttp's own contexts verify by."""
    script = (
        "import importlib, ssl, sys\n"
        "from bot.serve import _import_host\n"
        "from streaming.process.certificates import trusted\n"
        "_import_host()\n"
        "from bot.client import EXTENSIONS\n"
        "for name in ('run_bot', 'bot.app', *EXTENSIONS):\n"
        "    importlib.import_module(name)\n"
        "from aiohttp import connector\n"
        "print(*sys.modules)\n"
        "for context in vars(connector).values():\n"
        "    if isinstance(context, ssl.SSLContext):\n"
        "        print(context.verify_mode.name, context is trusted(), len(context.get_ca_certs()))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    modules, *contexts = done.stdout.splitlines()
    return set(modules.split()), contexts


def test_the_bot_leaves_what_computes_draws_and_searches_to_other_processes(imported):
    assert not imported[0] & {"numpy", "matplotlib", "duckdb", "pandas"}


def test_the_bot_loads_nothing_that_only_a_librarys_own_shell_or_another_command_needs(imported):
    assert not imported[0] & NOT_NEEDED


def test_discord_is_verified_by_the_certificates_that_were_read_already(imported):
    assert sorted(line.partition(" ")[0] for line in imported[1]) == ["CERT_NONE", "CERT_REQUIRED"]
    assert {line for line in imported[1] if line.endswith(" 0")} == {"CERT_NONE False 0"}
    assert any(line.startswith("CERT_REQUIRED True ") for line in imported[1])
