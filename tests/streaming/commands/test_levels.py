"""`python -m streaming levels`, from the arguments to the exit status."""

import asyncio

import pytest

from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.commands.cli import main
from streaming.settings import StreamSettings
from tests.support.snapshots import snapshot


@pytest.fixture
async def levels(redis, redis_url, tmp_path, monkeypatch, capsys):
    """Runs the command beside one snapshot, as its own event loop in a thread; its status and what it printed."""
    monkeypatch.chdir(tmp_path)
    for name in StreamSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("REDIS_URL", redis_url)
    await SnapshotStore(redis).put(snapshot())

    async def run(*arguments):
        status = await asyncio.to_thread(main, ["levels", *arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


async def test_the_newest_levels_are_printed_for_another_program(levels):
    status, out, _ = await levels("spx", "--format", "tradingview")
    assert status == 0
    assert out.splitlines()[0].endswith("Zero gamma,6385.50;Call wall,6450.00;Put wall,6300.00")
    _, table, _ = await levels("SPX", "--weight", "vol")
    assert table.startswith("ticker,level,price,")
    assert table.count("\n") == 4


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("NDX",), "There is no current snapshot of NDX."),
        (("SPX", "--view", "future"), "have not been quoted together yet"),
        (("!",), "is not a ticker"),
    ],
)
async def test_what_cannot_be_had_is_one_sentence_and_a_status(levels, arguments, sentence):
    status, out, said = await levels(*arguments)
    assert (status != 0, out) == (True, "")
    assert sentence in said
    assert "Traceback" not in said
