"""`/alert` in a server: who may ask for what, and what the boxes offer. The way to a message is tested on the wire."""

from dataclasses import dataclass, field

import discord
import msgspec
import pytest

from bot.alerts.alert_commands import ListedRule, Reader
from bot.alerts.rules import AlertKind, Rule, Target, Window
from bot.alerts.texts import rule_text
from bot.choices import Choices
from cogs.alerts import KIND_CHOICES, _pages
from tests.cogs.test_gex import only_answer
from tests.support.alerts import rule


@dataclass
class StandInAlerts:
    """Keeps what it is told to add."""

    rules: list[Rule] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)
    steered: list[tuple[str, Target]] = field(default_factory=list)

    async def add(self, asked: Rule) -> tuple[Rule, bool]:
        self.rules.append(asked)
        return msgspec.structs.replace(asked, number=len(self.rules)), False

    async def lines(self, reader: Reader) -> list[ListedRule]:
        self.readers.append(reader)
        return [ListedRule(one, rule_text(one), "armed") for one in self.rules]

    async def remove(self, number: int, _reader: Reader) -> Rule:
        return rule(number=number)

    async def pause(self, target: Target, _reason: str) -> int:
        self.steered.append(("pause", target))
        return 2

    async def resume(self, target: Target) -> int:
        self.steered.append(("resume", target))
        return 1

    async def pause_one(self, number: int, _reader: Reader, _reason: str) -> Rule:
        return rule(number=number)

    async def resume_one(self, number: int, _reader: Reader) -> Rule:
        return rule(number=number)

    async def clear(self, target: Target) -> int:
        self.steered.append(("clear", target))
        return 2

    def removable(self, reader: Reader) -> list[Rule]:
        self.readers.append(reader)
        return [rule(number=n) for n in range(1, 40)]


@pytest.fixture
def desk(host) -> StandInAlerts:
    host.alerts = StandInAlerts()
    return host.alerts


@pytest.fixture
def simcord_bot(host, desk):
    return host.make_bot()


async def test_every_option_becomes_part_of_the_rule(room, desk):
    result = await room.guest.slash(
        room.channel, "alert add", kind="max_change", symbol="ndx", value=0.5, window="15", cooldown=30
    )
    answer = only_answer(result)
    assert answer.ephemeral
    assert answer.content.startswith(
        "Alert 1 is set, by direct message: NDX: flow 15 min exceeds $0.5Bn per 1 % at a strike (at most every 30 min)."
    )
    (kept,) = desk.rules
    assert (kept.kind, kept.ticker, kept.value, kept.window) == (AlertKind.MAX_CHANGE, "NDX", 0.5, Window.FIFTEEN)
    assert (kept.owner_id, kept.target, kept.cooldown_min) == (room.guest.id, Target(user_id=room.guest.id), 30)
    assert kept.added_ms > 0


async def test_without_a_symbol_the_channels_ticker_is_meant(room, desk):
    await room.guest.slash(room.channel, "alert add", kind="net_gex")
    assert desk.rules[0].ticker == "SPX"


async def test_a_channel_is_for_those_who_manage_the_server(room, desk):
    refused = await room.guest.slash(room.channel, "alert add", kind="net_gex", target="here")
    assert only_answer(refused).content.startswith("Only members who may manage the server")
    await room.operator.slash(room.channel, "alert add", kind="net_gex", target="here")
    (kept,) = desk.rules
    assert kept.target == Target(channel_id=room.channel.id)
    assert kept.guild_id == room.guild.id
    assert room.env.errors


async def test_a_channel_closed_to_the_bot_is_refused(room, desk):
    closed = room.guild.create_text_channel(
        "closed", overwrites={room.guild.me: discord.PermissionOverwrite(send_messages=False)}
    )
    result = await room.operator.slash(closed, "alert add", kind="net_gex", target="here")
    assert only_answer(result).content.startswith("I may not write in this channel.")
    assert desk.rules == []
    assert room.env.errors


async def test_the_list_is_private_and_knows_who_asks(room, desk):
    desk.rules.append(rule(number=4))
    result = await room.operator.slash(room.channel, "alert list")
    assert only_answer(result).ephemeral
    assert only_answer(result).content == "`4` SPX: spot crosses zero gamma (at most every 1 min)\n> armed"
    await room.guest.slash(room.channel, "alert list")
    manages = [(reader.channel_id, reader.manages) for reader in desk.readers]
    assert manages == [(room.channel.id, True), (room.channel.id, False)]


