"""Events that cannot be read, and what tells boards that a place has changed."""

from types import SimpleNamespace

import discord
import pytest

from bot.sandbox.world.permission_bits import Permission
from bot.wire.gateway_events import GatewayEvents
from tests.support.discord_wire import live_bot
from tests.support.wire import until

OWN_ID = 9


def changes_of(name, data):
    events, told = GatewayEvents(SimpleNamespace(user=SimpleNamespace(id=OWN_ID), get_channel=lambda _id: None)), []
    events.on_place_changed(told.append)
    events.guarded({name: lambda _data: None})[name](data)
    return told


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("GUILD_CREATE", {"id": "1"}, [None]),
        ("GUILD_ROLE_UPDATE", {"guild_id": "1", "role": {}}, [None]),
        ("GUILD_MEMBER_UPDATE", {"guild_id": "1", "user": {"id": "9"}}, [None]),
        ("GUILD_MEMBER_UPDATE", {"guild_id": "1", "user": {"id": "8"}}, []),
        ("GUILD_MEMBER_UPDATE", {"guild_id": "1"}, []),
        ("CHANNEL_CREATE", {"id": "5"}, [5]),
        ("CHANNEL_UPDATE", {"id": "5"}, [5]),
        ("CHANNEL_UPDATE", {"id": None}, []),
        ("CHANNEL_UPDATE", [], []),
        ("THREAD_UPDATE", {"id": "6"}, [6]),
        ("THREAD_LIST_SYNC", {"threads": [{"id": "6"}, {}, {"id": "7"}]}, [6, 7]),
        ("THREAD_LIST_SYNC", {"threads": None}, []),
        ("MESSAGE_CREATE", {"id": "5"}, []),
        ("TYPING_START", {"channel_id": "5"}, []),
    ],
)
def test_what_may_mend_a_place_is_told_with_its_channel_where_it_is_one(name, data, told):
    assert changes_of(name, data) == told


def test_a_listener_that_fails_keeps_neither_the_others_nor_the_connection_from_the_change(caplog):
    events, told = GatewayEvents(SimpleNamespace(user=None)), []

    def broken(_channel_id):
        raise KeyError("oops")

    events.on_place_changed(broken)
    events.on_place_changed(told.append)
    events.guarded({"GUILD_CREATE": lambda _data: None})["GUILD_CREATE"]({})
    assert told == [None]
    assert "could not be passed on" in caplog.text


def test_an_unreadable_event_is_logged_once_without_its_words_counted_and_its_change_is_told_all_the_same(caplog):
    events, told = GatewayEvents(SimpleNamespace(user=None)), []
    events.on_place_changed(told.append)

    def reader(data):
        raise KeyError(data["secret"])

    read = events.guarded({"GUILD_ROLE_UPDATE": reader})["GUILD_ROLE_UPDATE"]
    read({"secret": "hunter2"})
    read({"secret": "hunter2"})
    (line,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "GUILD_ROLE_UPDATE" in line.getMessage() and "KeyError" in line.getMessage()
    assert "hunter2" not in caplog.text and line.exc_info is None
    assert (events.unread, told) == (2, [None, None])


def test_a_ready_that_cannot_be_read_is_no_session():
    def reader(data):
        raise KeyError

    with pytest.raises(KeyError):
        GatewayEvents(SimpleNamespace(user=None)).guarded({"READY": reader})["READY"]({})


async def test_the_bot_lives_through_an_event_that_discord_py_cannot_read_and_hears_the_next():
    async with live_bot() as (sandbox, bot, running):
        told = []
        bot.events.on_place_changed(told.append)
        sandbox.gateway.dispatch("CHANNEL_UPDATE", {"id": "123"})  # no guild, no type: discord.py raises
        sandbox.gateway.dispatch("GUILD_ROLE_UPDATE", {"guild_id": str(sandbox.guild_id)})
        channel_id = next(iter(sandbox.channel_ids.values()))
        sandbox.world.deny(channel_id, Permission.SEND_MESSAGES)
        await until(lambda: channel_id in told)
        assert told[:2] == [123, None]
        assert not running.done()
        assert isinstance(bot.get_channel(channel_id), discord.TextChannel)
