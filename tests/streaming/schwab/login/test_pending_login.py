"""streaming/schwab/login/pending_login.py; two machines that share one are test_served_callback.py's."""

from datetime import timedelta

import pytest
from pydantic import SecretStr

from streaming.errors import TransientError
from streaming.schwab.login.cipher import SharedCipher, new_key
from streaming.schwab.login.pending_login import OpenLink, PendingLogin
from tests.support.shared_login import KEY, MemoryPassing

LIFE = timedelta(minutes=10)


@pytest.fixture
def place():
    return MemoryPassing()


def link(place, name="a", key=KEY):
    return PendingLogin(place, key=key, name=name)


async def test_one_process_exchanges_the_code_and_all_hear_what_came_of_it(place):
    here, there = link(place), link(place, "b")
    await here.offer("s1", LIFE)
    assert [await one.claim("s1") for one in (there, here, there)] == [True, False, True]
    await there.settle("s1", "no")
    assert await here.look() == OpenLink("s1", "b", "no")
    assert await here.claim("s1") is False


async def test_a_newer_link_takes_the_place_and_nothing_is_said_of_the_old_one(place):
    here = link(place)
    assert await here.claim("s1") is await here.look() is None
    await here.offer("s1", LIFE)
    await here.offer("s2", LIFE)
    assert await here.claim("s1") is None
    await here.settle("s1", "no")
    assert await here.look() == OpenLink("s2")


async def test_a_claim_that_was_carried_out_and_not_acknowledged_is_the_same_process_s_still(place):
    here = link(place)
    await here.offer("s1", LIFE)
    place.unsure = 1
    with pytest.raises(TransientError):
        await here.claim("s1")
    assert await link(place, "b").claim("s1") is False
    assert await here.claim("s1") is True


async def test_nobody_without_the_key_reads_or_makes_one_and_a_stored_login_is_none(place, caplog):
    await link(place).offer("s1", LIFE)
    assert b"s1" not in place.sealed
    assert await link(place, key=SecretStr(new_key())).look() is None
    place.sealed = SharedCipher(KEY).seal(b'{"state": "s1"}')
    assert await link(place).claim("s1") is None
    assert "cannot be finished here" in caplog.text
