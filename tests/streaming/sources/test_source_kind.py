"""streaming/sources/source_kind.py"""

import asyncio

from streaming.bus import keys
from streaming.sources.source_kind import RedisClaims


async def test_one_process_asks_for_a_ticker_and_the_next_when_it_ends(redis):
    async with RedisClaims(redis, "cboe", "first") as first, RedisClaims(redis, "cboe", "second") as second:
        assert await first.ours("SPX")
        assert await first.ours("SPX")
        assert not await second.ours("SPX")
        assert await second.ours("NDX")
    async with RedisClaims(redis, "cboe", "third") as third:
        assert await third.ours("SPX") and await third.ours("NDX")


async def test_two_sources_do_not_share_their_claims(redis):
    async with RedisClaims(redis, "cboe", "first") as one, RedisClaims(redis, "gexbot", "second") as other:
        assert await one.ours("SPX") and await other.ours("SPX")


async def test_a_claim_outlives_its_time_while_its_owner_lives(redis):
    async with RedisClaims(redis, "cboe", "first", ttl_s=0.4) as claims:
        await claims.ours("SPX")
        await asyncio.sleep(0.7)
        assert await redis.exists(keys.source_lease("cboe", "SPX"))
    assert not await redis.exists(keys.source_lease("cboe", "SPX"))
