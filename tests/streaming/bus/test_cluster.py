"""streaming/bus/cluster.py, on three masters with a replica each; the last test kills a master."""

import asyncio

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import MovedError

from bot.alerts.rule_store import AlertStore, Claim, Entry
from bot.alerts.rules import AlertState
from bot.check.check import check_redis
from bot.feed.ledger import Ledger, LedgerEntry
from bot.settings import BotSettings
from bot.setup.kept_keys import is_in_use, kept_names, read_keys, write_keys
from streaming.bus import keys
from streaming.bus.cluster import key_of
from streaming.bus.lease import Lease, LeaseLostError
from streaming.bus.publish.publisher import TradingEventPublisher
from streaming.bus.redis_connection import make_client, masters_without_copy, open_redis
from streaming.bus.shared_secret import SharedSecret
from streaming.bus.subscription import messages
from streaming.errors import ConfigurationError
from tests.support.alerts import rule
from tests.support.events import book, candle, tick
from tests.support.failover import assert_nothing_lost, change_secret, fail_over, keep_message, stream_through
from tests.support.redis_groups import cluster_group


@pytest.fixture(scope="module")
def group(tmp_path_factory):
    with cluster_group(tmp_path_factory.mktemp("cluster")) as servers:
        yield servers


@pytest.fixture
async def cluster(group):
    async with open_redis(group.url) as redis:
        for master in await redis.masters():
            await master.flushall()
        yield redis


async def test_every_command_goes_to_the_master_that_owns_its_key(cluster):
    names = [f"key:{n}" for n in range(20)]
    for name in names:
        await cluster.set(name, name)
    assert [await cluster.get(name) for name in names] == [name.encode() for name in names]
    assert sorted([name async for name in cluster.scan_iter(match="key:*")]) == sorted(map(str.encode, names))
    assert len(await cluster.masters()) == 3


@pytest.mark.parametrize("transaction", [False, True])
async def test_a_pipelines_replies_come_in_the_order_of_its_commands(cluster, transaction):
    async with cluster.pipeline(transaction=transaction) as pipeline:
        for n in range(10):
            pipeline.set(f"key:{n}", n)
        pipeline.publish("channel", "news")
        for n in range(10):
            pipeline.get(f"key:{n}")
        replies = await pipeline.execute()
    assert replies[:10] == [True] * 10
    assert replies[11:] == [str(n).encode() for n in range(10)]


async def test_a_key_that_has_moved_is_found_again(cluster, group):
    await cluster.set("key", "here")
    masters = await cluster.masters()
    cluster._owners = [masters[(masters.index(owner) + 1) % 3] for owner in cluster._owners]
    assert await cluster.get("key") == b"here"
    cluster._owners = [masters[(masters.index(owner) + 1) % 3] for owner in cluster._owners]
    async with cluster.pipeline(transaction=False) as pipeline:
        pipeline.get("key")
        with pytest.raises(MovedError):
            await pipeline.execute()
    async with cluster.pipeline(transaction=False) as pipeline:
        pipeline.get("key")
        assert await pipeline.execute() == [b"here"]


async def test_what_is_published_anywhere_reaches_a_reader_at_any_member(cluster):
    for _ in range(3):
        heard = asyncio.create_task(anext(messages(cluster, "channel")))
        async with asyncio.timeout(5):
            while not heard.done():
                await cluster.publish("channel", "news")
                await asyncio.sleep(0.01)
        assert heard.result() == b"news"


async def test_a_member_named_as_one_server_and_one_server_named_as_a_cluster_are_wrong_settings(group, redis_url):
    with pytest.raises(ConfigurationError, match="is a member of a Cluster"):
        async with open_redis(f"redis://127.0.0.1:{group.ports[0]}/0"):
            pass
    with pytest.raises(ConfigurationError, match="is no Cluster"):
        async with open_redis(redis_url.replace("redis://", "redis+cluster://")):
            pass


async def test_while_no_member_answers_a_command_fails_at_once():
    redis = make_client("redis+cluster://127.0.0.1:9,127.0.0.1:10")
    with pytest.raises(RedisConnectionError):
        await redis.get("key")
    await redis.aclose()


async def test_each_stream_is_written_where_it_is_and_only_by_the_holder_of_the_lease(cluster):
    old, new = (Lease(cluster, keys.STREAM_LEASE, name) for name in ("old", "new"))
    assert await old.acquire()
    events = [make(n) for n, make in enumerate((tick, book, candle, tick))]
    async with TradingEventPublisher(cluster) as first, TradingEventPublisher(cluster) as second:
        with first.under(old), second.under(new):
            first.publish(events)
            await _idle(first)
            await cluster.delete(keys.STREAM_LEASE)
            assert await new.acquire()
            second.publish([tick(9)])
            await _idle(second)
            first.publish([candle(10)])  # the new holder has written no candle yet: it shut the old one out before
            await _idle(first)
    lengths = [await cluster.xlen(stream) for stream in (keys.TICKS_STREAM, keys.LEVEL2_STREAM, keys.CANDLES_STREAM)]
    assert lengths == [3, 1, 1]
    assert (first.stats.published, first.stats.fenced, second.stats.published) == (4, 1, 1)


async def test_a_login_of_several_machines_lies_in_one_slot(cluster):
    here, there = (SharedSecret(cluster, keys.LOGIN, about="the Schwab login") for _ in range(2))
    epoch = await here.take("a", 60_000)
    assert await there.take("b", 60_000) == 0
    assert await here.replace(epoch, b"sealed")
    assert (await there.look()).sealed == b"sealed"
    await here.give_back(epoch)
    assert await there.take("b", 60_000) > epoch


