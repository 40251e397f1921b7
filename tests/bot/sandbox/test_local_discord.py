"""The local Discord from outside, and what a test orders of it as a real discord.py meets it."""

import asyncio
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
import discord
import pytest

from bot.sandbox.local_discord import Sandbox, make_token, open_sandbox
from bot.sandbox.world.permission_bits import EVERYONE, ORDINARY_BOT, Permission
from bot.sandbox.world.records import ChannelKind
from streaming.errors import UnavailableError
from tests.support.wire import WireBot, log_in, until, visit


async def test_addresses_are_on_loopback_and_of_discords_form() -> None:
    async with open_sandbox(channels=["one"]) as sandbox:
        port = urlsplit(sandbox.page_url).port
        assert sandbox.api_url == f"http://127.0.0.1:{port}/api/v10"
        assert sandbox.gateway_url == f"ws://127.0.0.1:{port}/gateway/"
        assert list(sandbox.channel_ids) == ["one"]


async def test_a_port_in_use_is_one_sentence_for_the_operator() -> None:
    async with open_sandbox() as sandbox:
        taken = urlsplit(sandbox.page_url).port
        with pytest.raises(UnavailableError, match=str(taken)):
            async with open_sandbox(port=taken or 0):
                pass


async def test_everything_ends_quickly_with_bots_and_pages_still_there() -> None:
    async with asyncio.timeout(5), aiohttp.ClientSession() as http:
        async with open_sandbox() as sandbox:
            socket = await http.ws_connect(sandbox.gateway_url)
            events = await http.get(f"{sandbox.page_url}api/page/events")
            began = time.monotonic()
        assert time.monotonic() - began < 3
        events.close()
        await socket.close()


async def test_two_sandboxes_live_side_by_side() -> None:
    async with open_sandbox() as first, open_sandbox() as second, visit(second, "guest") as guest:
        async with log_in(first) as bot:
            await bot.get_partial_messageable(first.channel_ids["gex-spx"]).send("here")
        assert await guest.messages() == []


def test_every_token_is_another() -> None:
    assert make_token() != make_token()
    assert len(make_token().split(".")) == 3


@pytest.fixture
async def bot(sandbox: Sandbox) -> AsyncIterator[WireBot]:
    async with log_in(sandbox) as bot:
        yield bot


async def refused(code: int, status: int, deed: object) -> None:
    """Await `deed` and see it refused."""
    with pytest.raises(discord.HTTPException) as raised:
        await deed
    assert (raised.value.code, raised.value.status) == (code, status)


async def heard(bot: WireBot, event: str) -> object:
    """The arguments of the next event of the gateway."""
    return await bot.wait_for(event, timeout=2)


async def test_the_library_reads_channels_of_every_kind(sandbox: Sandbox) -> None:
    text = sandbox.channel_ids["gex-spx"]
    kinds = (ChannelKind.VOICE, ChannelKind.STAGE, ChannelKind.ANNOUNCEMENT, ChannelKind.FORUM, ChannelKind.CATEGORY)
    ids = [sandbox.add_channel(kind.name.lower(), kind) for kind in kinds]
    thread = sandbox.add_thread("thread", text)
    async with log_in(sandbox) as bot:
        seen = [type(bot.get_channel(channel_id)).__name__ for channel_id in (*ids, thread)]
        fetched = [type(await bot.fetch_channel(channel_id)).__name__ for channel_id in (*ids, thread)]
    expected = ["VoiceChannel", "StageChannel", "TextChannel", "ForumChannel", "CategoryChannel", "Thread"]
    assert seen == fetched == expected


async def test_a_post_wakes_an_archived_thread_and_an_edit_does_not(sandbox: Sandbox, bot: WireBot) -> None:
    thread = bot.get_partial_messageable(sandbox.add_thread("levels", sandbox.channel_ids["gex-spx"]))
    sent = await thread.send("a")
    sandbox.world.change_thread(thread.id, archived=True)
    await refused(50083, 400, sent.edit(content="b"))
    async with asyncio.TaskGroup() as group:
        awake = group.create_task(heard(bot, "raw_thread_update"))
        await asyncio.sleep(0)
        await thread.send("c")
    assert not awake.result().data["thread_metadata"]["archived"]
    await sent.edit(content="b")
    sandbox.world.change_thread(thread.id, archived=True)
    await sent.delete()


async def test_a_locked_thread_takes_nothing_but_from_its_managers(sandbox: Sandbox, bot: WireBot) -> None:
    thread = bot.get_partial_messageable(sandbox.add_thread("levels", sandbox.channel_ids["gex-spx"]))
    sent = await thread.send("a")
    sandbox.world.change_thread(thread.id, locked=True, archived=True)
    await refused(160005, 403, thread.send("b"))
    sandbox.world.change_thread(thread.id, archived=False)
    await refused(160005, 403, sent.edit(content="b"))
    sandbox.world.set_bot_role(ORDINARY_BOT | Permission.MANAGE_THREADS)
    await thread.send("b")


