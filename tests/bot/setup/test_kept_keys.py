"""What of Redis is kept: every name of ours is either kept or can be had again, and each kind of key comes back."""

import pytest
from redis.asyncio import Redis

from bot.setup.kept_keys import KEPT, ON_THEIR_WAY, is_in_use, kept_names, read_keys, write_keys
from streaming.bus import keys

NOW_MS = 1_800_000_000_000
HAD_AGAIN = {
    "TICKS", "LEVEL2", "CANDLES", "SNAPSHOT_STREAM", "TICKS_STREAM", "LEVEL2_STREAM", "CANDLES_STREAM",
    "STREAM_METRICS", "FEED_METRICS", "RECORDER_METRICS", "HISTORY_METRICS", "SOURCE_METRICS", "ALERT_METRICS",
    "STREAM_LEASE", "FEED_LEASE", "REPLAY_LEASE", "COMMAND_FINGERPRINT", "REQUESTS", "LOGIN", "LOGIN_PENDING",
}  # fmt: skip
"""Market data and figures of today, counters, leases that run out, an upload that is repeated, a minute's budget; and
the shared login, which is kept as a login, under the backup's own passphrase."""


async def fill(redis: Redis) -> None:
    await redis.set(keys.STREAM_WANTED, "1")
    await redis.hset(keys.FEED_LEDGER, mapping={"1": "{}", "2": b"\xff\0"})
    await redis.sadd(f"{keys.FEED_LEDGER}:disturbed", "7", "8")
    await redis.set(f"{keys.LOGIN_TOLD}:1 h", "1", px=60_000)
    await redis.zadd(f"{keys.ALERTS}:due", {"dm:7": 1_764_500_000_123})
    await redis.rpush(f"{keys.ALERTS}:waiting:dm:7", "one", "two")
    await redis.hset(f"{keys.ALERTS}:rules", "1", "{}")
    await redis.set("gex:snapshot:SPX", "{}")
    await redis.set("gex:alertsandmore", "of somebody else")
    await redis.set("gexcord:discord:identifies:x", "1")


def test_every_name_on_the_bus_is_kept_or_known_to_be_had_again():
    ours = {name for name, value in vars(keys).items() if name.isupper() and isinstance(value, str)}
    kept = {name for name in ours if getattr(keys, name) in KEPT}
    assert kept | HAD_AGAIN == ours and not kept & HAD_AGAIN


async def test_what_cannot_be_had_again_is_found_and_nothing_else(redis: Redis):
    await fill(redis)
    names = [name.decode() for name in await kept_names(redis, in_use=False)]
    assert names == sorted(
        [
            "gex:alerts:due",
            "gex:alerts:rules",
            "gex:alerts:waiting:dm:7",
            "gexcord:feed:messages",
            "gexcord:feed:messages:disturbed",
            "gexcord:login:told:1 h",
            "gexcord:stream:wanted",
        ]
    )


@pytest.mark.parametrize(
    "sign",
    [keys.FEED_LEASE, keys.feed_part(1, 2), keys.source_lease("cboe", "SPX"), keys.call_slices("a token")],
    ids=["the feed", "a part of the feed", "a source", "calls to Discord"],
)
async def test_whoever_works_on_this_redis_is_seen(redis: Redis, sign):
    await fill(redis)
    await redis.set(keys.lease_epoch(sign), "7")
    await redis.set(keys.epoch_copy(keys.lease_epoch(sign), keys.FEED_LEDGER), "7")
    assert not await is_in_use(redis)
    await redis.set(sign, "another")
    assert await is_in_use(redis)


async def test_alerts_that_a_running_bot_is_sending_are_left_to_it(redis: Redis):
    await fill(redis)
    names = [name.decode() for name in await kept_names(redis, in_use=True)]
    assert not [name for name in names if name.startswith(ON_THEIR_WAY)]
    assert "gex:alerts:rules" in names


async def test_each_kind_of_key_comes_back_as_it_was_with_its_end(redis: Redis):
    await fill(redis)
    names = await kept_names(redis, in_use=False)
    now_ms = int((await redis.time())[0]) * 1000
    kept = await read_keys(redis, names, now_ms=now_ms)
    await redis.flushall()
    await redis.hset(keys.FEED_LEDGER, "9", "of the other machine")
    await write_keys(redis, kept, instead_of=[keys.FEED_LEDGER.encode()], now_ms=now_ms)
    assert await kept_names(redis, in_use=False) == names
    assert await redis.hgetall(keys.FEED_LEDGER) == {b"1": b"{}", b"2": b"\xff\0"}
    assert await redis.zscore(f"{keys.ALERTS}:due", "dm:7") == 1_764_500_000_123
    assert await redis.lrange(f"{keys.ALERTS}:waiting:dm:7", 0, -1) == [b"one", b"two"]
    assert 50_000 < await redis.pttl(f"{keys.LOGIN_TOLD}:1 h") <= 61_000
    assert await redis.pttl(keys.STREAM_WANTED) == -1


async def test_what_has_run_out_meanwhile_is_not_restored(redis: Redis):
    await fill(redis)
    kept = await read_keys(redis, await kept_names(redis, in_use=False), now_ms=NOW_MS)
    await redis.flushall()
    await write_keys(redis, kept, instead_of=[], now_ms=NOW_MS + 61_000)
    assert not await redis.exists(f"{keys.LOGIN_TOLD}:1 h")
    assert await redis.exists(keys.STREAM_WANTED)
