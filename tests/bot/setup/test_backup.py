"""`back_up` and `restore`: what one machine had, another one has, and nothing else is touched."""

import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.feed.pacing import Pacing
from bot.settings import BotSettings
from bot.setup.backup import BackupOrder, back_up, kept_settings
from bot.setup.kept import Settings
from bot.setup.restore import RestoreOrder, restore, restored_text
from bot.setup.sealed_file import Cost
from bot.wire.call_share import CallShare
from streaming.bus import keys
from streaming.bus.redis_connection import open_redis
from streaming.errors import ConfigurationError, RequestError
from streaming.history.history_files import DayReport, HistoryFiles
from streaming.schwab.login.cipher import new_key
from streaming.schwab.login.token_store import TokenStore
from streaming.schwab.login.tokens import Token
from streaming.settings import load_settings
from streaming.streamer.token_stores import open_token_store
from tests.support.clock import ManualClock

PASS = "correct horse"
QUICK = Cost(log2_n=4)
CLOCK = ManualClock()
TOKEN = Token("access-secret", "refresh-secret", CLOCK.now(), CLOCK.now() - timedelta(days=2))
REPORTS = [DayReport(ticker=ticker, day="2026-11-20") for ticker in ("SPX", "NQ_NDX", "A/B")]
ENV = "# mine\nGEX_FEED_SYMBOL=SPX\n"


@pytest.fixture
async def home(tmp_path, monkeypatch, redis, redis_url):
    """A folder of a bot that has run: settings, login, three day rows, and a ledger and an alert in Redis."""
    for name in BotSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    place = tmp_path / "first"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("REDIS_URL", redis_url)
    (place / ".env").write_text(ENV)
    TokenStore(place / ".tokens/schwab_token.json").save(TOKEN)
    for report in REPORTS:
        HistoryFiles(place / ".history").add_report(report)
    await redis.hset(keys.FEED_LEDGER, "1", '{"session":"2026-11-20","message_id":7}')
    await redis.hset(f"{keys.ALERTS}:rules", "1", "{}")
    await redis.set("gex:snapshot:SPX", "{}")
    return place


@pytest.fixture
def elsewhere(monkeypatch, redis_url):
    """The second machine's Redis, which the environment names from here on."""
    return redis_url.removesuffix("/0") + "/1"


async def backed_up(**more):
    told = []
    order = BackupOrder(**({"target": Path("gexcord.backup"), "passphrase": PASS, "cost": QUICK} | more))
    await back_up(order, CLOCK, tell=told.append)
    return told


async def restored(folder, passphrase=PASS, *, force=False):
    told = []
    order = RestoreOrder(source=Path("gexcord.backup"), passphrase=passphrase, folder=folder, force=force)
    await restore(order, CLOCK, tell=told.append)
    return told


async def test_a_login_that_machines_share_moves_to_another_redis_and_replaces_none_there(
    home, tmp_path, elsewhere, monkeypatch
):
    monkeypatch.setenv("SCHWAB_TOKEN_STORE", "redis")
    monkeypatch.setenv("SCHWAB_TOKEN_KEY", new_key())

    async def shared(change=None):
        async with open_token_store(load_settings(BotSettings), CLOCK) as store:
            if change is not None:
                async with store.locked():
                    await store.keep(change)
            return store.load()

    moved = replace(TOKEN, refresh_token="shared@")  # made up
    await shared(moved)
    await backed_up()
    monkeypatch.setenv("REDIS_URL", elsewhere)
    await restored(tmp_path / "second")
    assert await shared() == moved
    assert not (tmp_path / "second" / ".tokens").exists()
    (tmp_path / "second" / ".env.new").unlink()
    with pytest.raises(RequestError, match=r"Already there: the login in Redis"):
        await restored(tmp_path / "second")


