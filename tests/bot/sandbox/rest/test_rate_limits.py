"""None"""

import pytest

from bot.sandbox.rest.posts import Posts
from bot.sandbox.rest.rate_limits import EDIT_MESSAGE, ONE_HOUR_S, EditRations, Quota, RateLimiter
from bot.sandbox.world.api_errors import ApiError
from bot.sandbox.world.records import Channel
from bot.sandbox.world.world import World
from tests.support.clock import ManualClock

QUOTA = Quota("test", 2, 5.0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def test_a_bucket_empties_and_fills_again_when_its_window_ends(clock: ManualClock) -> None:
    limiter = RateLimiter(clock)
    assert [limiter.take(QUOTA).allowed for _ in range(3)] == [True, True, False]
    clock.advance(4.9)
    assert not limiter.take(QUOTA).allowed
    clock.advance(0.2)
    assert limiter.take(QUOTA).allowed


def test_a_window_begins_with_its_first_request(clock: ManualClock) -> None:
    limiter = RateLimiter(clock)
    limiter.take(QUOTA)
    clock.advance(3)
    assert limiter.take(QUOTA).reset_after_s == pytest.approx(2.0)


def test_channels_do_not_share_a_bucket_and_names_do_not_either(clock: ManualClock) -> None:
    limiter = RateLimiter(clock)
    for _ in range(2):
        limiter.take(QUOTA, "1")
    assert not limiter.take(QUOTA, "1").allowed
    assert limiter.take(QUOTA, "2").allowed
    assert limiter.take(EDIT_MESSAGE, "1").allowed


def test_headers_say_what_a_client_reads(clock: ManualClock) -> None:
    limiter = RateLimiter(clock)
    limiter.take(QUOTA)
    clock.advance(1.00004)
    headers = limiter.take(QUOTA).headers(1_000.0)
    assert headers == {
        "X-RateLimit-Limit": "2",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "1004.000",
        "X-RateLimit-Reset-After": "4.000",
        "X-RateLimit-Bucket": QUOTA.bucket,
    }


def test_who_waits_as_told_is_never_early(clock: ManualClock) -> None:
    limiter = RateLimiter(clock)
    for _ in range(20):
        while (verdict := limiter.take(QUOTA)).allowed:
            clock.advance(0.0001234)
        clock.advance(float(verdict.headers(0.0)["X-RateLimit-Reset-After"]))
        assert limiter.take(QUOTA).allowed


def test_the_whole_bot_may_ask_fifty_times_a_second(clock: ManualClock) -> None:
    limiter = RateLimiter(clock)
    assert [limiter.take_global().allowed for _ in range(51)].count(True) == 50


def test_the_second_of_the_whole_bot_slides(clock: ManualClock) -> None:
    limiter = RateLimiter(clock)
    clock.advance(0.9)
    assert all(limiter.take_global().allowed for _ in range(50))
    clock.advance(0.2)
    refused = limiter.take_global()
    assert not refused.allowed
    clock.advance(refused.reset_after_s + 0.001)
    assert limiter.take_global().allowed


def test_windows_that_ended_are_forgotten(clock: ManualClock) -> None:
    limiter = RateLimiter(clock)
    for number in range(3_000):
        limiter.take(QUOTA, str(number))
        clock.advance(1)
    assert len(limiter._windows) < 1_000


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
