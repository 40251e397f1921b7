import pytest

from streaming.bus import keys
from streaming.errors import TransientError
from streaming.recording.tick_follower import Position, TickFollower

TRIMMED = "the stream was trimmed before it was read"


async def add(redis, *numbers):
    for number in numbers:
        await redis.xadd(keys.TICKS_STREAM, {"data": b"%d" % number})


def payloads(page):
    return [int(payload) for _, payload in page.entries]


async def test_a_new_follower_begins_with_what_comes_next(redis):
    await add(redis, 1, 2)
    follower = TickFollower(redis)
    assert payloads(await follower.read()) == []
    await add(redis, 3, 4)
    assert payloads(await follower.read()) == [3, 4]
    assert payloads(await follower.read()) == []


async def test_a_stream_that_does_not_exist_yet_is_read_from_its_beginning(redis):
    follower = TickFollower(redis)
    await follower.read()
    await add(redis, 1)
    page = await follower.read()
    assert (payloads(page), page.gap) == ([1], None)


async def test_a_saved_position_is_gone_on_from(redis):
    follower = TickFollower(redis)
    await follower.read()
    await add(redis, 1, 2)
    await follower.read()
    await add(redis, 3)
    page = await TickFollower(redis, follower.position).read()
    assert (payloads(page), page.gap) == ([3], None)


async def test_long_backlogs_come_in_pages(redis):
    follower = TickFollower(redis, page=2)
    await follower.read()
    await add(redis, *range(5))
    pages = [payloads(await follower.read()) for _ in range(4)]
    assert pages == [[0, 1], [2, 3], [4], []]


async def test_what_was_trimmed_unread_is_counted_exactly(redis):
    follower = TickFollower(redis, page=2)
    await follower.read()
    await add(redis, 1, 2, 3)
    await follower.read()
    await add(redis, *range(4, 14))
    await redis.xtrim(keys.TICKS_STREAM, maxlen=3, approximate=False)
    page = await follower.read()
    assert (payloads(page), page.gap, page.lost) == ([11, 12], TRIMMED, 8)
    page = await follower.read()
    assert (payloads(page), page.gap) == ([13], None), "one loss is told once"


async def test_what_was_trimmed_after_it_was_read_is_no_loss(redis):
    follower = TickFollower(redis)
    await follower.read()
    await add(redis, 1, 2, 3)
    await follower.read()
    await redis.xtrim(keys.TICKS_STREAM, maxlen=0, approximate=False)
    await add(redis, 4)
    page = await follower.read()
    assert (payloads(page), page.gap) == ([4], None)


async def test_a_server_that_does_not_count_still_shows_that_something_is_missing(redis):
    await add(redis, *range(5))
    await redis.xtrim(keys.TICKS_STREAM, maxlen=2, approximate=False)
    page = await TickFollower(redis, Position("1-0", None)).read()
    assert (payloads(page), page.gap, page.lost) == ([3, 4], TRIMMED, None)


async def test_a_stream_that_began_anew_is_read_from_its_beginning_and_told(redis):
    follower = TickFollower(redis)
    await add(redis, 1)
    await follower.read()
    await redis.delete(keys.TICKS_STREAM)
    await redis.xadd(keys.TICKS_STREAM, {"data": b"7"}, id="5-0")
    page = await follower.read()
    assert (payloads(page), page.gap, page.lost) == ([], "the stream began anew", None)
    page = await follower.read()
    assert (payloads(page), page.gap) == ([7], None)


async def test_a_redis_that_is_away_is_worth_another_try():
    from streaming.bus.redis_connection import make_client

    async with make_client("redis://127.0.0.1:1/0") as redis:
        with pytest.raises(TransientError):
            await TickFollower(redis).read()
