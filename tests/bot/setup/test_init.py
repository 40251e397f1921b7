"""`gexcord init` with a person who makes mistakes, against the local Discord and a real Redis."""

import asyncio
import io
import stat
import sys

import pytest

from bot.app import main
from bot.check.check import run_check
from bot.sandbox.local_discord import open_sandbox
from bot.sandbox.world.permission_bits import Permission
from bot.settings import BotSettings
from bot.setup.init import Person, _boards_text, initialise, schwab_form
from bot.wire.channel_access import NEEDED
from streaming.errors import RequestError
from streaming.settings import load_settings
from tests.support.clock import ManualClock

CLOCK = ManualClock()
KEY, SECRET = "k" * 32, "s" * 16


@pytest.fixture
async def sandbox(tmp_path, monkeypatch, redis_url):
    """A local Discord, and somebody in an empty folder whose environment names it."""
    for name in BotSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    async with open_sandbox() as running:
        monkeypatch.setenv("DISCORD_API_URL", running.api_url)
        monkeypatch.setenv("DISCORD_GATEWAY_URL", running.gateway_url)
        yield running


async def answered(folder, *answers):
    """What was asked and said when somebody types these, one after another; an exception among them is raised."""
    said, left = [], iter(answers)

    def ask(words):
        said.append(words)
        answer = next(left, None)
        assert answer is not None, said
        if isinstance(answer, BaseException):
            raise answer
        return answer

    person = Person(ask=ask, ask_unseen=ask, say=said.append)
    await asyncio.to_thread(initialise, folder, person, CLOCK)
    assert next(left, None) is None, "every answer was asked for"
    return said


async def test_each_answer_is_tested_and_the_result_is_what_the_check_wants(sandbox, tmp_path, redis_url, redis):
    spx, ndx = sandbox.channel_ids.values()
    sandbox.world.deny(ndx, Permission.SEND_MESSAGES)
    said = await answered(
        tmp_path,
        "wrong-token", "", sandbox.token,
        "SPX:12345", "", "SPX=1", "", f"SPX:{spx},NDX:{ndx}", "", "", "keep",
        "", "a key", SECRET, "", "", KEY, SECRET, "",
        "redis://127.0.0.1:1/0", "", redis_url,
    )  # fmt: skip
    lines = "\n".join(said)
    for words in (
        "FAIL  discord: Discord refuses DISCORD_BOT_TOKEN.",
        "ok    discord: logged in as",
        f"client_id={sandbox.world.application_id}&scope=bot+applications.commands&permissions={NEEDED.value}",
        "FAIL  channel 12345: Discord does not know channel 12345",
        "FAIL  answer: GEX_FEED_CHANNEL_MAP is not valid: expected TICKER:channel id pairs",
        f"FAIL  channel {ndx}: in #gex-ndx",
        f"Channels [SPX:{spx},NDX:{ndx}]: ",
        "Source [schwab]: ",
        "FAIL  schwab: the app key is letters and digits only.",
        "ok    schwab: key and secret have the right form",
        "FAIL  redis: Redis at redis://127.0.0.1:1/0 does not answer.",
        "ok    redis: ",
    ):
        assert words in lines, words
    assert not [line for line in said if sandbox.token in line or KEY in line or SECRET in line]
    assert [path.name for path in tmp_path.iterdir()] == [".env.new"]
    new = tmp_path / ".env.new"
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    assert "# Every setting of Gexcord." in new.read_text()
    settings = load_settings(BotSettings, _env_file=new)
    found = []
    assert await run_check(settings, found.append, env_file=None, clock=CLOCK) == 77
    failed = [line for line in found if line.startswith("FAIL")]
    assert [line.split(":")[0] for line in failed] == ["FAIL  schwab", f"FAIL  channel {ndx}"]
    assert "there is no token file" in failed[0]


async def test_what_is_known_already_is_offered_and_the_rest_of_the_file_stays(sandbox, tmp_path, redis_url):
    spx = sandbox.channel_ids["gex-spx"]
    before = (
        f"# mine\nDISCORD_BOT_TOKEN={sandbox.token}\nDISCORD_GEX_FEED_CHANNEL_IDS={spx}\nGEX_FEED_SYMBOL=SPX\n"
        f"GEX_SOURCE=redis\nLOG_LEVEL=DEBUG\nREDIS_URL={redis_url}\n"
    )
    (tmp_path / ".env").write_text(before)
    said = await answered(tmp_path, "", "", "", "")
    assert "Bot token (not shown) [as it is]: " in said
    assert f"Channels [SPX:{spx}]: " in said
    assert (tmp_path / ".env").read_text() == before
    assert (tmp_path / ".env.new").read_text() == (
        before.replace(f"IDS={spx}", "IDS=") + f"GEX_FEED_CHANNEL_MAP=SPX:{spx}\n"
    )
    assert any("diff .env .env.new" in line for line in said)


@pytest.mark.parametrize("end", [KeyboardInterrupt(), EOFError()])
async def test_who_stops_in_the_middle_finds_nothing_written(sandbox, tmp_path, end):
    with pytest.raises((KeyboardInterrupt, RequestError)):
        await answered(tmp_path, sandbox.token, end)
    assert not list(tmp_path.iterdir())


async def test_a_result_that_nobody_has_taken_into_use_is_not_replaced(sandbox, tmp_path):
    (tmp_path / ".env.new").write_text("mine")
    with pytest.raises(RequestError, match="exists already"):
        await answered(tmp_path)
    assert (tmp_path / ".env.new").read_text() == "mine"


def test_without_a_terminal_it_is_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert main(["init"]) == 65
    assert capsys.readouterr().err == "`init` asks questions, so it needs a terminal.\nOr copy .env.back to .env.\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("key", "secret", "verdicts"),
    [
        (KEY, SECRET, ["ok"]),
        ("k" * 48, "s" * 64, ["ok"]),
        ("k" * 40, SECRET, ["warn"]),
        ("", SECRET, ["FAIL"]),
        ('"quoted"', "", ["FAIL", "FAIL"]),
    ],
)
def test_a_schwab_app_is_judged_by_its_form(key, secret, verdicts):
    assert [finding.verdict for finding in schwab_form(key, secret)] == verdicts


def test_what_is_chosen_for_a_channel_stands_in_the_map_that_is_offered():
    chosen = "SPX:1:weight=vol:silent=false,NDX:1,NDX:2:style=card"
    assert _boards_text(BotSettings(_env_file=None, gex_feed_channel_map=chosen)) == chosen
