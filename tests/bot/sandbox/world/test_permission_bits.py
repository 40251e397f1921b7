import pytest

from bot.sandbox.world.permission_bits import ALL_PERMISSIONS, Permission, guild_permissions, permissions_in
from bot.sandbox.world.records import Member, Overwrite, User
from bot.sandbox.world.world import World
from tests.support.clock import ManualClock


@pytest.fixture
def world() -> World:
    return World(["gex-spx"], ManualClock())


def test_the_owner_may_do_everything_and_the_guest_administers_nothing(world: World) -> None:
    owner, guest = (world.personas[key].member for key in ("owner", "guest"))
    assert guild_permissions(world.guild, owner) == ALL_PERMISSIONS
    held = guild_permissions(world.guild, guest)
    assert held & Permission.SEND_MESSAGES
    assert not held & (Permission.ADMINISTRATOR | Permission.MANAGE_GUILD | Permission.MANAGE_MESSAGES)


def test_the_bot_may_send_files_and_embeds_and_administers_nothing(world: World) -> None:
    held = guild_permissions(world.guild, world.bot_member)
    assert held & Permission.ATTACH_FILES
    assert held & Permission.EMBED_LINKS
    assert not held & Permission.ADMINISTRATOR


def test_a_members_own_overwrite_beats_the_one_of_everyone(world: World) -> None:
    (channel,) = world.channels.values()
    channel.overwrites[world.guild.id] = Overwrite(0, deny=Permission.SEND_MESSAGES)
    assert not permissions_in(world.guild, channel, world.bot_member) & Permission.SEND_MESSAGES
    channel.overwrites[world.bot.id] = Overwrite(1, allow=Permission.SEND_MESSAGES)
    assert permissions_in(world.guild, channel, world.bot_member) & Permission.SEND_MESSAGES
    stranger = Member(User(5, "s", "S"))
    assert not permissions_in(world.guild, channel, stranger) & Permission.SEND_MESSAGES
