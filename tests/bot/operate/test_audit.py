"""What counts as an order, how it is kept, and how it reads."""

from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import discord

from bot.operate.audit import (
    KEEP,
    MOST,
    AuditLog,
    GivenOrder,
    audit_file,
    audit_text,
    clicked,
    concerns_others,
    is_order,
    names_of,
    wait_for_click,
)
from streaming.bus.notes import RecentNotes
from streaming.errors import TransientError
from tests.support.clock import ManualClock


def asked(words: str, *, number: int = 1, **options: Any) -> tuple[Any, Any]:
    interaction = SimpleNamespace(
        id=number,
        user=discord.Object(7),
        guild_id=3,
        extras={},
        namespace=list(options.items()),
    )
    return interaction, SimpleNamespace(name=words.rsplit(maxsplit=1)[-1], qualified_name=words)


def test_what_reads_is_no_order_and_readers_own_alerts_are_nobodys_business():
    assert is_order(*asked("stream start"))
    assert is_order(*asked("feed add"))
    assert not any(is_order(*asked(words)) for words in ("gex chart", "stream status", "stream symbols list", "help"))
    assert not is_order(*asked("alert add"))
    of_a_channel, command = asked("alert add")
    concerns_others(of_a_channel)
    assert is_order(of_a_channel, command)


def test_a_command_that_asks_first_is_an_order_once_it_is_confirmed():
    interaction, command = asked("stream stop")
    wait_for_click(interaction)
    assert not is_order(interaction, command)
    clicked(interaction)
    assert is_order(interaction, command)


async def test_the_newest_two_hundred_of_the_last_ninety_days_are_kept(redis):
    clock = ManualClock()
    log = AuditLog(RecentNotes(redis, "audit", about="orders", most=MOST, keep=KEEP), clock)
    for number in range(MOST + 2):
        await log.note(*asked("stream symbols add", number=number, symbols="AAPL", channel=discord.Object(9)))
        clock.advance(1)
    found = await log.newest()
    assert [order.interaction_id for order in found] == list(range(MOST + 1, 1, -1))
    assert found[0].words == "stream symbols add symbols:AAPL channel:9"
    clock.advance(KEEP.total_seconds() - 1.5)
    assert len(await log.newest()) == 1
    clock.advance(1)
    assert await log.newest() == []


async def test_an_order_is_carried_out_also_where_it_cannot_be_noted(caplog):
    class Away:
        async def add(self, _text: str, _at_ms: int) -> None:
            raise TransientError("Redis is away.")

    notes: Any = Away()
    await AuditLog(notes, ManualClock()).note(*asked("stream start"))
    assert "/stream start by user 7 is in the log only: Redis is away." in caplog.text


CHANNEL, SERVER = 1_100_000_000_000_000_009, 1_100_000_000_000_000_003


def nobody(_number: int) -> None:
    return None


def test_the_list_ends_where_the_message_does_and_a_file_has_all_two_hundred():
    assert audit_text([], nobody).startswith("Nothing was changed")
    order = GivenOrder(at_ms=1_000, user_id=7, words="feed add `x`", guild_id=3, interaction_id=1)
    assert audit_text([order], nobody) == "<t:1:f> <@7> in server 3: `/feed add x`"
    assert audit_file([order], nobody) == "", "a message holds it"
    long = audit_text([order] * 200, nobody)
    assert len(long) <= 2000
    assert long.endswith(f"-# and {200 - long.count('<@7>')} more")
    lines = audit_file([order] * 200, nobody).splitlines()
    assert lines == ["1969-12-31 19:00:01 New York  7 in server 3: /feed add `x`"] * 200


def test_channels_and_servers_have_the_names_that_people_know_them_by():
    order = GivenOrder(
        at_ms=1_000, user_id=7, words=f"feed add channel:{CHANNEL} refresh:15", guild_id=SERVER, interaction_id=1
    )
    names = {CHANNEL: "#gamma", SERVER: "The_Desk", 7: "ann"}.get
    assert audit_text([order], names) == "<t:1:f> <@7> in The\\_Desk: `/feed add channel:#gamma refresh:15`"
    line = audit_file([order] * 40, names).splitlines()[0]
    assert line.endswith(f"  ann (7) in server The_Desk ({SERVER}): /feed add channel:#gamma ({CHANNEL}) refresh:15")


def test_names_are_those_of_the_bots_own_servers():
    channel = Mock(spec=discord.TextChannel)
    channel.name = "gamma"
    role = SimpleNamespace(name="traders")
    guild = SimpleNamespace(name="Desk", get_role=lambda number: {5: role}.get(number))
    client: Any = SimpleNamespace(
        guilds=[guild],
        get_channel=lambda number: channel if number == CHANNEL else None,
        get_guild={SERVER: guild}.get,
        get_user=lambda _: None,
    )
    assert [names_of(client)(number) for number in (CHANNEL, 5, SERVER, 8)] == ["#gamma", "@traders", "Desk", None]
