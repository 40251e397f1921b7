"""streaming/bus/replicas.py, on a master with two replicas that a sentinel watches; the last test kills the master."""

import asyncio
import signal

import pytest

from streaming.bus import keys
from streaming.bus.cluster import is_replicated
from streaming.bus.lease import Lease
from streaming.bus.redis_connection import masters_without_copy, open_redis
from streaming.bus.replicas import ALONE_S, COPIES, WAIT_MS, CopyWatch, UnacknowledgedError, followers_in, is_decisive
from streaming.bus.shared_secret import SharedSecret
from streaming.errors import TransientError, UnavailableError
from tests.support.failover import assert_nothing_lost, change_secret, fail_over, keep_message, stream_through
from tests.support.redis_groups import SERVICE, sentinel_group


@pytest.fixture(scope="module")
def group(tmp_path_factory):
    with sentinel_group(tmp_path_factory.mktemp("sentinel")) as servers:
        yield servers


@pytest.fixture
async def watched(group):
    async with open_redis(group.url) as redis:
        yield redis


@pytest.fixture
def paused_copies(group):
    copies = [group.processes[port] for port in group.ports if port not in group.masters()]
    for copy in copies:
        copy.send_signal(signal.SIGSTOP)
    yield
    for copy in copies:
        copy.send_signal(signal.SIGCONT)


async def test_the_master_is_found_through_the_sentinels_and_known_to_have_copies(group, watched):
    await watched.set("gexcord:some", "thing")
    assert await watched.get("gexcord:some") == b"thing"
    assert is_replicated(watched)
    assert await masters_without_copy(watched) == (0, 1)


async def test_a_service_that_no_sentinel_knows_is_said_in_a_sentence(group):
    with pytest.raises(UnavailableError, match="No sentinel at") as caught:
        async with open_redis(group.url.replace(SERVICE, "other").replace("//", "//me:hunter2@")):
            pass
    assert "hunter2" not in caught.value.sentence


async def test_what_must_not_be_lost_is_acknowledged_by_a_copy_alone_and_the_rest_by_the_master(watched, paused_copies):
    await watched.hset(keys.STREAM_METRICS, "state", "live")
    with pytest.raises(UnacknowledgedError):
        await watched.hset(keys.FEED_ORDERS, "5", "x")
    async with watched.pipeline(transaction=True) as pipeline:
        pipeline.hset(keys.FEED_ORDERS, "5", "x")
        pipeline.hincrby(keys.FEED_ORDERS, "version", 1)
        with pytest.raises(UnacknowledgedError):
            await pipeline.execute()
    with pytest.raises(TransientError):
        await Lease(watched, keys.FEED_LEASE, "me").acquire()
    with pytest.raises(TransientError):
        await SharedSecret(watched, keys.LOGIN, about="the Schwab login").take("me", 1)
    assert await watched.hget(keys.FEED_ORDERS, "5") == b"x", "replies after a missing copy belong to their commands"


async def test_a_refusal_is_told_as_a_refusal_whatever_the_copies_say(watched):
    await watched.set("gexcord:text", "x")
    async with watched.pipeline(transaction=False) as pipeline:
        pipeline.incr("gexcord:text")
        pipeline.get("gexcord:text")
        refused, text = await pipeline.execute(raise_on_error=False)
    assert "not an integer" in str(refused) and text == b"x"


async def test_a_failover_in_mid_session_loses_no_event_and_no_login_and_doubles_neither_event_nor_message(
    group, watched
):
    dead = asyncio.Event()

    async def trouble(feeder):
        await fail_over(group, feeder, dead)

    streamed, channel, (counted, found) = await asyncio.gather(
        stream_through(watched, trouble), keep_message(watched, dead), change_secret(watched, dead)
    )
    assert_nothing_lost(streamed)
    assert list(channel.messages.values()) == ["newest"]
    assert found in {counted, counted + 1}, "a refresh token that rotated is lost, and with it the login"


def test_the_wait_for_a_copy_doubles_while_it_does_not_keep_up_and_eases_off_again():
    watch = CopyWatch(lambda: 0.0, least_ms=5, most_ms=100)
    waits = []
    for copies in (1, 0, 0, 0, 0, 0, 0):
        watch.enter(copies, 1)
        waits.append(watch.patience_ms)
    assert waits == [5, 10, 20, 40, 80, 100, 100]
    for _ in range(200):
        watch.enter(1)
    assert watch.patience_ms == 5


@pytest.mark.parametrize(
    ("command", "decisive"),
    [
        (("SET", "gexcord:lease:feed", "me"), True),
        (("SET", b"{gex:alerts}:rules", "me"), True),
        (("EVALSHA", "0" * 40, 2, "gexcord:feed:messages", "x"), True),
        (("EVAL", "return 1", 0), False),
        (("GET", "gexcord:lease:feed"), False),
        (("HSET", "metrics:gex_feed", "a", "b"), False),
        (("EVALSHA", "0" * 40, 1, "gexcord:discord:calls:abc"), False),
        (("SET", "gexcord:schwab:requests:pause", "1"), False),
    ],
)
def test_a_command_is_decisive_by_what_it_writes(command, decisive):
    assert is_decisive(command) is decisive


def test_a_master_that_nobody_has_followed_for_long_counts_alone_and_no_longer_once_somebody_does(caplog):
    now_s = 0.0
    watch = CopyWatch(lambda: now_s)
    assert watch.enter(COPIES)
    assert watch.patience_ms == WAIT_MS
    assert not watch.enter(0, 0)
    assert watch.patience_ms < WAIT_MS
    now_s = ALONE_S - 0.1
    assert not watch.enter(0, 0)
    now_s = ALONE_S
    assert watch.enter(0, 0)
    assert watch.enter(0, None), "what nobody says changes nothing"
    assert not watch.enter(0, 1), "one that follows will confirm"
    now_s += ALONE_S
    assert not watch.enter(0, 0)
    assert caplog.text.count("no copy of itself any more") == 1
    assert followers_in(b"role:master\r\nconnected_slaves:2\r\n") == 2
    assert followers_in(b"role:slave") is followers_in(ValueError()) is None
