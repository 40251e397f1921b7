import pytest

from bot.sandbox.world.records import Attachment, Change, Deed, Message, MessageChange, MessageKind
from bot.sandbox.world.world import ATTACHMENT_BYTES, MESSAGES_PER_CHANNEL, World
from tests.support.clock import ManualClock


@pytest.fixture
def world() -> World:
    return World(["gex-spx"], ManualClock())


def message(world: World, *files: bytes) -> Message:
    (channel_id,) = world.channels
    attachments = [Attachment(world.snowflakes.next(), "f", data, "image/png") for data in files]
    now = world.clock.now()
    return Message(
        world.snowflakes.next(), channel_id, world.bot, MessageKind.DEFAULT, now, content="x", attachments=attachments
    )


def test_history_is_bounded_and_a_message_that_is_still_edited_stays(world: World) -> None:
    board = message(world)
    world.post(board)
    for _ in range(MESSAGES_PER_CHANNEL + 50):
        world.post(message(world))
        world.touch(board, edited=True)
    (channel,) = world.channels.values()
    assert len(channel.messages) == MESSAGES_PER_CHANNEL
    assert board.id in channel.messages


def test_old_files_are_dropped_beyond_the_bound_and_the_newest_stays(world: World) -> None:
    third = bytes(ATTACHMENT_BYTES // 3)
    posted = [message(world, third) for _ in range(6)]
    for item in posted:
        world.post(item)
    held = [bool(item.attachments[0].data) for item in posted]
    assert held == [False, False, False, True, True, True]


def test_every_change_is_told_to_every_listener_in_order(world: World) -> None:
    heard: list[Change] = []
    world.listen(heard.append)
    world.listen(heard.append)
    posted = message(world)
    world.post(posted)
    assert heard == [MessageChange(Deed.CREATE, posted)] * 2


def test_the_direct_channel_of_a_user_is_opened_once(world: World) -> None:
    owner = world.personas["owner"].member.user
    assert world.direct_channel(owner) is world.direct_channel(owner)
