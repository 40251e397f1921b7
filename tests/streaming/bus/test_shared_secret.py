import asyncio

from streaming.bus.shared_secret import PassingSecret, SharedSecret

KEY = "gexcord:login:store"


def secret(redis):
    return SharedSecret(redis, KEY, about="the Schwab login")


async def test_one_holder_at_a_time_has_the_turn_and_each_turn_has_a_higher_epoch(redis):
    here, there = secret(redis), secret(redis)
    first = await here.take("a", 60_000)
    assert await there.take("b", 60_000) == 0
    await there.give_back(first + 1)
    assert await there.take("b", 60_000) == 0
    await here.give_back(first)
    assert await there.take("b", 60_000) > first


async def test_a_turn_that_ran_out_is_anothers_and_its_holder_replaces_nothing(redis):
    here, there = secret(redis), secret(redis)
    first = await here.take("a", 1)
    await asyncio.sleep(0.005)
    second = await there.take("b", 60_000)
    assert await there.replace(second, b"of b")
    assert await here.replace(first, b"of a") == 0
    assert (await here.look()).sealed == b"of b"


async def test_what_is_kept_has_a_version_and_the_servers_time(redis):
    here = secret(redis)
    assert (await here.look()).version == 0
    epoch = await here.take("a", 60_000)
    first = await here.replace(epoch, b"\x00\xff sealed")
    look = await secret(redis).look()
    assert (look.version, look.sealed) == (first, b"\x00\xff sealed")
    assert look.kept_ms <= look.now_ms
    assert await here.replace(epoch, b"") > first
    assert (await here.look()).sealed == b""


async def test_a_server_that_lost_its_data_gives_no_old_epoch_again(redis):
    here = secret(redis)
    before = await here.take("a", 1)
    await redis.flushall()
    await asyncio.sleep(0.002)
    assert await here.take("b", 60_000) > before


async def test_all_of_it_is_one_key(redis):
    here = secret(redis)
    await here.replace(await here.take("a", 60_000), b"x")
    assert await redis.keys("*") == [KEY.encode()]


async def test_what_passes_is_exchanged_by_whoever_saw_it_last_and_expires_as_it_would_have(redis):
    here, there = (PassingSecret(redis, "gexcord:login:pending", about="the newest login link") for _ in range(2))
    assert await here.look() == b""
    assert not await here.exchange(b"", b"x"), "nothing is kept"
    await here.put(b"\x00 first", 60_000)
    assert await there.exchange(b"\x00 first", b"\xff second")
    assert not await here.exchange(b"\x00 first", b"third")
    assert await here.look() == b"\xff second"
    assert 50_000 < await redis.pttl("gexcord:login:pending") <= 60_000
    await here.put(b"new", 1)
    await asyncio.sleep(0.005)
    assert await there.look() == b""