async def test_what_one_machine_had_is_in_an_empty_folder_and_another_redis(home, tmp_path, elsewhere, monkeypatch):
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    (told, _) = await backed_up()
    assert told.startswith("gexcord.backup holds the settings, the Schwab login, 1 alert, 2 keys of Redis, 3 day rows")
    assert stat.S_IMODE((home / "gexcord.backup").stat().st_mode) == 0o600
    assert all(path.read_bytes() == content for path, content in before.items())
    second = tmp_path / "second"
    monkeypatch.setenv("REDIS_URL", elsewhere)
    await restored(second)
    text = (second / ".env.new").read_text()
    assert text.startswith(ENV) and "REDIS_URL=redis://" in text
    assert sorted(path.name for path in second.iterdir()) == [".env.new", ".history", ".tokens"]
    assert TokenStore(second / ".tokens/schwab_token.json").load() == TOKEN
    history = HistoryFiles(second / ".history")
    assert [history.report(report.ticker, report.day) for report in REPORTS] == REPORTS
    for path in [second, *second.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    async with open_redis(elsewhere) as redis:
        assert {name.decode() for name in await redis.keys()} == {keys.FEED_LEDGER, f"{keys.ALERTS}:rules"}


async def test_nothing_is_overwritten_before_somebody_says_so(home, tmp_path, elsewhere, monkeypatch):
    await backed_up()
    with pytest.raises(RequestError, match=r"gexcord\.backup exists already"):
        await backed_up()
    with pytest.raises(RequestError, match=r"Already there: 2 keys of ours in Redis\. Nothing was changed"):
        await restored(tmp_path / "second")
    assert not list((tmp_path / "second").iterdir())
    (tmp_path / "second" / ".env.new").write_text("mine")
    monkeypatch.setenv("REDIS_URL", elsewhere)
    with pytest.raises(RequestError, match=r"Already there: \S+\.env\.new\. Nothing"):
        await restored(tmp_path / "second")
    assert (tmp_path / "second" / ".env.new").read_text() == "mine"
    async with open_redis(elsewhere) as redis:
        await redis.hset(keys.FEED_LEDGER, "2", "of an older life")
        await restored(tmp_path / "second", force=True)
        assert await redis.hkeys(keys.FEED_LEDGER) == [b"1"]


async def test_another_passphrase_changes_nothing(home, tmp_path):
    await backed_up()
    with pytest.raises(RequestError, match=r"The passphrase does not open gexcord\.backup"):
        await restored(tmp_path / "second", "correct horses")
    assert not (tmp_path / "second").exists()


async def test_a_running_bot_is_told_of_and_never_restored_over(home, tmp_path, redis):
    await redis.set(keys.FEED_LEASE, "the bot")
    assert (await backed_up())[0].startswith("The bot is running")
    with pytest.raises(RequestError, match="A bot runs on the Redis"):
        await restored(tmp_path / "second", force=True)


async def test_a_bot_that_only_alerts_is_seen_too_and_its_alerts_come_along(
    home, tmp_path, redis, elsewhere, monkeypatch
):
    (home / ".env").write_text("GEX_FEED_ENABLED=false\nGEX_SOURCE=redis\n")
    await redis.delete(keys.FEED_LEDGER)
    await redis.zadd(f"{keys.ALERTS}:due", {"dm:7": 1})
    await CallShare(redis, "its token", Pacing(CLOCK).pacer, CLOCK).renew()
    assert (await backed_up())[0].startswith("The bot is running")
    monkeypatch.setenv("REDIS_URL", elsewhere)
    await restored(tmp_path / "second")
    async with open_redis(elsewhere) as other:
        assert await other.hgetall(f"{keys.ALERTS}:rules") == {b"1": b"{}"}
        assert not await other.exists(f"{keys.ALERTS}:due")


async def test_a_login_that_cannot_be_read_is_left_out_and_said(home):
    (home / ".tokens/schwab_token.json").write_text("spoilt")
    told = await backed_up()
    assert told[0].startswith("The Schwab login is left out: ")
    assert "no Schwab login" in told[1]


def test_what_the_environment_and_files_of_secrets_say_is_kept_with_the_text(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("from-a-file\n")
    env = tmp_path / ".env"
    env.write_text(f"SCHWAB_CLIENT_SECRET_FILE={secret}\nGEX_SCOPE=zero\n")
    told = kept_settings(env, {"GEX_SCOPE": "one", "HOME": "/root", "gex_feed_symbol": "SPX", "REDIS_URL": ""})
    assert told.text == env.read_text()
    assert told.outside == {"SCHWAB_CLIENT_SECRET": "from-a-file", "GEX_SCOPE": "one", "GEX_FEED_SYMBOL": "SPX"}
    assert restored_text([told]) == (
        "SCHWAB_CLIENT_SECRET_FILE=\nGEX_SCOPE=one\nGEX_FEED_SYMBOL=SPX\nSCHWAB_CLIENT_SECRET=from-a-file\n"
    )


def test_what_lay_outside_of_the_folder_gets_its_usual_place():
    told = Settings(text="SCHWAB_TOKEN_PATH=/var/lib/t.json\nGEX_HISTORY_PATH=days\nREDIS_DATA_PATH=../r\n")
    assert restored_text([told]) == (
        "SCHWAB_TOKEN_PATH=.tokens/schwab_token.json\nGEX_HISTORY_PATH=days\nREDIS_DATA_PATH=.redis\n"
    )


async def test_wrong_settings_are_one_sentence(home):
    (home / ".env").write_text("GEX_SCOPE=some\n")
    with pytest.raises(ConfigurationError, match="GEX_SCOPE is not valid"):
        await backed_up()
    assert not (home / "gexcord.backup").exists()
