"""What counts as an order, how it is kept, and how it reads."""

from types import SimpleNamespace
from typing import Any

import discord

from bot.operate.audit import KEEP, MOST, AuditLog, GivenOrder, audit_text, clicked, is_order, wait_for_click
from streaming.bus.notes import RecentNotes
from streaming.errors import TransientError
from tests.support.clock import ManualClock


def asked(words: str, *, manages: bool = False, number: int = 1, **options: Any) -> tuple[Any, Any]:
    interaction = SimpleNamespace(
        id=number,
        user=discord.Object(7),
        guild_id=3,
        extras={},
        namespace=list(options.items()),
        permissions=discord.Permissions(manage_guild=manages),
        is_guild_integration=lambda: True,
    )
    return interaction, SimpleNamespace(name=words.rsplit(maxsplit=1)[-1], qualified_name=words)


def test_what_reads_is_no_order_and_readers_own_alerts_are_nobodys_business():
    assert is_order(*asked("stream start"))
    assert is_order(*asked("feed add"))
    assert not any(is_order(*asked(words)) for words in ("gex chart", "stream status", "stream symbols list", "help"))
    assert not is_order(*asked("alert add"))
    assert is_order(*asked("alert add", manages=True))


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


def test_the_list_ends_where_the_message_does():
    assert audit_text([]).startswith("Nothing was changed")
    order = GivenOrder(at_ms=1_000, user_id=7, words="feed add `x`", guild_id=3, interaction_id=1)
    assert audit_text([order]) == "<t:1:f> <@7> in server 3: `/feed add x`"
    long = audit_text([order] * 200)
    assert len(long) <= 2000
    assert long.endswith(f"-# and {200 - long.count('<@7>')} more")