async def test_an_earlier_holder_cannot_write_into_the_ledger_that_the_new_one_has_read(cluster):
    old, new = (Lease(cluster, keys.FEED_LEASE, name) for name in ("old", "new"))
    assert await old.acquire()
    before, after = Ledger(cluster, old), Ledger(cluster, new)
    await before.save(5, LedgerEntry(session="2026-11-30", message_id=1, revision=1))
    await cluster.delete(keys.FEED_LEASE)
    assert await new.acquire()
    assert (await after.known())[5].message_id == 1
    with pytest.raises(LeaseLostError):
        await before.save(5, LedgerEntry(session="2026-11-30", message_id=2, revision=2))
    await after.save(5, LedgerEntry(session="2026-11-30", message_id=3, revision=1))
    assert (await after.load(5)).message_id == 3


async def test_alerts_keep_their_scripts_in_one_slot(cluster, monkeypatch):
    monkeypatch.setattr("bot.alerts.rule_store._GATHER_MS", 0)
    store = AlertStore(cluster)
    kept = await store.add(rule(), most=5)
    entry = Entry(number=kept.number, text="it happened", claimed_ms=1)
    state = AlertState(told=1, episode=1)
    assert await store.commit([Claim(kept.number, 0, state, kept.target, entry)]) == []
    [batch] = await store.claim(most=5)
    assert batch.entries == (entry,)
    assert await store.done(batch, 7) is None
    assert await store.done(batch, 8) == 7
    assert (await store.load()).rules == {kept.number: kept}


async def test_what_a_backup_keeps_moves_from_one_server_to_a_cluster_and_back(cluster, redis):
    await redis.hset(f"{keys.ALERTS}:rules", "1", "a rule")
    await redis.set(keys.lease_epoch(keys.FEED_LEASE), "5")
    await redis.hset(keys.FEED_ORDERS, "7", "an order")
    kept = await read_keys(redis, await kept_names(redis, in_use=False), now_ms=0)
    await write_keys(cluster, kept, instead_of=[], now_ms=0)
    assert await cluster.hget("{gex:alerts}:rules", "1") == b"a rule"
    assert await cluster.get("{gexcord:lease:feed}:epoch") == b"5"
    assert await cluster.hget(keys.FEED_ORDERS, "7") == b"an order"
    back = await read_keys(cluster, names := await kept_names(cluster, in_use=False), now_ms=0)
    assert sorted(key.name for key in back) == sorted(key.name for key in kept)
    await write_keys(cluster, back, instead_of=names, now_ms=0)
    assert await kept_names(cluster, in_use=False) == names
    assert not await is_in_use(cluster)


async def test_a_master_without_a_copy_is_warned_of_by_the_check(group, cluster):
    assert await masters_without_copy(cluster) == (0, 3)
    finding = await check_redis(BotSettings(_env_file=None, redis_url=group.url.replace("//", "//default:@")))
    assert finding.line.endswith("copies follow 3 of its 3 masters.")
    assert "default" not in finding.line


async def test_a_failover_in_mid_session_loses_no_event_and_no_login_and_doubles_neither_event_nor_message(
    group, cluster
):
    dead = asyncio.Event()

    assert group.master_of(keys.TICKS_STREAM) == group.master_of(keys.FEED_LEDGER)

    async def trouble(feeder):
        master = await fail_over(group, feeder, dead)
        group.start(master)  # as the copy of the one that took over, without which nothing would be acknowledged

    streamed, channel, (counted, found) = await asyncio.gather(
        stream_through(cluster, trouble), keep_message(cluster, dead), change_secret(cluster, dead)
    )
    assert_nothing_lost(streamed)
    assert list(channel.messages.values()) == ["newest"]
    assert found in {counted, counted + 1}, "a refresh token that rotated is lost, and with it the login"


@pytest.mark.parametrize(
    ("command", "key"),
    [
        (("GET", "a"), b"a"),
        (("EVALSHA", "0" * 40, 2, b"a", "b", "c"), b"a"),
        (("EVAL", "return 1", 0, "c"), None),
        (("XREAD", "COUNT", "5", b"STREAMS", "a", "0"), b"a"),
        (("XINFO STREAM", "a"), b"a"),
        (("PUBLISH", "a", "b"), None),
    ],
)
def test_the_key_of_a_command_is_where_its_grammar_has_it(command, key):
    assert key_of(command) == key


@pytest.mark.parametrize(
    ("name", "placed"),
    [
        ("gexcord:lease:feed:epoch", "{gexcord:lease:feed}:epoch"),
        ("gexcord:feed:messages:chores", "{gexcord:feed:messages}:chores"),
        ("gexcord:schwab:requests:pause", "{gexcord:schwab:requests}:pause"),
        ("gex:alerts:waiting:user.5", "{gex:alerts}:waiting:user.5"),
        ("gexcord:feed:messages", "gexcord:feed:messages"),
        ("gexcord:feed:orders", "gexcord:feed:orders"),
    ],
)
def test_names_that_a_script_touches_together_share_a_tag_in_a_cluster_and_lose_it_elsewhere(name, placed):
    assert keys.in_cluster(name) == keys.in_cluster(placed) == placed
    assert keys.on_one_server(placed) == keys.on_one_server(name) == name


async def _idle(publisher: TradingEventPublisher) -> None:
    async with asyncio.timeout(5):
        while publisher.stats.buffered:
            await asyncio.sleep(0.01)
