"""The client: what it asks Discord for, when it uploads commands, and how it ends."""

import asyncio
from functools import partial
from types import SimpleNamespace

import discord
import pytest
import simcord
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.client import SYNC_JOB, GexBot
from bot.sandbox.local_discord import open_sandbox
from bot.sandbox.rest.faults import Trouble, refused
from bot.supervisor import JobState
from bot.wire.login import point_discord_at
from streaming.errors import TransientError
from tests.support.clock import ManualClock, StillClock
from tests.support.discord_wire import pointed_at
from tests.support.host import Host, make_settings
from tests.support.wire import until

UPLOAD = "PUT"


@pytest.fixture
def host():
    return Host(make_settings())


def uploads(env):
    return [request for request in env.http_requests if request.method == UPLOAD and request.path.endswith("/commands")]


async def test_it_asks_for_guilds_and_nothing_more_and_mentions_nobody(host):
    bot = host.make_bot()
    assert bot.intents == discord.Intents(guilds=True)
    assert bot.allowed_mentions.to_dict() == discord.AllowedMentions.none().to_dict()
    assert bot.help_command is None
    assert bot.commands == set()


async def test_who_holds_a_role_of_the_settings_is_an_operator(host):
    host.settings = make_settings(discord_operator_role_ids=(70, 71))
    assert host.make_bot().operators.words.endswith("<@&70>, <@&71>")


async def test_operators_are_told_in_the_channel_of_the_settings_too(host, monkeypatch):
    host.settings = make_settings(discord_operator_channel_id=55)
    told = []
    bot = host.make_bot()
    monkeypatch.setattr(bot, "get_partial_messageable", lambda place: SimpleNamespace(send=partial(note, told, place)))
    monkeypatch.setattr(bot.operators, "ids", frozenset)
    bot.mail.open()
    bot.tell_operators("Something.")
    await until(lambda: told == [(55, "Something.")])
    await bot.mail.close()


async def note(told, place, text):
    told.append((place, text))


async def test_commands_are_uploaded_at_the_first_start_and_not_at_the_second(host):
    async with simcord.run(host.make_bot()) as env:
        assert len(uploads(env)) == 1
        names = {command["name"] for command in uploads(env)[0].json}
        assert names == {"about", "admin", "alert", "feed", "gex", "help", "stream", "token"}
        await env.restart_bot(host.make_bot())
        assert len(uploads(env)) == 1


async def test_operators_commands_are_only_in_the_home_server_when_there_is_one(host):
    async with simcord.run(host.make_bot()) as env:
        home = env.create_guild()
        host.settings = make_settings(discord_home_guild=home.id)
        await env.restart_bot(host.make_bot())
        everywhere, here = uploads(env)[-2:]
        assert {command["name"] for command in everywhere.json} == {"about", "alert", "feed", "gex", "help"}
        assert {command["name"] for command in here.json} == {"admin", "stream", "token"}
        assert f"/guilds/{home.id}/" in here.path
        host.settings = make_settings()
        await env.restart_bot(host.make_bot())
        *_, gone = uploads(env)
        assert f"/guilds/{home.id}/" in gone.path and gone.json == []


async def test_a_changed_command_is_uploaded(host):
    async with simcord.run(host.make_bot(extensions=["cogs.gex"])) as env:
        await env.restart_bot(host.make_bot())
        assert len(uploads(env)) == 2


def test_the_fingerprint_changes_with_application_server_and_commands(host, monkeypatch):
    bot = host.make_bot()
    first = bot.tree.fingerprint(1)
    assert bot.tree.fingerprint(1) == first
    assert bot.tree.fingerprint(2) != first
    with monkeypatch.context() as patch:
        patch.setattr(Route, "BASE", "http://127.0.0.1:1/api/v10")
        assert bot.tree.fingerprint(1) != first

    @bot.tree.command(description="one more")
    async def extra(interaction: discord.Interaction) -> None: ...

    assert bot.tree.fingerprint(1) != first


async def test_without_a_store_commands_are_uploaded_every_time(host):
    host.fingerprints = None
    async with simcord.run(host.make_bot()) as env:
        await env.restart_bot(host.make_bot())
        assert len(uploads(env)) == 2


async def test_a_store_that_is_away_costs_an_upload_and_nothing_else(host):
    host.fingerprints.error = TransientError("Redis is away.")
    async with simcord.run(host.make_bot()) as env:
        assert len(uploads(env)) == 1


async def test_an_upload_that_fails_is_tried_again_in_the_background(host):
    env = simcord.Env(host.make_bot())
    env.inject_error(UPLOAD, "/applications/*/commands", status=503, times=1)
    await env.start()
    try:
        await env.settle()
        assert host.supervisor.job(SYNC_JOB).state is JobState.ENDED
        assert host.fingerprints.stored is not None
        assert len(uploads(env)) == 2
    finally:
        await env.shutdown()


