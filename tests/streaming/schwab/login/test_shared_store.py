import asyncio
import random
from contextvars import copy_context
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from streaming.errors import ConfigurationError, TransientError
from streaming.schwab.login.cipher import new_key
from streaming.schwab.login.shared_store import SharedTokenStore
from streaming.schwab.login.tokens import Token
from tests.support.shared_login import KEY, Machine, MemoryPlace, MemorySecret, StrictSchwab
from tests.support.virtual_loop import LoopClock, run_virtually

START = datetime(2026, 8, 17, 12, 0, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)


class Rig:
    """Two machines on one place and one Schwab."""

    def __init__(self, loop, apart=timedelta(0)):
        rng = random.Random(7)
        self.loop = loop
        self.place = MemoryPlace(START_MS)
        self.schwab = StrictSchwab(rng, copy_context())
        self.here, self.there = (Machine(self.place, self.schwab, rng, START, by) for by in (timedelta(0), apart))

    async def log_in(self, machine):
        attempt = machine.auth.begin_login()
        return await machine.auth.finish_login(attempt, self.schwab.authorize(attempt.url))


def virtually(test, **options):
    async def main(loop):
        await test(Rig(loop, **options))

    run_virtually(main)


def test_a_login_on_one_machine_is_the_others_at_once():
    async def both(rig):
        token = await rig.log_in(rig.here)
        assert await rig.there.auth.access_token() == token.access_token
        assert rig.schwab.refreshes == 0

    virtually(both)


def test_two_machines_refresh_once():
    async def both(rig):
        await rig.log_in(rig.here)
        await asyncio.sleep(1700.0)
        tokens = await asyncio.gather(rig.here.auth.access_token(), rig.there.auth.access_token())
        assert (tokens[0] == tokens[1], rig.schwab.refreshes, rig.schwab.violations) == (True, 1, [])

    virtually(both)


@pytest.mark.parametrize("apart", [timedelta(hours=-2), timedelta(hours=2)])
def test_a_clock_that_is_hours_apart_neither_hammers_nor_hands_out_what_is_dead(apart):
    async def both(rig):
        token = await rig.log_in(rig.here)
        assert await rig.there.auth.access_token() == token.access_token
        await asyncio.sleep(1700.0)
        assert rig.schwab.accepts(await rig.there.auth.access_token())
        assert rig.schwab.refreshes == 1

    virtually(both, apart=apart)


def test_what_could_not_be_stored_is_used_and_stored_later():
    async def both(rig):
        await rig.log_in(rig.there)
        attempt = rig.here.auth.begin_login()
        finishing = asyncio.ensure_future(rig.here.auth.finish_login(attempt, rig.schwab.authorize(attempt.url)))
        while rig.schwab.logins < 2:
            await asyncio.sleep(0.001)
        rig.place.away = True
        with pytest.raises(TransientError):
            await finishing
        rig.place.away = False
        await asyncio.sleep(30.0)
        assert rig.schwab.accepts(await rig.here.auth.access_token())
        assert rig.schwab.accepts(await rig.there.auth.access_token())

    virtually(both)


@pytest.mark.parametrize("is_lost", [True, False])
def test_a_refresh_token_that_rotated_and_reached_no_copy_is_put_back_by_who_has_it(is_lost, caplog):
    async def both(rig):
        await rig.log_in(rig.here)
        rig.schwab.rotates = True
        rig.place.taken.clear()
        refreshing = asyncio.ensure_future(rig.here.auth.refresh())
        await rig.place.taken.wait()
        rig.place.has_copy = False
        with pytest.raises(TransientError, match="only this machine has it"):
            await refreshing
        assert rig.here.auth.status().unsaved
        assert "not stored yet: No copy of Redis has it." in caplog.text
        if is_lost:
            rig.place.fail_over()
        rig.place.has_copy = True
        await asyncio.sleep(30.0)
        assert rig.schwab.accepts(await rig.here.auth.access_token())
        assert (rig.here.auth.status().unsaved, rig.here.auth.status().last_error) == (False, None)
        await rig.there.auth.refresh()
        assert (rig.schwab.refreshes, rig.schwab.violations) == (2, [])

    virtually(both)


def test_no_refresh_token_is_spent_in_a_turn_that_no_copy_has():
    async def alone(rig):
        await rig.log_in(rig.here)
        rig.place.has_copy = False
        with pytest.raises(TransientError, match="No copy"):
            await rig.here.auth.refresh()
        assert (rig.schwab.refreshes, rig.here.auth.status().unsaved) == (0, False)

    virtually(alone)


def test_a_place_that_lost_its_data_is_told_again_and_a_logout_is_not():
    async def both(rig):
        token = await rig.log_in(rig.here)
        rig.place.wipe()
        for _ in range(2):
            await rig.here.auth.access_token()
        assert await rig.there.auth.access_token() == token.access_token
        async with rig.there.store.locked():
            await rig.there.store.forget()
        await rig.here.store.look()
        assert (rig.here.store.load(), rig.here.store.version()) == (None, None)

    virtually(both)


def test_nothing_in_the_place_can_be_read_or_changed_unnoticed():
    async def look(rig):
        token = await rig.log_in(rig.here)
        assert token.refresh_token.encode() not in rig.place.sealed
        clock, rng = LoopClock(rig.loop, START), random.Random(1)

        def reader(key):
            return SharedTokenStore(MemorySecret(rig.place, rng), key=key, clock=clock, new_holder=lambda: "x")

        stranger = reader(SecretStr(new_key()))
        await stranger.look()
        with pytest.raises(ConfigurationError, match="another SCHWAB_TOKEN_KEY"):
            stranger.load()
        rig.place.sealed = rig.place.sealed[:-1] + bytes([rig.place.sealed[-1] ^ 1])
        changed = reader(KEY)
        await changed.look()
        with pytest.raises(ConfigurationError, match="changed by somebody"):
            changed.load()

    virtually(look)


def test_after_a_pause_in_its_turn_a_machine_asks_nothing_and_stores_nothing():
    async def paused(rig):
        await rig.log_in(rig.here)
        async with rig.here.store.locked():
            await asyncio.sleep(60.0)
            with pytest.raises(TransientError, match="paused"):
                await rig.here.store.assure()
            await rig.log_in(rig.there)
            with pytest.raises(TransientError, match="Another machine"):
                await rig.here.store.keep(Token("old", "refresh-1@", login_at=rig.here.store.load().login_at))
        await rig.here.store.look()
        assert rig.here.store.load().refresh_token == "refresh-2@"

    virtually(paused)
