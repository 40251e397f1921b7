"""What was said with `/feed` outlives processes, and each learns of what another was told."""

import pytest

from bot.servers.order_store import FeedOrders, OrderStore
from bot.servers.orders import BoardOrder
from streaming.bus import keys

NAMED = {1: BoardOrder(channel_id=1, tickers=("SPX",))}
SAID = BoardOrder(channel_id=1, tickers=("NDX",), guild_id=7)


@pytest.fixture
def store(redis) -> OrderStore:
    return OrderStore(redis)


async def test_another_process_learns_what_was_said_and_that_it_was_taken_back(store):
    orders = FeedOrders(NAMED, store)
    assert not orders.known
    await orders.look()
    assert orders.known
    orders.changed.clear()
    await store.put(SAID)
    await orders.look()
    assert orders.changed.is_set()
    assert orders.current[1].origin == "/feed"
    assert orders.shows("NDX")
    await store.remove(1)
    await orders.look()
    assert orders.current == NAMED


async def test_nothing_is_new_where_nothing_changed(store):
    orders = FeedOrders({}, store)
    await orders.look()
    orders.changed.clear()
    await orders.look()
    assert not orders.changed.is_set()


async def test_a_moved_message_leaves_its_channel_or_rests_there(store):
    await store.put(SAID)
    moved = BoardOrder(channel_id=2, tickers=("NDX",), guild_id=7)
    await store.move(moved, instead_of=1)
    assert (await store.load()).orders == (moved,)
    rests = BoardOrder(channel_id=2, tickers=("NDX",), guild_id=7, paused=True)
    await store.move(SAID, instead_of=2, leaves=rests)
    assert (await store.load()).orders == (SAID, rests)


async def test_a_wish_for_a_new_message_stands_beside_the_order_whoever_gave_that(store):
    orders = FeedOrders(NAMED, store)
    await store.ask_repost(1, 5)
    await orders.look()
    assert (orders.current[1].reposted_ms, orders.current[1].origin) == (5, "the settings")


async def test_what_another_version_wrote_is_left_alone(store, redis, caplog):
    await redis.hset(keys.FEED_ORDERS, mapping={"3": '{"v":9}', "repost:x": "y", "later": "z"})
    assert (await store.load()).orders == ()
    assert "channel 3" in caplog.text
    await store.put(SAID)
    assert await redis.hget(keys.FEED_ORDERS, "3") == b'{"v":9}'
