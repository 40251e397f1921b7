"""streaming/commands/cli.py: commands that have no module of their own."""

from pathlib import Path

import pytest

from streaming.bus.server.embedded import open_embedded_server
from streaming.commands.cli import main
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
    assert main(["tail", "x"]) == 70
    (line,) = capsys.readouterr().err.splitlines()
    assert "CRITICAL streaming.commands.cli: the program ends on a bug" in line and "Traceback" in line
    assert "hunter2" not in line
