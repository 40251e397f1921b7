"""Equal portions of one work, a lease for each, among processes that come and go."""

import asyncio

import pytest

from streaming.bus.lease import LeaseLostError
from streaming.bus.portions import Portions

NAMES = [f"lease:{number}/4" for number in range(4)]


class Process:
    def __init__(self, redis, owner, most, *, rest_s=0.0):
        self.most = most
        self.portions = Portions(redis, owner, NAMES, lambda: self.most, rest_s=rest_s)

    async def take(self):
        """As those do who wait for each portion, all at once."""
        await asyncio.gather(*(lease.acquire() for lease in self.portions.leases))
        return self.portions.own


async def test_a_process_takes_no_more_than_its_part_and_the_others_the_rest(redis):
    one, other = Process(redis, "a", 3), Process(redis, "b", 1)
    assert await one.take() == (0, 1, 2)
    assert await one.take() == (0, 1, 2)
    assert await other.take() == (3,), "one that is another's does not stand in the way"


async def test_what_somebody_else_has_does_not_count_as_taken(redis):
    one, other = Process(redis, "a", 2), Process(redis, "b", 4)
    await one.take()
    assert await other.take() == (2, 3)
    one.most = 4
    assert await one.take() == (0, 1)


async def test_what_is_too_much_is_asked_back_the_newest_first_and_the_body_ends(redis):
    one = Process(redis, "a", 4)
    await one.take()
    lease = one.portions.leases[3]
    lease.ttl_s = 0.4

    async def work():
        async with lease.held(wait=True):
            one.most = 2
            one.portions.trim(0.0)
            assert [lease.unwanted for lease in one.portions.leases] == [False, False, True, True]
            await asyncio.sleep(5)

    with pytest.raises(LeaseLostError):
        await work()
    assert one.portions.own == (0, 1, 2)
    assert await lease.holder() is None
    one.most = 3
    assert not await one.portions.leases[3].acquire(), "the one that is still to be given back counts"


async def test_between_two_that_are_given_away_there_is_a_rest(redis):
    one = Process(redis, "a", 4, rest_s=6.0)
    await one.take()
    one.most = 1
    for at_s, given in ((0.0, 1), (5.0, 1), (6.0, 2), (30.0, 3)):
        one.portions.trim(at_s)
        assert sum(lease.unwanted for lease in one.portions.leases) == given


async def test_one_that_is_to_be_given_back_is_not_ours_any_more_when_somebody_asks(redis):
    one = Process(redis, "a", 1)
    await one.take()
    assert await one.portions.leases[0].renew()
    one.most = 0
    one.portions.trim(0.0)
    assert not await one.portions.leases[0].renew()
