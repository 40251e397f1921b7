import pytest

from bot.sandbox.rest.posts import Posts
from bot.sandbox.rest.rations import ONE_HOUR_S, EditRations
from bot.sandbox.world.api_errors import ApiError
from bot.sandbox.world.records import Channel
from bot.sandbox.world.world import World
from tests.support.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def world(clock: ManualClock) -> World:
    return World(["gex-spx"], clock)


@pytest.fixture
def channel(world: World) -> Channel:
    return next(iter(world.channels.values()))


def test_old_messages_have_a_ration_of_edits_that_says_when_it_ends(
    world: World, channel: Channel, clock: ManualClock
) -> None:
    sent = Posts(world, "").create(channel, {"content": "a"}, [])
    rations = EditRations(world, old=2)
    for _ in range(5):
        rations.admit(sent)
    clock.advance(ONE_HOUR_S)
    rations.admit(sent)
    clock.advance(600)
    rations.admit(sent)
    with pytest.raises(ApiError) as raised:
        rations.admit(sent)
    assert (raised.value.status, raised.value.code) == (429, 30046)
    assert raised.value.body["retry_after"] == ONE_HOUR_S - 600
    clock.advance(ONE_HOUR_S - 600)
    rations.admit(sent)


def test_each_published_message_may_be_edited_three_times_an_hour(
    world: World, channel: Channel, clock: ManualClock
) -> None:
    channel.publishes = True
    first, second = (Posts(world, "").create(channel, {"content": "a"}, []) for _ in range(2))
    rations = EditRations(world)
    for message in (first, second):
        for _ in range(3):
            rations.admit(message)
        with pytest.raises(ApiError) as raised:
            rations.admit(message)
        assert raised.value.code == 20022
    clock.advance(ONE_HOUR_S)
    rations.admit(first)
