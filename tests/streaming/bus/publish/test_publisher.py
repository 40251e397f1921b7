"""streaming/bus/publish/publisher.py, against real servers that are killed, stopped and brought back."""

import asyncio
import json
import os
import random
import signal
import socket
from contextlib import closing

import msgspec
import pytest
from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.publish.delivery import widen
from streaming.bus.publish.publisher import TradingEventPublisher
from streaming.bus.redis_connection import make_client, open_redis
from streaming.bus.server.embedded import free_port
from streaming.model import Level2Event, OptionQuote, TickEvent
from tests.support.events import book, candle, tick
from tests.support.other_process import line_of, python_process
from tests.support.redis_server import embedded_redis, plain_redis


async def _seqs(redis: Redis, stream: str) -> list[int]:
    return [json.loads(fields[b"data"])["seq"] for _, fields in await redis.xrange(stream)]


async def _until(condition, *, within_s: float = 10.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.005)


async def _hear(pubsub, count: int) -> list[tuple[str, int]]:
    """(channel, seq) of the next messages."""
    heard = []
    async with asyncio.timeout(5):
        while len(heard) < count:
            message = await pubsub.get_message(timeout=1)
            if message is not None and message["type"] == "message":
                heard.append((message["channel"].decode(), json.loads(message["data"])["seq"]))
    return heard


async def _pump(reader, writer) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)


async def test_events_arrive_on_channels_and_streams_in_order(redis):
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe(keys.TICKS, keys.LEVEL2)
        async with TradingEventPublisher(redis) as publisher:
            publisher.publish([tick(1), book(2), tick(3)])
            publisher.publish([tick(4)])
        received = await _hear(pubsub, 4)
    assert received == [(keys.TICKS, 1), (keys.LEVEL2, 2), (keys.TICKS, 3), (keys.TICKS, 4)]
    assert await _seqs(redis, keys.TICKS_STREAM) == [1, 3, 4]
    assert await _seqs(redis, keys.LEVEL2_STREAM) == [2]
    assert publisher.stats.published == 4
    assert publisher.stats.buffered == publisher.stats.dropped == 0


async def test_what_arrives_decodes_to_the_event_that_was_sent(redis):
    async with TradingEventPublisher(redis) as publisher:
        publisher.publish([tick(1), book(2)])
    [(_, first)] = await redis.xrange(keys.TICKS_STREAM)
    [(_, second)] = await redis.xrange(keys.LEVEL2_STREAM)
    assert msgspec.json.decode(first[b"data"], type=TickEvent) == tick(1)
    assert msgspec.json.decode(second[b"data"], type=Level2Event) == book(2)


async def test_what_is_queued_during_a_flush_travels_in_few_batches(redis):
    async with TradingEventPublisher(redis) as publisher:
        batches = []
        take_over = publisher._delivery._take_over
        publisher._delivery._take_over = lambda one, sent: batches.append(one.delivered) or take_over(one, sent)
        publisher.publish([tick(n) for n in range(10_000)])
        assert publisher.stats.buffered == 10_000
    assert batches == [2048, 2048, 2048, 2048, 1808]
    assert await _seqs(redis, keys.TICKS_STREAM) == list(range(10_000))


async def test_who_sends_faster_than_redis_takes_is_held_back_and_nothing_is_given_up(redis):
    async with TradingEventPublisher(redis, max_events=6_000) as publisher:
        waiting = []
        for start in range(0, 30_000, 1_000):
            await publisher.room()
            waiting.append(publisher.stats.buffered)
            publisher.publish([tick(n) for n in range(start, start + 1_000)])
    assert max(waiting) <= 2 * 2_048
    assert publisher.stats.dropped == 0
    assert await _seqs(redis, keys.TICKS_STREAM) == list(range(30_000))


