"""`run_bot.py --check` against the local Discord, a real Redis and real files."""

from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from bot.check import check_settings, check_token, run_check
from bot.sandbox.server import open_sandbox
from bot.settings import BotSettings
from streaming.findings import exit_status, fail, ok, warn
from streaming.schwab.token_store import TokenStore
from streaming.schwab.tokens import Token
from tests.support.clock import ManualClock

CLOCK = ManualClock()
NOW = CLOCK.now()


@pytest.fixture
async def sandbox():
    async with open_sandbox(channels=("gex-spx", "gex-ndx")) as running:
        yield running


@pytest.fixture
def token_path(tmp_path):
    path = tmp_path / "private" / "token.json"
    TokenStore(path).save(Token("access-secret", "refresh-secret", NOW, NOW - timedelta(days=2)))
    return path


@pytest.fixture
def make(sandbox, redis_url, token_path):
    """Settings with which everything is in order, and whatever a test changes."""

    def settings(**changes):
        values = {
            "discord_bot_token": sandbox.token,
            "discord_api_url": sandbox.api_url,
            "discord_gateway_url": sandbox.gateway_url,
            "discord_gex_feed_channel_ids": tuple(sandbox.channel_ids.values()),
            "schwab_client_id": "an-app-key",
            "schwab_client_secret": "an-app-secret",
            "schwab_token_path": token_path,
            "redis_url": redis_url,
        }
        return BotSettings(_env_file=None, **(values | changes))

    return settings


async def checked(settings):
    lines = []
    return await run_check(settings, lines.append, clock=CLOCK), lines


async def test_when_all_is_well_every_line_says_ok_and_the_status_is_0(make, sandbox):
    status, lines = await checked(make())
    assert status == 0
    assert [line[:4] for line in lines] == ["ok  "] * 7
    assert [line[6:].split(":")[0].split()[0] for line in lines] == [
        "settings",
        "redis",
        "schwab",
        "source",
        "discord",
        "channel",
        "channel",
    ]
    assert "#gex-spx" in lines[5]


async def test_no_line_shows_a_secret(make, sandbox):
    _, lines = await checked(make())
    text = "\n".join(lines)
    for secret in (sandbox.token, "an-app-key", "an-app-secret", "access-secret", "refresh-secret"):
        assert secret not in text


async def test_a_refused_token_is_77_and_no_channel_is_asked_for(make):
    status, lines = await checked(make(discord_bot_token="wrong"))
    assert status == 77
    assert lines[-1].startswith("FAIL  discord: Discord refuses DISCORD_BOT_TOKEN.")


async def test_a_missing_token_is_78(make):
    status, lines = await checked(make(discord_bot_token=None))
    assert status == 78
    assert lines[-1].startswith("FAIL  discord: DISCORD_BOT_TOKEN is not set.")


async def test_a_discord_that_is_away_is_69(make):
    status, lines = await checked(make(discord_api_url="http://127.0.0.1:9/api/v10"))
    assert status == 69
    assert "127.0.0.1 does not answer" in lines[-1]


async def test_a_discord_in_trouble_is_69(make, sandbox):
    sandbox.fail_next(1, 503)
    status, lines = await checked(make())
    assert status == 69
    assert "Discord answered 503" in lines[-1]


async def test_an_unknown_channel_is_78_and_the_others_are_still_checked(make, sandbox):
    known = sandbox.channel_ids["gex-spx"]
    status, lines = await checked(make(discord_gex_feed_channel_ids=(12345, known)))
    assert status == 78
    assert lines[-2].startswith("FAIL  channel 12345: Discord knows no such channel.")
    assert lines[-1].startswith(f"ok    channel {known}:")


async def test_a_missing_permission_is_named_and_77(make, sandbox):
    sandbox.revoke_send(sandbox.channel_ids["gex-ndx"])
    status, lines = await checked(make())
    assert status == 77
    assert "the bot lacks Send Messages" in lines[-1]
    assert lines[-2].startswith("ok")


async def test_a_channel_the_bot_cannot_see_is_77(make, sandbox):
    sandbox.revoke_view(sandbox.channel_ids["gex-ndx"])
    status, lines = await checked(make())
    assert status == 77
    assert lines[-1].startswith("FAIL  channel")


async def test_a_redis_that_is_away_is_69_without_its_password(make):
    status, lines = await checked(make(redis_url="redis://:hunter2@127.0.0.1:9/0"))
    assert status == 69
    assert lines[1].startswith("FAIL  redis: ")
    assert "hunter2" not in lines[1]


async def test_without_a_redis_url_a_server_of_our_own_is_available_and_not_started(make, tmp_path):
    status, lines = await checked(make(redis_url=None, redis_data_path=tmp_path / "data"))
    assert status == 0
    assert "a server of our own" in lines[1]
    assert not (tmp_path / "data").exists()


def of_token(settings):
    return check_token(settings, NOW)


