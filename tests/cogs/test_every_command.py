"""Every command, walked as everybody may meet it: who is refused, who is answered, and that answers are private."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import discord
import pytest
from discord import AppCommandOptionType, app_commands

from bot.client import EXTENSIONS, GexBot
from bot.notices import Refusal
from bot.operators import Operators
from bot.servers.feed_commands import FeedCommands
from bot.servers.order_store import FeedOrders, KeptOrders
from bot.servers.orders import BoardOrder
from streaming.errors import GexcordError
from tests.cogs.test_alerts import StandInAlerts
from tests.support.host import Host, make_settings, make_snapshot

HOME, CHANNEL, OTHER, OPERATOR = 10, 20, 21, 1
"""One channel of the server has a live message, the other none."""
FOR_OPERATORS, FOR_MANAGERS = {"admin", "stream", "token"}, {"feed"}
TYPED = {"symbols": "AAPL", "symbol": "SPX", "kind": "call_wall", "index": "SPX", "number": 1}
PEOPLE = ("reader", "admin of another server", "admin", "operator")
PLACES = ("server", "direct message", "user-installed")
FEED = {
    "feed add": "From now on: <#21> shows SPX",
    "feed move": "Moved: <#21> shows SPX",
    "feed pause": "It is paused: /feed resume resumes it.",
    "feed remove": "I keep no live message in <#20> any more.",
    "feed repost": "A new message comes in <#20>",
    "feed resume": "<#20> shows SPX",
    "feed set": "From now on: <#20> shows SPX",
    "feed status": "Live messages are switched off",
}
"""What who may manage the server is told of one and the same order."""
WANTING = {
    "gex book": "One book needs SPX and a related ticker",
    "gex history": "SPX has no history of this day yet.",
    "gex rank": "There is no past day of SPX yet.",
    "gex record": "There is no past day of SPX yet.",
    "token doctor": "This bot has no Schwab login to examine.",
}
NOT_HERE = "Use this in the server whose live message you mean."


class MemoryOrders:
    """An `OrderStore` of one order, which `begin` puts back."""

    def __init__(self) -> None:
        self.changes = 0
        self.begin()

    def begin(self) -> None:
        self.kept = {CHANNEL: BoardOrder(channel_id=CHANNEL, tickers=("SPX",), guild_id=HOME)}
        self.changes += 1

    async def version(self) -> int:
        return self.changes

    async def load(self) -> KeptOrders:
        return KeptOrders(version=self.changes, orders=tuple(self.kept.values()))

    async def put(self, order: BoardOrder) -> None:
        self.kept[order.channel_id] = order
        self.changes += 1

    async def remove(self, channel_id: int) -> None:
        del self.kept[channel_id]
        self.changes += 1

    async def move(self, order: BoardOrder, *, instead_of: int, **_: Any) -> None:
        await self.remove(instead_of)
        await self.put(order)

    async def ask_repost(self, channel_id: int, _at_ms: int) -> None:
        assert channel_id in self.kept


def guild_of(guild_id: int | None) -> Any:
    """The bot's server with its two channels; of one that it is not in it sees none."""
    if guild_id is None:
        return None
    guild = SimpleNamespace(id=guild_id, me=SimpleNamespace(timed_out_until=None), get_channel_or_thread={}.get)
    if guild_id == HOME:
        may = {"type": discord.ChannelType.text, "guild": guild, "permissions_for": lambda _: discord.Permissions.all()}
        guild.get_channel_or_thread = {one: SimpleNamespace(id=one, **may) for one in (CHANNEL, OTHER)}.get
    return guild


class Walked:
    """An interaction of one person in one place that notes its answers."""

    def __init__(self, bot: GexBot, command: app_commands.Command[Any, ..., Any], person: str, place: str) -> None:
        manages = (person == "admin" and place == "server") or (person != "reader" and place == "user-installed")
        self.client, self.command, self.extras, self.namespace = bot, command, {}, ()
        self.id, self.type = 5, discord.InteractionType.application_command
        self.user = discord.Object(OPERATOR if person == "operator" else 2)
        self.guild_id = None if place == "direct message" else HOME if place == "server" else 99
        self.guild = guild_of(self.guild_id)
        self.words = ""
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

    async def send_message(self, text: str | None = None, *, ephemeral: bool = False, **_: Any) -> None:
        self.private.append(ephemeral)
        self.words = text or ""

    async def defer(self, *, ephemeral: bool = False, **_: Any) -> None:
        self.private.append(ephemeral)

    async def edit_original_response(self, *, content: str | None = None, **_: Any) -> None:
        assert self.private, "edited before it was answered"
        self.words = content or ""

    async def _more(self, *_: Any, ephemeral: bool = False, **__: Any) -> None:
        self.private.append(ephemeral)