async def test_a_redis_that_takes_nothing_is_not_waited_for(redis, monkeypatch):
    monkeypatch.setattr("streaming.bus.publish.publisher.ROOM_S", 0.01)
    answer = asyncio.Event()
    async with TradingEventPublisher(redis, close_budget_s=5) as publisher:
        flush = publisher._delivery.flush

        async def late() -> None:
            await answer.wait()
            await flush()

        publisher._delivery.flush = late
        for start in range(0, 10_000, 1_000):
            publisher.publish([tick(n) for n in range(start, start + 1_000)])
            await asyncio.wait_for(publisher.room(), 1)
        assert publisher.stats.buffered == 10_000
        answer.set()
        async with asyncio.timeout(5):
            while publisher.stats.buffered > 2_048:
                await publisher.room()
                await asyncio.sleep(0.001)
    assert publisher.stats.dropped == 0


async def test_one_that_is_always_behind_is_waited_for_only_a_while(redis, monkeypatch):
    monkeypatch.setattr("streaming.bus.publish.publisher.ROOMLESS_S", 0.0)
    async with TradingEventPublisher(redis) as publisher:
        publisher.publish([tick(n) for n in range(10_000)])
        await publisher.room()
        assert publisher.stats.buffered == 10_000


async def test_without_streams_events_are_only_announced(redis):
    async with TradingEventPublisher(redis, streams_mb=None) as publisher:
        publisher.publish([tick(1), book(2)])
    assert publisher.stats.published == 2
    assert await redis.exists(keys.TICKS_STREAM, keys.LEVEL2_STREAM) == 0


async def _taken(redis):
    streams = (keys.TICKS_STREAM, keys.LEVEL2_STREAM, keys.CANDLES_STREAM)
    return sum([await redis.memory_usage(stream, samples=0) or 0 for stream in streams])


def _large_book(seq):
    return book(seq, levels=48)


async def test_the_streams_together_take_no_more_memory_than_they_may(redis):
    async with TradingEventPublisher(redis, streams_mb=1.0) as publisher:
        for start in range(0, 6_000, 500):
            publisher.publish([book(n, levels=12) if n % 25 == 0 else tick(n) for n in range(start, start + 500)])
            await _until(lambda until=start + 500: publisher.stats.published == until)
        assert 0.9e6 * 0.95 < await _taken(redis) < 1e6
        assert (await _seqs(redis, keys.TICKS_STREAM))[-1] == 5_999
        for start in range(6_000, 9_000, 100):  # from now on books of four times the size, and candles
            publisher.publish([_large_book(start), *map(candle, range(start + 1, start + 20))])
            publisher.publish([tick(n) for n in range(start + 20, start + 100)])
            await _until(lambda until=start + 100: publisher.stats.published == until)
    assert 0.9e6 < await _taken(redis) < 1.03e6


async def test_only_the_kinds_that_are_wanted_are_published(redis):
    async with TradingEventPublisher(redis, kinds=("level2",)) as publisher:
        publisher.publish([tick(1), book(2), candle(3), OptionQuote(symbol="X", event_ms=1, recv_ms=1)])
        publisher.publish([tick(4)])
    assert publisher.stats.published == 1
    assert await redis.exists(keys.TICKS_STREAM) == 0
    assert await _seqs(redis, keys.LEVEL2_STREAM) == [2]


async def test_a_server_killed_in_mid_stream_costs_no_event_and_no_order():
    async with embedded_redis() as server, open_redis(server.url) as redis:
        async with TradingEventPublisher(redis, rng=random.Random(7), close_budget_s=20) as publisher:
            sent = 0

            async def feed_until(condition) -> None:
                nonlocal sent
                async with asyncio.timeout(20):
                    while not condition():
                        publisher.publish([tick(sent + n) if n % 5 else book(sent + n) for n in range(50)])
                        sent += 50
                        await asyncio.sleep(0.0005)

            for _ in range(3):
                pid, before = server.pid, publisher.stats
                await feed_until(lambda before=before: publisher.stats.published > before.published + 500)
                os.kill(pid, signal.SIGKILL)
                await feed_until(lambda before=before: publisher.stats.flush_errors > before.flush_errors)
                await feed_until(lambda pid=pid: server.pid != pid)
        ticks, books = await _seqs(redis, keys.TICKS_STREAM), await _seqs(redis, keys.LEVEL2_STREAM)
    stats = publisher.stats
    assert ticks == sorted(set(ticks))
    assert books == sorted(set(books))
    assert sorted(ticks + books) == list(range(sent))
    assert (stats.published, stats.dropped, stats.rejected) == (sent, 0, 0)
    assert stats.reconnects >= 3