async def test_a_login_tells_its_age_and_its_end(make):
    finding = of_token(make())
    assert finding.verdict == "ok"
    assert "2d old and lasts until 2026-08-25" in finding.sentence


async def test_no_token_file_asks_for_a_login(make, tmp_path):
    finding = of_token(make(schwab_token_path=tmp_path / "none.json"))
    assert (finding.verdict, finding.status) == ("FAIL", 77)
    assert "python -m streaming token login" in finding.sentence


async def test_a_login_of_seven_days_is_over(make, token_path):
    TokenStore(token_path).save(Token("a", "r", NOW, NOW - timedelta(days=7)))
    finding = of_token(make())
    assert (finding.verdict, finding.status) == ("FAIL", 77)


async def test_an_unknown_age_is_a_warning(make, token_path):
    TokenStore(token_path).save(Token("a", "r", NOW, None))
    assert of_token(make()).verdict == "warn"


async def test_a_token_file_that_others_can_read_is_a_warning_with_the_remedy(make, token_path):
    token_path.chmod(0o644)
    finding = of_token(make())
    assert finding.verdict == "warn"
    assert "mode 0644" in finding.sentence
    assert "chmod 600" in finding.sentence


async def test_a_token_file_that_is_none_fails_in_a_sentence(make, token_path):
    token_path.write_text("{")
    finding = of_token(make())
    assert finding.verdict == "FAIL"
    assert finding.status != 0


async def test_missing_app_keys_are_78(make):
    finding = of_token(make(schwab_client_secret=None))
    assert (finding.verdict, finding.status) == ("FAIL", 78)


async def test_the_schwab_login_is_not_needed_when_another_program_produces(make):
    finding = of_token(make(gex_source="redis", schwab_client_id=None))
    assert (finding.verdict, finding.status) == ("ok", 0)


async def test_a_feed_without_channels_is_a_warning(make):
    findings = check_settings(make(discord_gex_feed_channel_ids=()))
    assert [finding.verdict for finding in findings] == ["ok", "warn"]
    off = check_settings(make(gex_feed_enabled=False))
    assert "GEX_FEED_ENABLED is false" in off[-1].sentence


async def test_checking_changes_no_file(make, token_path):
    def look():
        return token_path.read_bytes(), token_path.stat().st_mode, sorted(token_path.parent.iterdir())

    before = look()
    await checked(make())
    assert look() == before


def test_settings_outrank_services_outrank_logins_in_the_status():
    assert exit_status([ok("a", "."), warn("b", ".")]) == 0
    assert exit_status([fail("a", ".", 77), fail("b", ".", 69), fail("c", ".", 78)]) == 78
    assert exit_status([fail("a", ".", 77), fail("b", ".", 69)]) == 69
    assert exit_status([fail("a", ".", 77), fail("b", ".", 76)]) == 77
    assert exit_status([fail("b", ".", 76)]) == 76


@asynccontextmanager
async def answering(status, body, content_type="text/html"):
    async def answer(_request):
        return web.Response(status=status, text=body, content_type=content_type)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [(200, "<html>hello</html>", "text/html"), (404, "no", "text/plain"), (200, '["x"]', "application/json")],
)
async def test_an_address_that_is_not_discords_is_a_wrong_setting(make, status, body, kind):
    async with answering(status, body, kind) as url:
        result, lines = await checked(make(discord_api_url=url))
    assert result == 78
    assert "DISCORD_API_URL" in lines[-1] and "/api/v10" in lines[-1]


@pytest.mark.parametrize("kind", ["a file", "below a file", "/proc"])
async def test_a_folder_that_cannot_hold_data_is_a_wrong_setting(make, tmp_path, kind):
    (tmp_path / "file").write_text("")
    paths = {"a file": tmp_path / "file", "below a file": tmp_path / "file" / "x", "/proc": Path("/proc/x")}
    status, lines = await checked(make(redis_url=None, redis_data_path=paths[kind]))
    assert status == 78
    assert lines[1].startswith("FAIL  redis: ") and "REDIS_DATA_PATH" in lines[1]


async def test_a_token_folder_that_cannot_be_written_is_a_wrong_setting(make):
    finding = of_token(make(schwab_token_path=Path("/proc/x/token.json")))
    assert (finding.verdict, finding.status) == ("FAIL", 78)
    assert "SCHWAB_TOKEN_PATH" in finding.sentence


async def test_slips_in_the_settings_file_are_warnings_without_their_values(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(
        "DISCORD_BOT_TOKN=hunter2\nthis is hunter2, not a setting\nHOME=/x\nLOG_LEVEL=INFO\n"
    )
    status, lines = await checked(make())
    assert status == 0
    warnings = [line for line in lines if line.startswith("warn  .env: ")]
    assert len(warnings) == 2
    assert "DISCORD_BOT_TOKN is no setting" in warnings[0] and "line 2 " in warnings[1]
    assert "hunter2" not in "".join(lines)