async def test_a_forum_takes_posts_only_in_its_threads(sandbox: Sandbox, bot: WireBot) -> None:
    forum = sandbox.add_channel("ideas", ChannelKind.FORUM)
    await refused(50008, 400, bot.get_partial_messageable(forum).send("a"))
    await bot.get_partial_messageable(sandbox.add_thread("levels", forum)).send("a")


async def test_a_thread_has_its_parents_overwrites_and_a_permission_of_its_own(sandbox: Sandbox, bot: WireBot) -> None:
    parent = sandbox.channel_ids["gex-spx"]
    thread = bot.get_partial_messageable(sandbox.add_thread("levels", parent))
    sandbox.world.deny(parent, Permission.SEND_MESSAGES)
    await thread.send("a")
    sandbox.world.deny(parent, Permission.VIEW_CHANNEL)
    await refused(50001, 403, thread.send("a"))


async def test_published_messages_are_rationed(sandbox: Sandbox, bot: WireBot) -> None:
    news = sandbox.add_channel("news", ChannelKind.ANNOUNCEMENT)
    sandbox.world.channel(news).publishes = True
    sent = await bot.get_partial_messageable(news).send("0")
    assert sent.flags.crossposted
    for number in range(3):
        await sent.edit(content=str(number))
    with pytest.raises(discord.RateLimited):
        await _edit_impatiently(bot, sent)


async def _edit_impatiently(bot: WireBot, sent: discord.Message) -> None:
    bot.http.max_ratelimit_timeout = 30.0
    await sent.edit(content="too much")


async def test_the_text_of_a_voice_channel_needs_connect(sandbox: Sandbox, bot: WireBot) -> None:
    voice = sandbox.add_channel("talk", ChannelKind.VOICE)
    await bot.get_partial_messageable(voice).send("a")
    sandbox.world.deny(voice, Permission.CONNECT)
    await refused(50001, 403, bot.get_partial_messageable(voice).send("b"))


async def test_who_is_timed_out_reads_and_does_not_write(sandbox: Sandbox, bot: WireBot) -> None:
    channel = bot.get_channel(sandbox.channel_ids["gex-spx"])
    async with asyncio.TaskGroup() as group:
        told = group.create_task(heard(bot, "member_update"))
        await asyncio.sleep(0)
        sandbox.world.time_out_bot(60.0)
    assert told.result()[1].is_timed_out()
    await refused(50013, 403, channel.send("a"))
    assert [message async for message in channel.history()] == []
    sandbox.world.time_out_bot(0)
    await channel.send("a")


async def test_a_bot_that_is_thrown_out_hears_of_it_and_of_its_return(sandbox: Sandbox, bot: WireBot) -> None:
    channel = bot.get_partial_messageable(sandbox.channel_ids["gex-spx"])
    sandbox.world.leave()
    await until(lambda: not bot.guilds)
    await refused(50001, 403, channel.send("a"))
    await refused(10004, 404, bot.fetch_guild(sandbox.guild_id))
    async with asyncio.TaskGroup() as group:
        group.create_task(heard(bot, "guild_join"))
        await asyncio.sleep(0)
        sandbox.world.join()
    await channel.send("a")


async def test_a_changed_role_and_overwrite_are_told_at_once(sandbox: Sandbox, bot: WireBot) -> None:
    spx = sandbox.channel_ids["gex-spx"]
    async with asyncio.TaskGroup() as group:
        role = group.create_task(heard(bot, "guild_role_update"))
        channel = group.create_task(heard(bot, "guild_channel_update"))
        await asyncio.sleep(0)
        sandbox.world.set_bot_role(EVERYONE)
        sandbox.world.deny(spx, Permission.SEND_MESSAGES)
    assert not role.result()[1].permissions.attach_files
    assert not channel.result()[1].permissions_for(bot.guilds[0].me).send_messages


@pytest.mark.parametrize("code", [50007, 50278])
async def test_letters_may_be_refused_and_taken_again(sandbox: Sandbox, bot: WireBot, code: int) -> None:
    guest = await bot.fetch_user(sandbox.guest_id)
    sandbox.world.refused_letters[sandbox.guest_id] = code
    await refused(code, 403, guest.send("a"))
    sandbox.world.refused_letters.clear()
    await guest.send("a")


async def test_a_moderator_deletes_the_next_posts_and_then_rests(sandbox: Sandbox, bot: WireBot) -> None:
    channel = bot.get_channel(sandbox.channel_ids["gex-spx"])
    sandbox.moderator.watch(channel.id, count=2, after_s=0.01)
    sent = [await channel.send(str(number)) for number in range(3)]
    await until(lambda: [message.id for message in sandbox.world.messages()] == [sent[2].id])
    sandbox.moderator.watch(channel.id, after_s=60.0)
    await channel.send("3")
    sandbox.moderator.rest()
    assert len(list(sandbox.world.messages())) == 2


async def test_without_read_history_no_messages_are_listed(sandbox: Sandbox, bot: WireBot) -> None:
    channel = bot.get_channel(sandbox.channel_ids["gex-spx"])
    await channel.send("a")
    assert [message.content async for message in channel.history()] == ["a"]
    sandbox.world.deny(channel.id, Permission.READ_MESSAGE_HISTORY)
    assert [message async for message in channel.history()] == []
