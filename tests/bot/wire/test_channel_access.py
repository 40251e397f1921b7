from datetime import UTC, datetime

import discord
import pytest

from bot.wire.channel_access import NEEDED, effective_permissions, missing_permissions, needed_in, timed_out_until

EVERYONE, BOTS, MUTED, ME = "10", "11", "12", "99"


def bits(**names):
    return str(discord.Permissions(**names).value)


def guild(everyone="0", bots="0", owner="1"):
    roles = [
        {"id": EVERYONE, "permissions": everyone},
        {"id": BOTS, "permissions": bots},
        {"id": MUTED, "permissions": "0"},
    ]
    return {"id": EVERYONE, "owner_id": owner, "roles": roles}


def overwrite(target, allow="0", deny="0"):
    return {"id": target, "type": 0, "allow": allow, "deny": deny}


NEEDED_BITS = str(NEEDED.value)


def test_roles_add_up():
    found = effective_permissions(guild(bits(view_channel=True), bits(send_messages=True)), [BOTS], [], ME)
    assert found.view_channel
    assert found.send_messages
    assert not found.embed_links


def test_a_role_the_bot_does_not_have_gives_nothing():
    found = effective_permissions(guild(bits(view_channel=True), NEEDED_BITS), [], [], ME)
    assert not found.send_messages


@pytest.mark.parametrize(
    ("overwrites", "may_send"),
    [
        ([overwrite(EVERYONE, deny=bits(send_messages=True))], False),
        ([overwrite(EVERYONE, deny=bits(send_messages=True)), overwrite(BOTS, allow=bits(send_messages=True))], True),
        ([overwrite(BOTS, deny=bits(send_messages=True)), overwrite(ME, allow=bits(send_messages=True))], True),
        ([overwrite(ME, deny=bits(send_messages=True)), overwrite(BOTS, allow=bits(send_messages=True))], False),
        ([overwrite(MUTED, deny=bits(send_messages=True)), overwrite(BOTS, allow=bits(send_messages=True))], True),
        ([overwrite("77", deny=bits(send_messages=True))], True),
    ],
)
def test_the_nearer_overwrite_wins_and_among_roles_allowing_does(overwrites, may_send):
    found = effective_permissions(guild(NEEDED_BITS), [BOTS, MUTED], overwrites, ME)
    assert found.send_messages is may_send


def test_only_what_somebody_must_grant_is_missing():
    found = effective_permissions(guild(NEEDED_BITS), [], [overwrite(EVERYONE, deny=bits(view_channel=True))], ME)
    assert missing_permissions(found) == ("View Channel",)
    assert missing_permissions(discord.Permissions.none()) == (
        "View Channel",
        "Send Messages",
        "Embed Links",
        "Attach Files",
        "Read Message History",
    )


@pytest.mark.parametrize(
    ("kind", "locked", "missing"),
    [
        (0, False, ("Embed Links",)),
        (2, False, ("Connect", "Embed Links")),
        (13, False, ("Connect", "Embed Links")),
        (11, False, ("Send Messages in Threads", "Embed Links")),
        (12, True, ("Send Messages in Threads", "Manage Threads", "Embed Links")),
    ],
)
def test_each_kind_of_channel_needs_its_own(kind, locked, missing):
    granted = discord.Permissions(NEEDED.value)
    granted.update(embed_links=False)
    assert missing_permissions(granted, needed_in(kind, locked=locked)) == missing


def test_a_time_out_counts_until_it_is_over_and_never_for_administrators():
    member, now = {"communication_disabled_until": "2026-08-20T12:00:00+00:00"}, datetime(2026, 8, 20, 11, tzinfo=UTC)
    until = datetime(2026, 8, 20, 12, tzinfo=UTC)
    assert timed_out_until(member, NEEDED, now) == until
    assert timed_out_until(member, NEEDED, until) is None
    assert timed_out_until(member, discord.Permissions.all(), now) is None
    assert timed_out_until({"communication_disabled_until": None}, NEEDED, now) is None


def test_administrators_and_the_owner_have_everything_whatever_is_denied():
    denied = [overwrite(EVERYONE, deny=NEEDED_BITS)]
    assert not missing_permissions(effective_permissions(guild("0", bits(administrator=True)), [BOTS], denied, ME))
    assert not missing_permissions(effective_permissions(guild(owner=ME), [], denied, ME))