async def test_a_connection_cut_after_the_write_does_not_double_events_in_the_stream(redis):
    """A relay swallows the replies of the first batch and hangs up: the batch was executed all the same."""
    swallowed, relayed = asyncio.Event(), asyncio.Semaphore(0)
    upstream_port = redis.connection_pool.connection_kwargs["port"]

    async def relay(reader, writer):
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", upstream_port)
        with closing(writer), closing(up_writer):
            down = asyncio.create_task(_pump(up_reader, writer))
            while data := await reader.read(1 << 20):
                if b"XADD" in data and not swallowed.is_set():
                    down.cancel()
                    up_writer.write(data)
                    await asyncio.sleep(0.2)
                    swallowed.set()
                    break
                up_writer.write(data)
        await asyncio.wait({down})
        relayed.release()

    async with await asyncio.start_server(relay, "127.0.0.1", 0) as front:
        through = make_client(f"redis://127.0.0.1:{front.sockets[0].getsockname()[1]}/0")
        async with TradingEventPublisher(through) as publisher:
            publisher.publish([tick(n) for n in range(10)])
            await asyncio.wait_for(swallowed.wait(), 5)
            await _until(lambda: publisher.stats.buffered == 0)
            publisher.publish([tick(10)])
        await through.aclose()
        await relayed.acquire()
        await relayed.acquire()
    assert await _seqs(redis, keys.TICKS_STREAM) == list(range(11))
    assert publisher.stats.published == 11
    assert publisher.stats.resent == 0


async def test_while_redis_is_away_events_wait_and_the_oldest_ticks_are_given_up_and_counted(tmp_path):
    port = free_port()
    redis = make_client(f"redis://127.0.0.1:{port}/0")
    async with TradingEventPublisher(redis, max_events=100, close_budget_s=10) as publisher:
        publisher.publish([book(0)])
        await _until(lambda: publisher.stats.flush_errors > 0)
        publisher.publish([tick(n) if n % 10 else book(n) for n in range(1, 301)])
        waiting = publisher.stats
        assert waiting.connected is False
        assert waiting.dropped_books == 0
        assert waiting.dropped_ticks == waiting.dropped == 200
        assert waiting.last_error
        with plain_redis(tmp_path, port):
            await _until(lambda: publisher.stats.buffered == 0)
            books, ticks = await _seqs(redis, keys.LEVEL2_STREAM), await _seqs(redis, keys.TICKS_STREAM)
    assert books == [0, *range(10, 301, 10)]
    assert ticks == [n for n in range(1, 301) if n % 10][-70:]
    assert publisher.stats.last_error is None
    await redis.aclose()


async def test_a_server_that_stops_answering_is_noticed_and_nothing_is_lost(tmp_path):
    with plain_redis(tmp_path) as (url, process):
        redis = make_client(url)
        async with TradingEventPublisher(redis, flush_timeout_s=0.2, close_budget_s=10) as publisher:
            publisher.publish([tick(1)])
            await _until(lambda: publisher.stats.published == 1)
            process.send_signal(signal.SIGSTOP)
            publisher.publish([tick(2), tick(3)])
            await _until(lambda: publisher.stats.flush_errors > 0, within_s=3)
            assert "did not answer" in publisher.stats.last_error
            publisher.publish([tick(4)])
            process.send_signal(signal.SIGCONT)
            await _until(lambda: publisher.stats.buffered == 0)
            assert await _seqs(redis, keys.TICKS_STREAM) == [1, 2, 3, 4]
        await redis.aclose()


