"""streaming/bus/notes.py on a real Redis."""

from streaming.bus.notes import RedisRouteMemory


async def test_what_worked_is_remembered_for_each_app_alone(redis):
    memory = RedisRouteMemory(redis)
    assert not await memory.has_worked("app", "/chains")
    assert not await memory.works("app", "/chains")
    assert await RedisRouteMemory(redis).has_worked("app", "/chains")
    assert not await memory.has_worked("app", "/quotes")
    assert not await memory.has_worked("other", "/chains")
    assert 0 < await redis.ttl("gexcord:schwab:routes:app") <= 400 * 86_400


async def test_trouble_is_told_by_one_and_its_end_by_one(redis):
    memory, other = RedisRouteMemory(redis), RedisRouteMemory(redis)
    assert await memory.claim("app", "/chains")
    assert not await other.claim("app", "/chains")
    assert not await memory.has_worked("app", "/chains")
    assert await other.works("app", "/chains")
    assert not await memory.works("app", "/chains")
    assert await memory.claim("app", "/chains")