async def test_the_boxes_offer_tickers_and_at_most_twenty_five_numbers(room):
    found = await room.guest.autocomplete(room.channel, "alert add", "symbol", "n")
    assert [choice["value"] for choice in found] == ["NDX"]
    numbers = await room.guest.autocomplete(room.channel, "alert remove", "number", "")
    assert [choice["value"] for choice in numbers] == list(range(1, 26))
    assert numbers[0]["name"] == "1 · SPX: spot crosses zero gamma (at most every 1 min)"


def test_a_long_list_is_cut_between_alerts():
    lines = [ListedRule(rule(number=n), "x" * 150, "armed") for n in range(1, 40)]
    pages = _pages(lines)
    assert all(len(page) <= 2000 for page in pages)
    assert sum(page.count("> armed") for page in pages) == 39


def test_every_kind_can_be_chosen():
    assert {choice.value for choice in KIND_CHOICES} == {kind.value for kind in AlertKind}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kind": "call_wall", "window": "15"}, "takes no `window`"),
        ({"kind": "price", "value": 6400.0, "scope": "zero"}, "no `scope` and no `weight`"),
        ({"kind": "price", "value": 6400.0, "weight": "vol"}, "no `scope` and no `weight`"),
        ({"kind": "net_gex", "value": 3.0}, "takes no `value`"),
    ],
)
async def test_an_option_that_the_kind_would_not_look_at_is_refused(room, desk, options, words):
    result = await room.guest.slash(room.channel, "alert add", symbol="SPX", **options)
    assert words in only_answer(result).content
    assert desk.rules == []
    assert room.env.errors


async def test_the_audit_hears_of_a_channels_alerts_and_not_of_an_operators_own(room, desk):
    for options in ({"kind": "net_gex"}, {"kind": "net_gex", "target": "here"}):
        await room.operator.slash(room.channel, "alert add", **options)
    await room.operator.slash(room.channel, "alert pause")
    assert [msgspec.json.decode(text)["words"] for text in room.host.noted.texts] == [
        "alert add kind:net_gex target:here"
    ]


async def test_one_alert_is_paused_and_resumed_by_its_number(room, desk):
    rested = await room.guest.slash(room.channel, "alert pause", number=3)
    assert rested.response.content.startswith("Alert 3 is paused until /alert resume: SPX: spot crosses zero gamma")
    run = await room.guest.slash(room.channel, "alert resume", number=3)
    assert run.response.content.startswith("Alert 3 is running again: SPX")
    assert desk.steered == []


async def test_readers_steer_their_own_alerts_and_only_managers_a_channels(room, desk):
    own = await room.guest.slash(room.channel, "alert pause")
    assert own.response.content.startswith("2 alerts by direct message are paused until /alert resume.")
    refused = await room.guest.slash(room.channel, "alert pause", target="here")
    assert refused.response.content.startswith("Only members who may manage the server")
    assert room.env.errors
    run = await room.operator.slash(room.channel, "alert resume", target="here")
    assert run.response.content == "1 alert of this channel is running again."
    asked = await room.guest.slash(room.channel, "alert clear")
    assert asked.response.ephemeral and len(desk.steered) == 2
    await room.guest.click(asked.response, label="Remove all")
    me, here = Target(user_id=room.guest.id), Target(channel_id=room.channel.id)
    assert desk.steered == [("pause", me), ("resume", here), ("clear", me)]
    assert '"alert resume target:here"' in room.host.noted.texts[0] and len(room.host.noted.texts) == 1


async def test_an_alert_is_of_the_figure_that_the_channels_message_shows(room, desk):
    mine = {"SPX": {room.channel.id: Choices(scope="zero", weight="vol")}}
    object.__setattr__(room.host.settings, "gex_feed_channel_map", mine)
    for kind, given in (("zero_gamma", {}), ("zero_gamma", {"scope": "full"}), ("price", {"value": 6400.0})):
        await room.guest.slash(room.channel, "alert add", kind=kind, symbol="SPX", **given)
    assert [(one.scope, one.weight) for one in desk.rules] == [("zero", "vol"), ("full", "vol"), (None, None)]
