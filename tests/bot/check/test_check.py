"""`run_bot.py --check` against the local Discord, a real Redis and real files."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from bot.check.check import check_api, check_feed, check_token, run_check
from bot.sandbox.local_discord import open_sandbox
from bot.sandbox.rest.faults import Trouble
from bot.sandbox.world.permission_bits import ORDINARY_BOT, Permission
from bot.sandbox.world.records import ChannelKind
from bot.servers.order_store import OrderStore
from bot.servers.orders import BoardOrder
from bot.settings import BotSettings
from streaming.bus.server.embedded import free_port, open_embedded_server
from streaming.process.findings import exit_status, fail, ok, warn
from streaming.schwab.login.cipher import new_key
from streaming.schwab.login.token_store import TokenStore
from streaming.schwab.login.tokens import Token
from streaming.streamer.token_stores import token_store
from tests.support.api import TOKEN, open_api
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
def make(sandbox, redis, redis_url, token_path):  # `redis` empties the server
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


async def checked(settings, **more):
    lines = []
    return await run_check(settings, lines.append, clock=CLOCK, **more), lines


def of(lines, subject):
    """The one line about a subject."""
    (found,) = [line for line in lines if line[6:].startswith(subject)]
    return found


async def test_each_channel_is_named_with_what_it_shows_and_who_wants_that(make, sandbox, redis):
    spx, ndx = sandbox.channel_ids["gex-spx"], sandbox.channel_ids["gex-ndx"]
    await OrderStore(redis).put(BoardOrder(channel_id=ndx, tickers=("NDX",), guild_id=7, paused=True))
    status, lines = await checked(make(discord_gex_feed_channel_ids=(spx,)))
    assert status == 0
    assert of(lines, f"channel {spx}").endswith("every permission is granted. NQ_NDX by the settings.")
    assert of(lines, f"channel {ndx}").endswith("every permission is granted. NDX by /feed, paused.")


async def test_when_all_is_well_every_line_says_ok_and_the_status_is_0(make, sandbox):
    status, lines = await checked(make())
    assert status == 0
    assert {line[:4] for line in lines} == {"ok  "}
    subjects = [line[6:].split(":")[0].split()[0] for line in lines]
    assert subjects == [".env", "settings", "feed", "redis", "schwab", "source", "discord", "channel", "channel"]
    assert "#gex-spx" in lines[-2]


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
    sandbox.fail(Trouble(503), count=1)
    status, lines = await checked(make())
    assert status == 69
    assert "Discord answered 503" in lines[-1]


async def test_an_unknown_channel_is_78_and_the_others_are_still_checked(make, sandbox):
    known = sandbox.channel_ids["gex-spx"]
    status, lines = await checked(make(discord_gex_feed_channel_ids=(12345, known)))
    assert status == 78
    assert lines[-2].startswith("FAIL  channel 12345: Discord does not know channel 12345: it was deleted")
    assert lines[-1].startswith(f"ok    channel {known}:")


async def test_a_missing_permission_is_named_and_77(make, sandbox):
    sandbox.world.deny(sandbox.channel_ids["gex-ndx"], Permission.SEND_MESSAGES)
    status, lines = await checked(make())
    assert status == 77
    assert "the bot lacks Send Messages" in lines[-1]
    assert lines[-2].startswith("ok")


async def test_names_that_the_bot_may_not_change_are_said_and_77(make, sandbox):
    named = {"gex_price_nickname": True, "gex_price_channel_map": f"SPX:{sandbox.channel_ids['gex-spx']}"}
    status, lines = await checked(make(**named))
    assert status == 77
    assert "cannot rename #gex-spx: it lacks Manage Channels there" in of(lines, "name of")
    assert "the bot lacks Change Nickname in" in of(lines, "nickname")
    sandbox.world.set_bot_role(ORDINARY_BOT | Permission.MANAGE_CHANNELS | Permission.CHANGE_NICKNAME)
    status, lines = await checked(make(**named))
    assert status == 0
    assert "can be renamed to price and regime" in of(lines, "name of")
    assert "in 1 server" in of(lines, "nickname")


async def test_a_channel_the_bot_cannot_see_is_77(make, sandbox):
    sandbox.world.deny(sandbox.channel_ids["gex-ndx"], Permission.VIEW_CHANNEL)
    status, lines = await checked(make())
    assert status == 77
    assert lines[-1].startswith("FAIL  channel")


async def test_a_redis_that_is_away_is_69_without_its_password(make):
    status, lines = await checked(make(redis_url="redis://:hunter2@127.0.0.1:9/0"))
    assert status == 69
    assert of(lines, "redis").startswith("FAIL")
    assert "hunter2" not in "".join(lines)


async def test_without_a_redis_url_a_server_of_our_own_is_available_and_not_started(make, tmp_path):
    status, lines = await checked(make(redis_url=None, redis_data_path=tmp_path / "data"))
    assert status == 0
    assert "a server of our own" in of(lines, "redis")
    assert not (tmp_path / "data").exists()


async def of_token(settings):
    return await check_token(settings, CLOCK)


async def test_a_login_tells_its_age_and_its_end(make):
    finding = await of_token(make())
    assert finding.verdict == "ok"
    assert "the login lasts until 2026-08-25" in finding.sentence


async def test_a_login_that_machines_share_is_looked_for_in_redis(make, redis, token_path):
    settings = make(schwab_token_store="redis", schwab_token_key=new_key())
    finding = await check_token(settings, CLOCK)
    assert (finding.status, "kept in Redis, which does not answer" in finding.sentence) == (69, True)
    finding = await check_token(settings, CLOCK, redis)
    assert (finding.status, "no login in Redis" in finding.sentence) == (77, True)
    store = token_store(settings, redis, CLOCK)
    async with store.locked():
        await store.keep(TokenStore(token_path).load())
    finding = await check_token(settings, CLOCK, redis)
    assert (finding.verdict, "the login lasts until 2026-08-25" in finding.sentence) == ("ok", True)


async def test_no_token_file_asks_for_a_login(make, tmp_path):
    finding = await of_token(make(schwab_token_path=tmp_path / "none.json"))
    assert (finding.verdict, finding.status) == ("FAIL", 77)
    assert "python -m streaming token login" in finding.sentence


async def test_a_login_of_seven_days_is_over(make, token_path):
    TokenStore(token_path).save(Token("a", "r", NOW, NOW - timedelta(days=7)))
    finding = await of_token(make())
    assert (finding.verdict, finding.status) == ("FAIL", 77)


async def test_an_unknown_age_is_a_warning(make, token_path):
    TokenStore(token_path).save(Token("a", "r", NOW, None))
    assert (await of_token(make())).verdict == "warn"


async def test_a_token_file_that_others_can_read_is_a_warning_with_the_remedy(make, token_path):
    token_path.chmod(0o644)
    finding = await of_token(make())
    assert finding.verdict == "warn"
    assert "mode 0644" in finding.sentence
    assert "chmod 600" in finding.sentence


async def test_a_token_file_that_is_none_fails_in_a_sentence(make, token_path):
    token_path.write_text("{")
    finding = await of_token(make())
    assert finding.verdict == "FAIL"
    assert finding.status != 0


async def test_missing_app_keys_are_78(make):
    finding = await of_token(make(schwab_client_secret=None))
    assert (finding.verdict, finding.status) == ("FAIL", 78)


async def test_the_schwab_login_is_not_needed_when_another_program_produces(make):
    finding = await of_token(make(gex_source="redis", schwab_client_id=None))
    assert (finding.verdict, finding.status) == ("ok", 0)


async def test_a_feed_without_channels_is_a_warning(make):
    (finding,) = check_feed(make(discord_gex_feed_channel_ids=()), NOW)
    assert (finding.verdict, "no channel is configured" in finding.sentence) == ("warn", True)
    (off,) = check_feed(make(gex_feed_enabled=False), NOW)
    assert "GEX_FEED_ENABLED is false" in off.sentence


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (
            "2026-11-28T17:00",
            "The feed is closed (weekend). The first live message comes on Monday 30 November",
        ),
        (
            "2026-11-30T13:00",
            "The feed is closed (not open yet). The first live message comes on Monday 30 November",
        ),
        ("2026-11-30T15:00", "open until 16:00 New York."),
        (
            "2026-11-25T22:00",
            "The feed is closed (after the close). The first live message comes on Friday",
        ),
    ],
)
async def test_the_feed_says_when_the_first_message_comes(make, now, said):
    (finding,) = check_feed(make(), datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert finding.verdict == "ok"
    assert finding.sentence.startswith(said)


async def test_a_forced_window_is_open_at_any_hour(make):
    (finding,) = check_feed(make(gex_feed_force_window=True), NOW)
    assert finding.sentence == "open at any hour (GEX_FEED_FORCE_WINDOW)."


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
    assert of(lines, "redis").startswith("FAIL") and "REDIS_DATA_PATH" in of(lines, "redis")


async def test_a_token_folder_that_cannot_be_written_is_a_wrong_setting(make):
    finding = await of_token(make(schwab_token_path=Path("/proc/x/token.json")))
    assert (finding.verdict, finding.status) == ("FAIL", 78)
    assert "SCHWAB_TOKEN_PATH" in finding.sentence


async def test_slips_in_the_settings_file_are_warnings_without_their_values(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("DISCORD_BOT_TOKN=hunter2\nthis is hunter2, not a setting\nHOME=/x\nLOG_LEVL=INFO\n")
    status, lines = await checked(make())
    assert status == 0
    warnings = [line for line in lines if line.startswith("warn  .env: ")]
    assert len(warnings) == 3
    assert "DISCORD_BOT_TOKN is not a setting" in warnings[0] and "line 2 " in warnings[1]
    assert "LOG_LEVL is not a setting of this program, so it is ignored. Is LOG_LEVEL meant?" in warnings[2]
    assert "hunter2" not in "".join(lines)
    assert f"ok    .env: {tmp_path}/.env is read." in lines


async def test_without_a_settings_file_the_place_where_it_would_be_is_named(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, lines = await checked(make())
    assert f"ok    .env: there is no {tmp_path}/.env; settings come from the environment alone." in lines


async def test_a_slip_in_the_environment_is_a_warning(make, monkeypatch):
    monkeypatch.setenv("DISCORD_BOT_TOKN", "hunter2")
    monkeypatch.setenv("REDIS_SERVICE_HOST", "hunter2")
    _, lines = await checked(make())
    assert "Is DISCORD_BOT_TOKEN meant?" in of(lines, "environment")
    assert "hunter2" not in "".join(lines)


async def test_a_wrong_setting_is_78_and_everything_else_is_still_checked(make):
    status, lines = await checked(make(), problems=("GEX_PACE_SECONDS is not valid: expected x, not 'soon'.",))
    assert status == 78
    assert "FAIL  settings: GEX_PACE_SECONDS is not valid: expected x, not 'soon'." in lines
    assert sum(line.startswith("ok    channel ") for line in lines) == 2


async def test_a_server_of_our_own_with_data_is_started_or_found_and_left_as_it_was(make, tmp_path):
    async with open_embedded_server(tmp_path / "data") as server:
        status, lines = await checked(make(redis_url=None, redis_data_path=tmp_path / "data"))
        assert (status, "a server of our own runs on the data" in of(lines, "redis")) == (0, True)
        assert not server.attached
    status, lines = await checked(make(redis_url=None, redis_data_path=tmp_path / "data"))
    assert (status, "a server of our own starts on the data" in of(lines, "redis")) == (0, True)


async def asked_for(make, *channel_ids):
    status, lines = await checked(make(discord_gex_feed_channel_ids=channel_ids))
    return status, *lines[-len(channel_ids) :]


@pytest.mark.parametrize("kind", [ChannelKind.VOICE, ChannelKind.STAGE])
async def test_a_voice_channel_takes_messages_and_needs_connect(make, sandbox, kind):
    channel = sandbox.add_channel("talk", kind)
    status, line = await asked_for(make, channel)
    assert status == 0 and line.startswith(f"ok    channel {channel}: #talk in ")
    sandbox.world.set_bot_role(Permission(0))
    status, line = await asked_for(make, channel)
    assert status == 77 and "the bot lacks Embed Links, Attach Files." in line
    sandbox.world.deny(channel, Permission.CONNECT)
    status, line = await asked_for(make, channel)
    assert status == 77 and "for a voice channel also Connect" in line


async def test_an_announcement_channel_is_a_warning_with_the_reason(make, sandbox):
    status, line = await asked_for(make, sandbox.add_channel("news", ChannelKind.ANNOUNCEMENT))
    assert status == 0
    assert line.startswith("warn") and "announcement channel" in line and "ordinary text channel" in line


@pytest.mark.parametrize("kind", [ChannelKind.FORUM, ChannelKind.CATEGORY])
async def test_what_takes_no_messages_is_78_and_says_what_does(make, sandbox, kind):
    status, line = await asked_for(make, sandbox.add_channel("place", kind))
    assert status == 78
    assert "accepts no messages" in line and "one thread or post" in line


@pytest.mark.parametrize("kind", [ChannelKind.TEXT, ChannelKind.FORUM])
async def test_a_thread_and_a_post_are_judged_by_the_permissions_of_their_parent(make, sandbox, kind):
    parent = sandbox.add_channel("place", kind)
    thread = sandbox.add_thread("live", parent)
    status, line = await asked_for(make, thread)
    assert (status, line[:4]) == (0, "ok  ")
    sandbox.world.deny(parent, Permission.SEND_MESSAGES | Permission.SEND_MESSAGES_IN_THREADS)
    status, line = await asked_for(make, thread)
    assert status == 77
    assert "lacks Send Messages in Threads." in line


async def test_an_archived_thread_is_fine_and_a_locked_one_needs_its_manager(make, sandbox):
    thread = sandbox.add_thread("live", sandbox.channel_ids["gex-spx"])
    sandbox.world.change_thread(thread, archived=True)
    status, line = await asked_for(make, thread)
    assert status == 0 and "the first message opens it again" in line
    sandbox.world.change_thread(thread, locked=True)
    status, line = await asked_for(make, thread)
    assert status == 77
    assert "is a locked thread" in line and "Manage Threads" in line


async def test_a_bot_that_is_timed_out_is_77_and_told_until_when(make, sandbox):
    sandbox.world.time_out_bot(3600.0)
    lines = []
    status = await run_check(make(), lines.append)
    assert status == 77
    assert all("timed out until" in line for line in lines[-2:])


async def test_a_page_in_the_place_of_discord_is_no_verdict_on_token_or_channel(make, sandbox):
    sandbox.fail(Trouble(401, shape="page"), count=1)
    status, lines = await checked(make())
    assert status == 69
    assert "refuses" not in lines[-1] and "banned" not in lines[-1]
    sandbox.faults.clear()
    sandbox.fail(Trouble(403, shape="page"), channel_id=sandbox.channel_ids["gex-ndx"])
    status, lines = await checked(make())
    assert status == 0
    assert lines[-1].startswith("warn") and "could not be checked now" in lines[-1]


async def test_the_port_for_other_programs_is_tried_and_one_that_is_taken_is_69(make):
    port = free_port()
    status, lines = await checked(make(api_port=port, api_token=TOKEN))
    assert status == 0
    assert of(lines, "api:") == f"ok    api: other programs will be answered at 127.0.0.1:{port}."
    async with await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", port):
        status, lines = await checked(make(api_port=port, api_token=TOKEN))
    assert status == 69
    assert of(lines, "api:").startswith(f"FAIL  api: Port {port} of API_PORT cannot be used: Address already in use.")


async def test_a_bot_that_runs_already_has_its_port_and_that_is_well(make, redis):
    async with open_api(redis) as rig:
        taken = int(rig.api.url.rpartition(":")[2])
        [found] = await check_api(make(api_port=taken, api_token=TOKEN))
        [other] = await check_api(make(api_port=taken, api_token=f"{TOKEN}-another"))
    assert (found.verdict, "already answers" in found.sentence) == ("ok", True)
    assert (other.verdict, other.status) == ("FAIL", 69)


async def test_a_port_for_other_programs_wants_a_token_of_some_length(make):
    status, lines = await checked(make(api_port=9106))
    assert status == 78
    assert of(lines, "api:").startswith("FAIL  api: API_PORT is set and API_TOKEN is not.")
    assert await check_api(make(api_token=TOKEN)) == []
