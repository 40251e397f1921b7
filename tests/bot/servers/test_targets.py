"""Where a live message can stand: by the kind of channel, what the bot may do there, and a thread's state."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from unittest.mock import AsyncMock, MagicMock

import discord
import pytest

from bot.servers.targets import open_target, require_pingable, require_target
from bot.wire.channel_access import NEEDED
from streaming.errors import RequestError, TransientError
from tests.support.discord_answers import json_answer

NOW = datetime(2026, 8, 20, 13, 40, tzinfo=UTC)


def place(kind=discord.ChannelType.text, *, lacks=(), timed_out=None, **thread):
    threads = kind in {discord.ChannelType.public_thread, discord.ChannelType.private_thread}
    found = MagicMock(spec=discord.Thread if threads else discord.TextChannel, id=5, type=kind, **thread)
    granted = discord.Permissions(NEEDED.value)
    granted.update(connect=True, send_messages_in_threads=True)
    granted.update(**dict.fromkeys(lacks, False))
    found.permissions_for.return_value = granted
    found.guild.me.timed_out_until = timed_out
    return found


@pytest.mark.parametrize(
    "here",
    [
        place(),
        place(discord.ChannelType.voice),
        place(discord.ChannelType.public_thread, locked=False),
        place(timed_out=NOW - timedelta(hours=1)),
    ],
)
def test_channels_threads_and_voice_text_hold_a_live_message(here):
    require_target(here, NOW)


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (place(discord.ChannelType.news), "announcement channel"),
        (place(discord.ChannelType.forum), "accepts no messages"),
        (place(discord.ChannelType.category), "accepts no messages"),
        (place(lacks=("send_messages", "attach_files")), "I lack Send Messages, Attach Files"),
        (place(discord.ChannelType.voice, lacks=("connect",)), "I lack Connect"),
        (place(discord.ChannelType.public_thread, locked=True), "locked thread"),
        (place(timed_out=NOW + timedelta(hours=1)), "timed out until"),
    ],
)
def test_what_stands_in_the_way_is_said_with_its_remedy(there, words):
    with pytest.raises(RequestError, match=words) as refused:
        require_target(there, NOW)
    assert refused.value.remedy


async def test_an_archived_thread_is_opened_again():
    thread = place(discord.ChannelType.public_thread, archived=True)
    thread.edit = AsyncMock()
    await open_target(MagicMock(is_closed=lambda: False), thread)
    thread.edit.assert_awaited_once_with(archived=False)


@pytest.mark.parametrize(("status", "asked"), [(500, 2), (503, 2), (429, 1)])
async def test_a_thread_that_a_person_waits_for_is_opened_at_the_second_try_when_discord_failed_at_the_first(
    status, asked
):
    thread = place(discord.ChannelType.public_thread, archived=True)
    thread.edit = AsyncMock(side_effect=[json_answer(status, 0), None])
    with nullcontext() if asked == 2 else pytest.raises(TransientError):
        await open_target(MagicMock(is_closed=lambda: False), thread)
    assert thread.edit.await_count == asked


def role(*, mentionable=False, everyone=False):
    return MagicMock(spec=discord.Role, mentionable=mentionable, is_default=lambda: everyone)


def test_a_role_is_chosen_only_if_it_can_be_pinged_and_never_everybody():
    require_pingable(role(mentionable=True), place())
    with pytest.raises(RequestError, match="I cannot ping"):
        require_pingable(role(), place())
    with pytest.raises(RequestError, match="never ping everybody"):
        require_pingable(role(mentionable=True, everyone=True), place())
