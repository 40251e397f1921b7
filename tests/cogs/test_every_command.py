"""Every command, walked as everybody may meet it: who is refused, who is answered, and that answers are private."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from discord import AppCommandOptionType, app_commands

from bot.client import EXTENSIONS, GexBot
from bot.notices import Refusal
from bot.operators import Operators
from streaming.errors import GexcordError
from tests.support.host import Host, make_settings, make_snapshot

HOME, CHANNEL, OPERATOR = 10, 20, 1
FOR_OPERATORS, FOR_MANAGERS = {"admin", "stream", "token"}, {"feed"}
TYPED = {"symbols": "AAPL", "symbol": "SPX", "kind": "call_wall", "index": "SPX", "number": 1}
PEOPLE = ("reader", "admin of another server", "admin", "operator")
PLACES = ("server", "direct message", "user-installed")


class Walked:
    """An interaction of one person in one place that notes its answers."""

    def __init__(self, bot: GexBot, command: app_commands.Command[Any, ..., Any], person: str, place: str) -> None:
        manages = (person == "admin" and place == "server") or (person != "reader" and place == "user-installed")
        self.client, self.command, self.extras, self.namespace = bot, command, {}, ()
        self.id, self.type = 5, discord.InteractionType.application_command
        self.user = discord.Object(OPERATOR if person == "operator" else 2)
        self.guild_id = None if place == "direct message" else HOME if place == "server" else 99
        self.guild = None if self.guild_id is None else SimpleNamespace(get_channel_or_thread=lambda _: None)
        self.channel_id, self.channel = CHANNEL, SimpleNamespace(id=CHANNEL)
        self.permissions = discord.Permissions(manage_guild=manages, send_messages=True)
        self.app_permissions = discord.Permissions(view_channel=True, send_messages=True)
        self.is_user_integration = lambda: place == "user-installed"
        self.is_guild_integration = lambda: place == "server"
        self.response = self
        self.private: list[bool] = []
        self.followup = SimpleNamespace(send=self._more)

    def is_done(self) -> bool:
        return bool(self.private)

    async def send_message(self, _text: str | None = None, *, ephemeral: bool = False, **_: Any) -> None:
        self.private.append(ephemeral)

    async def defer(self, *, ephemeral: bool = False, **_: Any) -> None:
        self.private.append(ephemeral)

    async def edit_original_response(self, **_: Any) -> None:
        assert self.private, "edited before it was answered"

    async def _more(self, *_: Any, ephemeral: bool = False, **__: Any) -> None:
        self.private.append(ephemeral)


@dataclass
class Outcomes:
    """What came of it."""

    refused: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    """What stands in the way, such as the place where it was asked."""
    public: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)


@pytest.fixture
async def bot() -> AsyncIterator[GexBot]:
    host = Host(make_settings(discord_operator_ids=(OPERATOR,)))
    host.snapshots.latest_by_ticker = {"SPX": make_snapshot("SPX"), "NDX": make_snapshot("NDX")}
    made = host.make_bot()
    async with made:
        for name in EXTENSIONS:
            await made.load_extension(name)
        yield made


def leaves(bot: GexBot) -> list[app_commands.Command[Any, ..., Any]]:
    return [one for one in bot.tree.walk_commands() if isinstance(one, app_commands.Command)]


def given(command: app_commands.Command[Any, ..., Any]) -> dict[str, Any]:
    """Something for each option that must be there."""
    return {option.name: _value(option) for option in command.parameters if option.required}


def _value(option: app_commands.Parameter) -> Any:
    if option.choices:
        return option.choices[0].value
    if option.type is AppCommandOptionType.string:
        return TYPED.get(option.name, "SPX")
    return 1 if option.type in {AppCommandOptionType.integer, AppCommandOptionType.number} else discord.Object(CHANNEL)


async def walked(bot: GexBot, person: str, place: str) -> Outcomes:
    found = Outcomes()
    for command in leaves(bot):
        asked: Any = Walked(bot, command, person, place)
        try:
            assert all([await check(asked) for check in command.checks])
        except Refusal:
            found.refused.add(command.qualified_name)
            continue
        try:
            await command.callback(command.binding, asked, **given(command))
        except (GexcordError, Refusal):
            found.told.add(command.qualified_name)
        else:
            found.silent |= set() if asked.private else {command.qualified_name}
        found.public |= set() if all(asked.private) else {command.qualified_name}
    return found


def refused_to(bot: GexBot, person: str, place: str) -> set[str]:
    """What is not theirs: the rooms of operators, and of who may manage this very server."""
    held = {"operator": FOR_OPERATORS | FOR_MANAGERS, "admin": FOR_MANAGERS if place == "server" else set()}
    closed = (FOR_OPERATORS | FOR_MANAGERS) - held.get(person, set())
    return {one.qualified_name for one in leaves(bot) if one.qualified_name.split()[0] in closed}


@pytest.mark.parametrize("place", PLACES)
async def test_everybody_is_refused_exactly_what_is_not_theirs_and_answered_in_private(bot, place):
    for person in PEOPLE:
        found = await walked(bot, person, place)
        assert (person, found.refused) == (person, refused_to(bot, person, place))
        assert (person, found.public, found.silent) == (person, set(), set())


async def test_a_refused_admin_learns_whom_to_ask_once_that_is_known(bot):
    command = next(one for one in leaves(bot) if one.qualified_name == "stream start")
    asked: Any = Walked(bot, command, "admin", "server")
    with pytest.raises(Refusal, match=r"Ask <@1>;"):
        await command.checks[0](asked)
    asked.client = SimpleNamespace(operators=Operators((), lambda: None))
    with pytest.raises(Refusal, match="Ask whoever runs the bot;"):
        await command.checks[0](asked)


async def test_who_manages_a_server_that_the_bot_is_not_in_sets_no_alert_there(bot):
    add = next(one for one in leaves(bot) if one.qualified_name == "alert add")
    asked: Any = Walked(bot, add, "admin", "user-installed")
    assert asked.permissions.manage_guild
    with pytest.raises(Refusal, match="Only members who may manage the server"):
        await add.callback(add.binding, asked, kind="call_wall", target="here")


async def test_gex_status_is_the_first_of_all_commands(bot):
    assert leaves(bot)[0].qualified_name == "gex status"