async def test_a_stream_that_refuses_for_good_is_counted_and_the_channel_still_works(redis):
    await redis.set(keys.TICKS_STREAM, "somebody put text here")
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe(keys.TICKS)
        async with TradingEventPublisher(redis) as publisher:
            publisher.publish([tick(1), tick(2)])
        assert await _hear(pubsub, 2) == [(keys.TICKS, 1), (keys.TICKS, 2)]
    assert publisher.stats.rejected == 2
    assert publisher.stats.buffered == 0


async def test_a_stream_that_refuses_does_not_disturb_the_order_of_the_others(redis):
    await redis.set(keys.TICKS_STREAM, "somebody put text here")
    async with TradingEventPublisher(redis) as publisher:
        publisher.publish([book(n) if n % 3 else tick(n) for n in range(300)])
    assert await _seqs(redis, keys.LEVEL2_STREAM) == [n for n in range(300) if n % 3]
    assert (publisher.stats.published, publisher.stats.rejected) == (200, 100)


async def test_ticks_books_and_candles_keep_their_common_order_on_one_connection(redis):
    events = [(tick, book, candle)[n % 3](n) for n in range(300)]
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe(keys.TICKS, keys.LEVEL2, keys.CANDLES)
        async with TradingEventPublisher(redis) as publisher:
            publisher.publish(events)
        heard = await _hear(pubsub, 300)
    assert heard == [((keys.TICKS, keys.LEVEL2, keys.CANDLES)[n % 3], n) for n in range(300)]
    assert await _seqs(redis, keys.CANDLES_STREAM) == list(range(2, 300, 3))


async def test_scripts_that_somebody_flushes_in_mid_stream_cost_nothing(redis):
    async with TradingEventPublisher(redis) as publisher:
        for n in range(5):
            publisher.publish([tick(2 * n), tick(2 * n + 1)])
            await _until(lambda: publisher.stats.buffered == 0)
            await redis.script_flush()
    assert await _seqs(redis, keys.TICKS_STREAM) == list(range(10))
    assert (publisher.stats.flush_errors, publisher.stats.resent) == (0, 0)


async def test_a_server_that_lets_us_run_no_scripts_gets_plain_commands_and_that_is_said_once(tmp_path, caplog):
    with plain_redis(tmp_path) as (url, _):
        async with open_redis(url) as redis, redis.pubsub() as pubsub:
            await redis.acl_setuser(
                "feed", enabled=True, passwords=["+pass"], keys=["*"], channels=["*"], commands=["+@all", "-eval"]
            )
            await pubsub.subscribe(keys.TICKS)
            limited = make_client(url.replace("//", "//feed:pass@"))
            async with TradingEventPublisher(limited) as publisher:
                publisher.publish([tick(1), book(2)])
                await _until(lambda: publisher.stats.buffered == 0)
                publisher.publish([tick(3)])
            await limited.aclose()
            assert await _hear(pubsub, 2) == [(keys.TICKS, 1), (keys.TICKS, 3)]
            assert await _seqs(redis, keys.TICKS_STREAM) == [1, 3]
            assert await _seqs(redis, keys.LEVEL2_STREAM) == [2]
    stats = publisher.stats
    assert (stats.published, stats.rejected, stats.resent, stats.flush_errors) == (3, 0, 0, 0)
    assert caplog.text.count("runs no scripts for us (NOPERM") == 1


async def test_a_key_that_is_forbidden_costs_its_own_events_only(tmp_path):
    with plain_redis(tmp_path) as (url, _):
        async with open_redis(url) as redis:
            await redis.acl_setuser(
                *("feed", True), passwords=["+pass"], keys=["*:ticks:*"], channels=["*"], commands=["+@all"]
            )
            limited = make_client(url.replace("//", "//feed:pass@"))
            async with TradingEventPublisher(limited) as publisher:
                publisher.publish([tick(1), book(2), tick(3)])
            await limited.aclose()
            assert await _seqs(redis, keys.TICKS_STREAM) == [1, 3]
    assert (publisher.stats.published, publisher.stats.rejected) == (2, 1)


