"""streaming/bus/lease.py"""

import asyncio
import logging
import signal

import pytest

from streaming.bus.lease import FENCE, Lease, LeaseLostError, fenced
from streaming.bus.redis_connection import make_client
from streaming.clock import uptime_s
from streaming.errors import OperatorError, TransientError
from tests.support.other_process import line_of, python_process
from tests.support.redis_server import plain_redis

KEY = "gexcord:lease:test"
WRITE = f"{FENCE} return redis.call('SET', KEYS[2], ARGV[2])"


class Uptime:
    """A clock that counts suspend, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 5000.0

    def __call__(self) -> float:
        return self.seconds


async def write(redis, lease, text):
    with fenced():
        await redis.eval(WRITE, 2, lease.epoch_key, "written", lease.epoch, text)


async def test_only_one_of_two_gets_it(redis):
    one, two = Lease(redis, KEY, "one"), Lease(redis, KEY, "two")
    assert await one.acquire() is True
    assert await two.acquire() is False
    assert await two.holder() == "one"


async def test_asking_again_for_what_is_ours_renews_it(redis):
    lease = Lease(redis, KEY, "one", ttl_s=10)
    await lease.acquire()
    await redis.pexpire(KEY, 50)
    assert await lease.renew() is True
    assert await redis.pttl(KEY) > 9000


async def test_a_release_by_a_stranger_does_nothing(redis):
    await Lease(redis, KEY, "one").acquire()
    assert await Lease(redis, KEY, "two").release() is False
    assert await Lease(redis, KEY, "one").release() is True
    assert await Lease(redis, KEY, "one").holder() is None


async def test_a_renewal_does_not_take_what_another_has_by_now(redis):
    lease = Lease(redis, KEY, "one", ttl_s=0.05)
    await lease.acquire()
    await asyncio.sleep(0.1)
    await Lease(redis, KEY, "two").acquire()
    assert await lease.renew() is False


async def test_held_renews_while_inside_and_gives_back_at_the_end(redis):
    lease, other = Lease(redis, KEY, "one", ttl_s=0.2), Lease(redis, KEY, "two", ttl_s=0.2)
    async with lease.held():
        await asyncio.sleep(0.5)
        assert await other.acquire() is False
    assert await other.acquire() is True


async def test_held_says_who_has_it(redis):
    await Lease(redis, KEY, "host-7").acquire()
    with pytest.raises(OperatorError, match="host-7 holds gexcord:lease:test"):
        async with Lease(redis, KEY, "two").held():
            pass


async def test_losing_the_lease_ends_the_body(redis):
    async def work():
        async with Lease(redis, KEY, "one", ttl_s=0.1).held():
            await redis.set(KEY, "usurper")
            await asyncio.sleep(5)

    with pytest.raises(LeaseLostError):
        await work()
    assert await redis.get(KEY) == b"usurper"


async def test_a_timeout_of_the_body_stays_a_timeout(redis):
    with pytest.raises(TimeoutError):
        async with Lease(redis, KEY, "one").held():
            raise TimeoutError


async def test_while_redis_is_away_the_lease_is_kept_and_the_log_says_so_once(tmp_path, caplog):
    caplog.set_level(logging.DEBUG, logger="streaming.bus.lease")
    with plain_redis(tmp_path) as (url, process):
        redis = make_client(url)
        async with Lease(redis, KEY, "one", ttl_s=0.2).held():
            process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(1.2)
            process.send_signal(signal.SIGCONT)
            await asyncio.sleep(0.3)
            assert await redis.get(KEY) == b"one"
        await redis.aclose()
    levels = [record.levelname for record in caplog.records]
    assert levels.count("WARNING") == levels.count("INFO") == 1
    assert "DEBUG" in levels
    assert "answers again" in caplog.text


async def test_a_server_that_is_gone_is_a_transient_error(tmp_path):
    with plain_redis(tmp_path) as (url, _):
        redis = make_client(url)
    with pytest.raises(TransientError):
        await Lease(redis, KEY, "one").acquire()
    await redis.aclose()


async def test_a_standby_takes_over_within_five_seconds_of_the_holders_death(redis, redis_url):
    holder = """
import asyncio, sys
from streaming.bus.redis_connection import open_redis
from streaming.bus.lease import Lease

