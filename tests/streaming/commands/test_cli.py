"""streaming/commands/cli.py: commands that have no module of their own."""

import re
from pathlib import Path

import pytest

from streaming import errors
from streaming.bus import keys
from streaming.bus.server.embedded import open_embedded_server
from streaming.commands.cli import main, unpublished
from streaming.settings import StreamSettings
from tests.support.other_process import python_process

URL = "import sys; from streaming.commands.cli import main; sys.exit(main(['redis-url']))"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in StreamSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_without_a_server_of_our_own_its_url_is_one_sentence(capsys):
    assert main(["redis-url"]) == 69
    assert "No Redis server of ours runs" in capsys.readouterr().err
    assert not Path(".redis").exists(), "asking makes nothing"


def test_with_another_server_set_there_is_no_url_of_ours(monkeypatch, capsys):
    monkeypatch.setenv("REDIS_URL", "redis://:hunter2@127.0.0.1:1/0")
    assert main(["redis-url"]) == 78
    said = capsys.readouterr()
    assert "REDIS_URL is set" in said.err
    assert "hunter2" not in said.out + said.err


async def test_a_shared_server_is_told_with_its_password(monkeypatch, tmp_path):
    monkeypatch.setenv("REDIS_DATA_PATH", str(tmp_path / "data"))
    async with open_embedded_server(tmp_path / "data", share=True) as server, python_process(URL) as process:
        assert (await process.stdout.readline()).decode().strip() == server.url
        assert server.url.startswith("redis://:")


def test_a_bug_is_one_redacted_line_and_the_status_of_a_bug(monkeypatch, capsys):
    monkeypatch.setenv("REDIS_URL", "redis://:hunter2hunter2@127.0.0.1:1/0")

    def broken(*_args, **_more):
        raise KeyError("redis://:hunter2hunter2@127.0.0.1:1/0\nand more")

    monkeypatch.setattr("streaming.commands.cli.tail", broken)
    monkeypatch.setattr("streaming.commands.cli.open_bus", broken)
    assert main(["tail", keys.TICKS]) == 70
    (line,) = capsys.readouterr().err.splitlines()
    assert "CRITICAL streaming.commands.cli: the program ends on a bug" in line and "Traceback" in line
    assert "hunter2" not in line


def test_the_help_shows_every_exit_status(capsys):
    with pytest.raises(SystemExit):
        main(["--help"], prog="tool")
    shown = capsys.readouterr().out
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.GexcordError)]
    listed = {int(status) for status in re.findall(r"^  (\d+) ", shown.partition("exit statuses:")[2], re.MULTILINE)}
    assert {kind.exit_status for kind in kinds} - listed == set()


@pytest.mark.parametrize("channel", ["market_data:tick", keys.TICKS_STREAM, "gex:snapshot:SPX"])
def test_a_channel_that_nobody_of_ours_publishes_on_is_warned_of(channel):
    warning = unpublished(channel)
    assert warning is not None and channel in warning and keys.TICKS in warning


@pytest.mark.parametrize("channel", [keys.TICKS, keys.LEVEL2, keys.CANDLES, keys.SNAPSHOT_STREAM])
def test_a_channel_of_ours_is_not(channel):
    assert unpublished(channel) is None