async def test_a_refusal_that_lasts_is_logged_once_and_counted(tmp_path, caplog):
    with plain_redis(tmp_path) as (url, _):
        async with open_redis(url) as redis:
            await redis.acl_setuser("feed", enabled=True, passwords=["+pass"], keys=["x"], commands=["+@all"])
            limited = make_client(url.replace("//", "//feed:pass@"))
            async with TradingEventPublisher(limited) as publisher:
                for number in range(5):
                    publisher.publish([tick(number)])
                    await _until(lambda number=number: publisher.stats.rejected == number + 1)
            await limited.aclose()
    assert caplog.text.count("market events for good") == 1


async def test_a_full_server_makes_events_wait_and_announces_each_once(tmp_path):
    with plain_redis(tmp_path) as (url, _):
        async with open_redis(url) as redis, redis.pubsub() as pubsub:
            await pubsub.subscribe(keys.TICKS)
            await redis.config_set("maxmemory", "1mb")
            async with TradingEventPublisher(redis, close_budget_s=10) as publisher:
                publisher.publish([tick(1), tick(2)])
                await _until(lambda: publisher.stats.flush_errors >= 3)
                assert "OOM" in publisher.stats.last_error
                assert publisher.stats.buffered == 2
                await redis.config_set("maxmemory", "0")
                publisher.publish([tick(3)])
            assert await _seqs(redis, keys.TICKS_STREAM) == [1, 2, 3]
            assert await _hear(pubsub, 3) == [(keys.TICKS, 1), (keys.TICKS, 2), (keys.TICKS, 3)]


async def test_publish_does_not_wait_for_a_server_that_is_not_there():
    redis = make_client(f"redis://127.0.0.1:{free_port()}/0")
    async with TradingEventPublisher(redis, close_budget_s=0.1) as publisher:
        loop = asyncio.get_running_loop()
        began = loop.time()
        publisher.publish([tick(n) for n in range(10_000)])
        assert loop.time() - began < 0.5
    assert publisher.stats.dropped == 10_000
    await redis.aclose()


async def test_leaving_takes_no_longer_than_its_budget():
    redis = make_client(f"redis://127.0.0.1:{free_port()}/0")
    loop = asyncio.get_running_loop()
    async with TradingEventPublisher(redis, close_budget_s=0.2) as publisher:
        publisher.publish([tick(1)])
        began = loop.time()
    assert 0.15 < loop.time() - began < 1.0
    await redis.aclose()


async def test_an_error_of_the_body_passes_through_unwrapped(redis):
    with pytest.raises(KeyError):
        async with TradingEventPublisher(redis):
            raise KeyError("mine")


async def test_a_bug_in_the_publisher_ends_its_owner(redis, monkeypatch):
    async def work():
        async with TradingEventPublisher(redis) as publisher:
            monkeypatch.setattr(publisher._buffer, "take", lambda **_: 1 / 0)
            publisher.publish([tick(1)])
            await asyncio.sleep(5)

    with pytest.raises(ExceptionGroup):
        await work()


async def test_a_second_process_reads_every_event_from_the_channel(redis, redis_url):
    reader = """
import sys, redis
pubsub = redis.Redis.from_url(sys.argv[1]).pubsub(ignore_subscribe_messages=True)
pubsub.subscribe("market_data:ticks")
pubsub.get_message(timeout=5)
print("ready", flush=True)
for n, message in enumerate(pubsub.listen(), 1):
    print(message["data"].decode())
    if n == 500:
        break
"""
    async with python_process(reader, redis_url) as process:
        assert await line_of(process) == "ready"
        async with TradingEventPublisher(redis) as publisher:
            publisher.publish([tick(n) for n in range(500)])
        lines, _ = await process.communicate()
    assert [json.loads(line)["seq"] for line in lines.splitlines()] == list(range(500))


def test_a_socket_of_the_file_system_takes_more_at_once_and_tcp_is_left_alone():
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs, socket.socket() as tcp:
        before = [one.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) for one in (ours, tcp)]
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        widen(ours)
        widen(tcp)
        after = [one.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) for one in (ours, tcp)]
    assert after[0] >= before[0]
    assert after[1] == before[1]
