import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest

from streaming.errors import ConfigurationError, LoginRequiredError, TransientError
from streaming.status import TokenStatus
from streaming.streamer.login_watch import LoginWatch
from tests.support.clock import ManualClock
from tests.support.waiting import until

NOW = ManualClock().now()
REFUSED = LoginRequiredError("The weekly Schwab login is over.", remedy="Log in with `/token login`.")


class StandInLogin:
    """A login that ends when told, is refused when told, and notices another one."""

    def __init__(self, ends_at):
        self.ends_at = ends_at
        self.present = True
        self.name = "first"
        self.refusal = asyncio.get_running_loop().create_future()
        self.changed = asyncio.Event()
        self.refreshing = 0
        self.last_error = None
        self.unsaved = False

    def status(self):
        return TokenStatus(
            configured=True,
            present=self.present,
            login_ends_at=self.ends_at,
            last_error=self.last_error,
            unsaved=self.unsaved,
        )

    def login_id(self):
        return self.name

    async def keep_fresh(self):
        self.refreshing += 1
        error = await asyncio.shield(self.refusal)
        self.last_error = str(error)
        raise error

    def glance(self):
        return self.name

    async def changed_from(self, seen):
        assert seen == self.name
        await self.changed.wait()
        self.changed.clear()

    def log_in_again(self, name="second"):
        self.name = name
        self.last_error = None
        self.refusal = asyncio.get_running_loop().create_future()
        self.changed.set()


class Memory:
    """Claims in a set; away when told."""

    def __init__(self):
        self.claimed = set()
        self.away = False

    async def claim(self, name, *, ttl):
        if self.away:
            raise TransientError("Redis is away.")
        is_new = name not in self.claimed
        self.claimed.add(name)
        return is_new

    async def release(self, name):
        if self.away:
            raise TransientError("Redis is away.")
        was_told = name in self.claimed
        self.claimed.discard(name)
        return was_told


class RacingClock(ManualClock):
    """Each sleep takes ten minutes, so that days pass at once."""

    async def sleep(self, seconds):
        await super().sleep(600)


class StillClock(ManualClock):
    """Sleeps are short and take no time."""

    async def sleep(self, seconds):
        await asyncio.sleep(0.001)


@pytest.fixture
def memory():
    return Memory()


@asynccontextmanager
async def watching(login, memory, clock=None):
    """The sentences that the operators are told while the watch runs."""
    told = []

    def tell(sentence):
        told.append(sentence)

    watch = LoginWatch(login, login, memory, tell=tell, clock=clock or StillClock())
    task = asyncio.create_task(watch.run(lambda: None))
    try:
        yield told
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_operators_are_told_48_24_6_and_1_hours_before_the_end_once_each(memory):
    login = StandInLogin(NOW + timedelta(days=3))
    async with watching(login, memory, RacingClock()) as told:
        await until(lambda: len(told) == 4)
        await asyncio.sleep(0.05)
    assert [sentence.split(".")[0] for sentence in told] == [
        "The Schwab login has 48 h left",
        "The Schwab login has 24 h left",
        "The Schwab login has 12 h left",
        "The Schwab login has 1 h left",
    ]
    assert all("ends Sunday 09:40 New York, outside the session" in sentence for sentence in told)
    assert all("/token login" in sentence for sentence in told)


async def test_a_restart_repeats_nothing_and_a_late_start_tells_one_stage(memory):
    login = StandInLogin(NOW + timedelta(hours=5))
    for expected in (1, 0):
        async with watching(login, memory) as told:
            await asyncio.sleep(0.02)
        assert len(told) == expected
    assert memory.claimed == {"first:6h"}


async def test_another_login_has_warnings_of_its_own(memory):
    login = StandInLogin(NOW + timedelta(hours=5))
    async with watching(login, memory) as told:
        await until(lambda: told)
        login.name = "second"
        await until(lambda: len(told) == 2)


async def test_a_refusal_is_told_at_once_with_its_remedy_and_the_watch_goes_on_after_a_login(memory):
    login = StandInLogin(NOW + timedelta(days=5))
    async with watching(login, memory) as told:
        login.refusal.set_result(REFUSED)
        await until(lambda: told)
        assert told == [REFUSED.sentence]
        assert login.refreshing == 1
        login.log_in_again()
        await until(lambda: login.refreshing == 2 and len(told) == 2)
        assert told[1] == "The Schwab login works again."
        login.refusal.set_result(ConfigurationError("Schwab does not accept the app key or secret.", remedy="Compare."))
        await until(lambda: len(told) == 3)
    assert told[2].endswith("Compare.")


async def test_a_refusal_that_repeats_is_told_and_logged_once_and_its_end_once(memory, monkeypatch, caplog):
    monkeypatch.setattr("streaming.schwab.login.keeper.another_chance", at_once)
    login = StandInLogin(NOW + timedelta(days=5))
    login.refusal.set_result(REFUSED)
    async with watching(login, memory) as told:
        await until(lambda: login.refreshing > 20)
        assert told == [REFUSED.sentence]
        login.log_in_again(name="first")
        await until(lambda: len(told) == 2)
        assert told[1] == "The Schwab login works again."
        login.refusal.set_result(REFUSED)
        await until(lambda: len(told) == 3)
    assert told[2] == REFUSED.sentence
    assert caplog.text.count("needs a person") == 2


async def at_once(_logins, _seen):
    await asyncio.sleep(0)
    return False


async def test_a_refusal_told_before_the_restart_is_not_told_again(memory):
    for expected in (1, 0):
        login = StandInLogin(None)
        login.present = False
        login.refusal.set_result(REFUSED)
        async with watching(login, memory) as told:
            await asyncio.sleep(0.02)
        assert len(told) == expected


async def test_an_unknown_age_is_said_once(memory):
    async with watching(StandInLogin(None), memory) as told:
        await until(lambda: told)
        await asyncio.sleep(0.02)
    (sentence,) = told
    assert "its age is unknown" in sentence


async def test_while_redis_is_away_warnings_wait_and_a_refusal_does_not(memory):
    memory.away = True
    login = StandInLogin(NOW + timedelta(hours=5))
    async with watching(login, memory) as told:
        await asyncio.sleep(0.02)
        assert told == []
        login.refusal.set_result(REFUSED)
        await until(lambda: told)
        memory.away = False
        login.log_in_again()
        await until(lambda: any("has 5 h left" in sentence for sentence in told))
    assert told[0] == REFUSED.sentence


async def test_a_login_that_only_this_process_has_is_told_after_a_minute_and_so_is_its_end(memory):
    memory.away = True
    login, clock = StandInLogin(NOW + timedelta(days=5)), StillClock()
    async with watching(login, memory, clock) as told:
        login.unsaved = True
        await asyncio.sleep(0.01)
        clock.advance(59)
        await asyncio.sleep(0.01)
        assert told == []
        clock.advance(1)
        await until(lambda: told)
        await asyncio.sleep(0.01)
        login.unsaved = False
        await until(lambda: len(told) == 2)
    assert "Only this process has the login" in told[0]
    assert told[1] == "Redis has stored the Schwab login."


async def test_a_bug_in_the_watch_is_the_supervisors(memory):
    login = StandInLogin(NOW + timedelta(days=5))
    watch = LoginWatch(login, login, memory, tell=None, clock=ManualClock())
    login.refusal.set_result(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await watch.run(lambda: None)
