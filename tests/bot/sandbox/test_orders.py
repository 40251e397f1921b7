"""What a test orders of the local Discord, as a real discord.py meets it."""

import asyncio
from collections.abc import AsyncIterator

import discord
import pytest

from bot.sandbox.local_discord import Sandbox
from bot.sandbox.world.permission_bits import EVERYONE, ORDINARY_BOT, Permission
from bot.sandbox.world.records import ChannelKind
from tests.support.wire import WireBot, log_in, until


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
    sandbox.change_thread(thread.id, archived=True)
    await refused(50083, 400, sent.edit(content="b"))
    async with asyncio.TaskGroup() as group:
        awake = group.create_task(heard(bot, "raw_thread_update"))
        await asyncio.sleep(0)
        await thread.send("c")
    assert not awake.result().data["thread_metadata"]["archived"]
    await sent.edit(content="b")
    sandbox.change_thread(thread.id, archived=True)
    await sent.delete()


async def test_a_locked_thread_takes_nothing_but_from_its_managers(sandbox: Sandbox, bot: WireBot) -> None:
    thread = bot.get_partial_messageable(sandbox.add_thread("levels", sandbox.channel_ids["gex-spx"]))
    sent = await thread.send("a")
    sandbox.change_thread(thread.id, locked=True, archived=True)
    await refused(160005, 403, thread.send("b"))
    sandbox.change_thread(thread.id, archived=False)
    await refused(160005, 403, sent.edit(content="b"))
    sandbox.set_bot_role(ORDINARY_BOT | Permission.MANAGE_THREADS)
    await thread.send("b")


async def test_a_forum_takes_posts_only_in_its_threads(sandbox: Sandbox, bot: WireBot) -> None:
    forum = sandbox.add_channel("ideas", ChannelKind.FORUM)
    await refused(50008, 400, bot.get_partial_messageable(forum).send("a"))
    await bot.get_partial_messageable(sandbox.add_thread("levels", forum)).send("a")


async def test_a_thread_has_its_parents_overwrites_and_a_permission_of_its_own(sandbox: Sandbox, bot: WireBot) -> None:
    parent = sandbox.channel_ids["gex-spx"]
    thread = bot.get_partial_messageable(sandbox.add_thread("levels", parent))
    sandbox.revoke_send(parent)
    await thread.send("a")
    sandbox.revoke_view(parent)
    await refused(50001, 403, thread.send("a"))


async def test_published_messages_are_rationed(sandbox: Sandbox, bot: WireBot) -> None:
    news = sandbox.add_channel("news", ChannelKind.ANNOUNCEMENT)
    sandbox.publish_posts(news)
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
    sandbox.world.deny(voice, sandbox.world.bot_member, Permission.CONNECT)
    await refused(50001, 403, bot.get_partial_messageable(voice).send("b"))


async def test_who_is_timed_out_reads_and_does_not_write(sandbox: Sandbox, bot: WireBot) -> None:
    channel = bot.get_channel(sandbox.channel_ids["gex-spx"])
    async with asyncio.TaskGroup() as group:
        told = group.create_task(heard(bot, "member_update"))
        await asyncio.sleep(0)
        sandbox.time_out_bot(60.0)
    assert told.result()[1].is_timed_out()
    await refused(50013, 403, channel.send("a"))
    assert [message async for message in channel.history()] == []
    sandbox.time_out_bot(0)
    await channel.send("a")


async def test_a_bot_that_is_thrown_out_hears_of_it_and_of_its_return(sandbox: Sandbox, bot: WireBot) -> None:
    channel = bot.get_partial_messageable(sandbox.channel_ids["gex-spx"])
    sandbox.kick_bot()
    await until(lambda: not bot.guilds)
    await refused(50001, 403, channel.send("a"))
    await refused(10004, 404, bot.fetch_guild(sandbox.guild_id))
    async with asyncio.TaskGroup() as group:
        group.create_task(heard(bot, "guild_join"))
        await asyncio.sleep(0)
        sandbox.invite_bot()
    await channel.send("a")


async def test_a_changed_role_and_overwrite_are_told_at_once(sandbox: Sandbox, bot: WireBot) -> None:
    spx = sandbox.channel_ids["gex-spx"]
    async with asyncio.TaskGroup() as group:
        role = group.create_task(heard(bot, "guild_role_update"))
        channel = group.create_task(heard(bot, "guild_channel_update"))
        await asyncio.sleep(0)
        sandbox.set_bot_role(EVERYONE)
        sandbox.revoke_send(spx)
    assert not role.result()[1].permissions.attach_files
    assert not channel.result()[1].permissions_for(bot.guilds[0].me).send_messages


@pytest.mark.parametrize("code", [50007, 50278])
async def test_letters_may_be_refused_and_taken_again(sandbox: Sandbox, bot: WireBot, code: int) -> None:
    guest = await bot.fetch_user(sandbox.guest_id)
    sandbox.refuse_letters(sandbox.guest_id, code)
    await refused(code, 403, guest.send("a"))
    sandbox.accept_letters(sandbox.guest_id)
    await guest.send("a")


async def test_a_moderator_deletes_the_next_posts_and_then_rests(sandbox: Sandbox, bot: WireBot) -> None:
    channel = bot.get_channel(sandbox.channel_ids["gex-spx"])
    sandbox.moderate(channel.id, count=2, after_s=0.01)
    sent = [await channel.send(str(number)) for number in range(3)]
    await until(lambda: [message.id for message in sandbox.world.messages()] == [sent[2].id])
    sandbox.moderate(channel.id, after_s=60.0)
    await channel.send("3")
    sandbox.moderator.rest()
    assert len(list(sandbox.world.messages())) == 2


async def test_without_read_history_no_messages_are_listed(sandbox: Sandbox, bot: WireBot) -> None:
    channel = bot.get_channel(sandbox.channel_ids["gex-spx"])
    await channel.send("a")
    assert [message.content async for message in channel.history()] == ["a"]
    sandbox.world.deny(channel.id, sandbox.world.bot_member, Permission.READ_MESSAGE_HISTORY)
    assert [message async for message in channel.history()] == []