@dataclass
class Outcomes:
    """What came of it."""

    refused: set[str] = field(default_factory=set)
    told: dict[str, str] = field(default_factory=dict)
    """What stands in the way, such as the place where it was asked."""
    said: dict[str, str] = field(default_factory=dict)
    """What the answers write beside their embeds."""
    public: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)


@pytest.fixture
def kept() -> MemoryOrders:
    return MemoryOrders()


@pytest.fixture
async def bot(kept, request) -> AsyncIterator[GexBot]:
    host = Host(make_settings(discord_operator_ids=(OPERATOR,), discord_home_guild=getattr(request, "param", None)))
    host.alerts = StandInAlerts()
    host.orders = FeedOrders({}, kept)
    host.feed_desk = FeedCommands(host.orders, host.clock, per_server=9, admit=AsyncMock())
    host.snapshots.latest_by_ticker = {"SPX": make_snapshot("SPX"), "NDX": make_snapshot("NDX")}
    made = host.make_bot()
    async with made:
        for name in EXTENSIONS:
            await made.load_extension(name)
        yield made


def leaves(bot: GexBot) -> list[app_commands.Command[Any, ..., Any]]:
    """All there are, wherever they are offered."""
    rooms = [bot.tree.walk_commands(), () if bot.home is None else bot.tree.walk_commands(guild=bot.home)]
    return [one for room in rooms for one in room if isinstance(one, app_commands.Command)]


def given(command: app_commands.Command[Any, ..., Any]) -> dict[str, Any]:
    """Something for each option that must be there."""
    wanted = {option.name: _value(option) for option in command.parameters if option.required}
    return wanted | ({"channel": discord.Object(OTHER)} if command.qualified_name == "feed add" else {})


def _value(option: app_commands.Parameter) -> Any:
    if option.choices:
        return option.choices[0].value
    if option.type is AppCommandOptionType.string:
        return TYPED.get(option.name, "SPX")
    return 1 if option.type in {AppCommandOptionType.integer, AppCommandOptionType.number} else discord.Object(OTHER)


async def walked(bot: GexBot, kept: MemoryOrders, person: str, place: str) -> Outcomes:
    found = Outcomes()
    for command in leaves(bot):
        asked: Any = Walked(bot, command, person, place)
        kept.begin()
        try:
            assert all([await check(asked) for check in command.checks])
        except Refusal:
            found.refused.add(command.qualified_name)
            continue
        try:
            await command.callback(command.binding, asked, **given(command))
        except GexcordError as error:
            found.told[command.qualified_name] = error.sentence
        except Refusal as error:
            found.told[command.qualified_name] = str(error)
        else:
            found.said[command.qualified_name] = asked.words
            found.silent |= set() if asked.private else {command.qualified_name}
        found.public |= set() if all(asked.private) else {command.qualified_name}
    return found


def refused_to(bot: GexBot, person: str, place: str) -> set[str]:
    """What is not theirs: the rooms of operators, and of who may manage this very server."""
    held = {"operator": FOR_OPERATORS | FOR_MANAGERS, "admin": FOR_MANAGERS if place == "server" else set()}
    closed = (FOR_OPERATORS | FOR_MANAGERS) - held.get(person, set())
    return {one.qualified_name for one in leaves(bot) if one.qualified_name.split()[0] in closed}


def about_feed(found: Outcomes) -> dict[str, str]:
    """What each command of `/feed` answered, as much of it as is expected somewhere."""
    answers = {name: text for name, text in (found.said | found.told).items() if name.startswith("feed ")}
    return {name: FEED[name] if FEED[name] in text else text for name, text in answers.items()}


def expected_of_feed(place: str) -> dict[str, str]:
    return FEED if place == "server" else {**dict.fromkeys(FEED, NOT_HERE), "feed status": FEED["feed status"]}


def unexpected(found: Outcomes) -> dict[str, str]:
    """What stands in the way that is neither of `/feed` nor for want of a past."""
    others = {name: text for name, text in found.told.items() if not name.startswith("feed ")}
    return {name: text for name, text in others.items() if not text.startswith(WANTING.get(name, "?"))}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("bot", [None, HOME], indirect=True, ids=["everywhere", "with a home server"])
async def test_everybody_is_refused_exactly_what_is_not_theirs_and_answered_in_private(bot, kept, place):
    for person in PEOPLE:
        found = await walked(bot, kept, person, place)
        assert (person, found.refused) == (person, refused_to(bot, person, place))
        assert (person, found.public, found.silent) == (person, set(), set())
        manages = person == "operator" or (person, place) == ("admin", "server")
        assert (person, about_feed(found)) == (person, expected_of_feed(place) if manages else {})
        assert not unexpected(found), "only what a bot of an hour's age cannot know stands in the way"
        operates = person == "operator" and (bot.home is None or place == "server")
        assert [name in found.said["help"] for name in ("`/feed`", "`/stream`")] == [manages, operates]


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