async def test_operators_are_told_by_direct_message_once(host):
    bot = host.make_bot()
    async with simcord.run(bot) as env:
        user = env.create_user("olga")
        env.create_guild().add_member(user)
        bot.mail._operators = type(bot.operators)({user.id}, lambda: None)
        bot.tell_operators("The login is over. Log in again.")
        bot.tell_operators("The login is over. Log in again.")
        await bot.mail.delivered()
        (message,) = user.dm_channel.history(viewer=user)
        assert message.content == "The login is over. Log in again."


async def test_an_operator_who_cannot_be_reached_is_logged(host, caplog):
    bot = host.make_bot()
    async with simcord.run(bot) as env:
        env.inject_error("POST", "/users/@me/channels", status=403, code=50007, times=None)
        bot.tell_operators("Something.")
        await bot.mail.delivered()
        assert bot.mail.unreachable == {1}
    assert "operator 1 could not be told" in caplog.text


def test_services_must_be_handed_in_before_the_start():
    bot = GexBot(make_settings(), ManualClock())
    with pytest.raises(RuntimeError, match="without services"):
        _ = bot.services


@pytest.fixture
def discord_hosts(monkeypatch):
    """Let a test point discord.py elsewhere and put the addresses back afterwards."""
    monkeypatch.setattr(Route, "BASE", Route.BASE)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)
    return point_discord_at


async def test_it_serves_on_the_wire_until_it_is_closed(host, discord_hosts):
    async with open_sandbox() as sandbox:
        discord_hosts(sandbox.api_url, sandbox.gateway_url)
        async with host.make_bot() as bot:
            running = asyncio.create_task(bot.run_until_closed(sandbox.token))
            await bot.logged_in.wait()
            await bot.wait_until_ready()
            assert bot.operators.ids() == {1}
            await bot.close()
            await running


async def test_readiness_that_comes_after_the_end_disturbs_nobody(host, discord_hosts):
    async with open_sandbox() as sandbox:
        discord_hosts(sandbox.api_url, sandbox.gateway_url)
        async with host.make_bot() as bot:
            bot._connection.guild_ready_timeout = 0.3
            running = asyncio.create_task(bot.run_until_closed(sandbox.token))
            await bot.logged_in.wait()
            await bot.wait_for("connect")
            announcing = bot._connection._ready_task
            await bot.close()
            await running
            assert not announcing.done()
            await announcing  # raised AttributeError: '_MissingSentinel' object has no attribute 'create_task'


async def connected(bot, within_s=5.0):
    async with asyncio.timeout(within_s):
        await bot.logged_in.wait()
        await bot.wait_until_ready()


async def commands_wait(host, sentence):
    await until(lambda: host.supervisor.job(SYNC_JOB).state is JobState.WAITING)
    assert sentence in host.supervisor.job(SYNC_JOB).last_error


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        (refused(30034, retry_after_s=None), "limit of new slash commands for today"),
        (refused(30034, status=429, retry_after_s=3000.0), "limit of new slash commands"),
        (Trouble(429, shape="page", retry_after_s=3000.0), "answered 429 without a code of its own"),
        (refused(50001), "View Channel"),
    ],
)
async def test_a_refused_upload_of_commands_is_told_once_waited_out_and_delays_nothing(trouble, sentence):
    host = Host(make_settings(), clock=StillClock())
    async with open_sandbox() as sandbox, pointed_at(sandbox):
        sandbox.fail(trouble, on="commands")
        bot = host.make_bot()
        async with bot, host.supervisor:
            running = asyncio.create_task(bot.run_until_closed(sandbox.token))
            await connected(bot)
            await commands_wait(host, sentence)
            assert host.supervisor.job(SYNC_JOB).retry_in_s >= (trouble.retry_after_s or 300)
            sandbox.faults.clear()
            assert host.supervisor.retry_now(SYNC_JOB)
            await host.supervisor.wait(SYNC_JOB)
            assert host.fingerprints.stored is not None
            await bot.close()
            await running


async def test_an_upload_that_hangs_does_not_delay_the_gateway():
    host = Host(make_settings())
    async with open_sandbox() as sandbox, pointed_at(sandbox):
        sandbox.fail(Trouble(200, hang_s=60.0), on="commands")
        bot = host.make_bot()
        async with bot, host.supervisor:
            running = asyncio.create_task(bot.run_until_closed(sandbox.token))
            await connected(bot)
            assert host.supervisor.job(SYNC_JOB).state is JobState.RUNNING
            await bot.close()
            await running


async def test_a_login_that_is_quicker_than_what_the_bot_is_made_of_waits_for_it(host):
    services = host.make_bot().services
    bot = GexBot(host.settings, host.clock, extensions=())
    setting_up = asyncio.create_task(bot.setup_hook())
    await asyncio.sleep(0.01)
    assert not setting_up.done() and not bot.logged_in.is_set()
    bot.attach(services)
    await setting_up
    assert bot.logged_in.is_set()
    await bot.close()