async def main():
    async with open_redis(sys.argv[1]) as redis, Lease(redis, sys.argv[2], "holder").held():
        print("held", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""
    async with python_process(holder, redis_url, KEY) as process:
        assert await line_of(process) == "held"
        process.kill()
        async with asyncio.timeout(5), Lease(redis, KEY, "standby").held(wait=True):
            assert await redis.get(KEY) == b"standby"


async def test_each_change_of_holder_raises_the_epoch_and_a_renewal_does_not(redis):
    one, two = Lease(redis, KEY, "one"), Lease(redis, KEY, "two")
    await one.acquire()
    first = one.epoch
    await one.renew()
    await redis.delete(KEY)
    assert await one.renew() and one.epoch == first, "it ran out and nobody took it"
    await one.release()
    await two.acquire()
    assert two.epoch > first > 0
    assert one.epoch == 0
    assert await redis.ttl(two.epoch_key) == -1


async def test_a_holder_that_another_held_after_has_lost_it_although_it_is_free_again(redis):
    one, two = Lease(redis, KEY, "one"), Lease(redis, KEY, "two")
    await one.acquire()
    await redis.delete(KEY)
    await two.acquire()
    await two.release()
    assert await one.renew() is False
    assert await one.acquire() is True


async def test_an_emptied_server_gives_no_old_epoch_again(redis):
    one, two = Lease(redis, KEY, "one"), Lease(redis, KEY, "two")
    await one.acquire()
    await asyncio.sleep(0.01)
    await redis.flushdb()
    await two.acquire()
    assert two.epoch > one.epoch
    with pytest.raises(LeaseLostError):
        await write(redis, one, "old")


async def test_a_fenced_write_of_an_earlier_holder_is_refused(redis):
    one, two = Lease(redis, KEY, "one"), Lease(redis, KEY, "two")
    await one.acquire()
    await write(redis, one, "first")
    await redis.delete(KEY)
    await two.acquire()
    await write(redis, two, "second")
    with pytest.raises(LeaseLostError):
        await write(redis, one, "late")
    assert await redis.get("written") == b"second"


async def test_assuring_costs_nothing_while_the_last_renewal_is_young_and_asks_after_a_pause(redis):
    uptime = Uptime()
    one = Lease(redis, KEY, "one", uptime=uptime)
    await one.acquire()
    await redis.delete(KEY)
    uptime.seconds += one.ttl_s - 0.1
    await one.assure()
    assert await redis.get(KEY) is None
    uptime.seconds += 0.2
    await one.assure()
    assert await redis.get(KEY) == b"one"


async def test_a_holder_that_was_paused_learns_before_it_writes_that_another_took_over(redis):
    uptime = Uptime()
    one = Lease(redis, KEY, "one", uptime=uptime)
    await one.acquire()
    await redis.delete(KEY)
    await Lease(redis, KEY, "two").acquire()
    uptime.seconds += 12
    for _ in range(2):
        with pytest.raises(LeaseLostError):
            await one.assure()


async def test_while_redis_is_away_one_that_keeps_asking_is_sure_and_one_that_was_paused_is_not(tmp_path):
    uptime = Uptime()
    with plain_redis(tmp_path) as (url, process):
        redis = make_client(url)
        one = Lease(redis, KEY, "one", uptime=uptime)
        await one.acquire()
        process.terminate()
        process.wait()
        for _ in range(5):
            uptime.seconds += one.ttl_s * 0.75
            with pytest.raises(TransientError):
                await one.renew()
            await one.assure()
        uptime.seconds += 12
        for _ in range(2):
            with pytest.raises(TransientError):
                await one.assure()
        await redis.aclose()


def test_the_clock_of_a_lease_goes_on():
    assert uptime_s() > 0
    assert uptime_s() <= uptime_s()


async def test_a_lease_that_cannot_be_given_back_keeps_nobody_waiting(redis, monkeypatch, caplog):
    lease = Lease(redis, KEY, "a")

    async def hang() -> bool:
        await asyncio.sleep(60)
        return True

    monkeypatch.setattr(lease, "release", hang)
    monkeypatch.setattr("streaming.bus.lease._GIVE_BACK_S", 0.05)
    async with asyncio.timeout(5):
        async with lease.held():
            pass
    assert "was not given back" in caplog.text
