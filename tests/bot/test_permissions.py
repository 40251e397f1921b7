from types import SimpleNamespace

import discord
import pytest
from discord import app_commands

from bot.client import EXTENSIONS
from bot.notices import Refusal
from bot.operators import Operators
from bot.permissions import may_speak, require_manager, require_operator
from tests.support.host import Host, make_settings


def asked_by(user_id, *operator_ids):
    client = SimpleNamespace(operators=Operators(operator_ids, lambda: None))
    return SimpleNamespace(client=client, user=discord.Object(user_id))


async def test_an_operator_passes_and_others_are_told_why_not():
    assert await require_operator(asked_by(1, 1, 2))
    with pytest.raises(Refusal, match=r"for the bot's operators. Ask <@1>, <@2>; whoever runs"):
        await require_operator(asked_by(3, 1, 2))


async def test_an_administrator_who_is_no_operator_is_refused_all_the_same():
    interaction = asked_by(3, 1)
    interaction.permissions = discord.Permissions.all()
    with pytest.raises(Refusal):
        await require_operator(interaction)


async def test_the_check_and_discords_own_default_always_come_together():
    bot = Host(make_settings()).make_bot()
    async with bot:
        for name in EXTENSIONS:
            await bot.load_extension(name)
        guarded = set()
        for command in bot.tree.walk_commands():
            if isinstance(command, app_commands.Group):
                continue
            root = command.root_parent
            checked = require_operator in command.checks or require_manager in command.checks
            hidden = root is not None and root.default_permissions == discord.Permissions(manage_guild=True)
            assert checked == hidden, f"/{command.qualified_name}: checked {checked}, hidden {hidden}"
            guarded |= {command.qualified_name} if checked else set()
    assert guarded == {
        *(f"stream {name}" for name in ("start", "stop", "restart", "status")),
        *(f"stream symbols {name}" for name in ("add", "remove", "list")),
        *(f"token {name}" for name in ("status", "refresh", "login", "doctor")),
        *(f"admin {name}" for name in ("health", "audit")),
        *(f"feed {name}" for name in ("status", "add", "set", "move", "remove", "pause", "resume", "repost")),
    }


def speaker(channel, **permissions):
    return SimpleNamespace(guild_id=1, channel=channel, permissions=discord.Permissions(**permissions))


def test_who_may_write_in_a_channel_may_answer_there():
    text = object.__new__(discord.TextChannel)
    thread = object.__new__(discord.Thread)
    assert may_speak(speaker(text, send_messages=True))
    assert not may_speak(speaker(text, send_messages_in_threads=True))
    assert may_speak(speaker(thread, send_messages_in_threads=True))
    assert not may_speak(speaker(thread, send_messages=True))
    assert may_speak(SimpleNamespace(guild_id=None))
