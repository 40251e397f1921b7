"""A server with a channel, an operator who manages it and a guest who does not, around the real bot."""

from dataclasses import dataclass
from typing import Any

import discord
import pytest

from bot.client import GexBot
from bot.operators import Operators
from tests.support.host import Host, make_settings, make_snapshot


@dataclass
class Room:
    """One simulated conversation."""

    env: Any
    host: Host
    bot: GexBot
    channel: Any
    operator: Any
    guest: Any
    guild: Any


@pytest.fixture
def host() -> Host:
    host = Host(make_settings(discord_operator_ids=()))
    host.snapshots.latest_by_ticker = {"SPX": make_snapshot("SPX"), "NDX": make_snapshot("NDX", spot=23100.5)}
    return host


@pytest.fixture
def simcord_bot(host: Host) -> GexBot:
    """What simcord's own fixture logs in."""
    return host.make_bot()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulated Discord waits until the bot is quiet; it need not wait as long as a person."""
    monkeypatch.setattr("bot.client._UNANSWERED_S", 0.1)


@pytest.fixture
async def room(host: Host, simcord_bot: GexBot, simcord_env: Any) -> Room:
    guild = simcord_env.create_guild()
    channel = guild.create_text_channel("gex-spx")
    managers = guild.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
    operator = guild.add_member(simcord_env.create_user("olga"), roles=[managers])
    guest = guild.add_member(simcord_env.create_user("gustav"))
    simcord_bot.operators = Operators({operator.id}, lambda: None)
    return Room(simcord_env, host, simcord_bot, channel, operator, guest, guild)
