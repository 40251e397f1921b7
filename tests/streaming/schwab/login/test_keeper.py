import asyncio
from contextlib import suppress

from streaming.errors import LoginRequiredError
from streaming.schwab.login.keeper import LoginKeeper
from tests.support.waiting import until


class Auth:
    """Refuses until `stored` says something else."""

    def __init__(self):
        self.stored = "old"
        self.asked = 0

    async def keep_fresh(self):
        self.asked += 1
        if self.stored == "old":
            raise LoginRequiredError("The login is over.", remedy="Log in.")
        await asyncio.sleep(60)

    def glance(self):
        return self.stored

    async def changed_from(self, seen):
        while self.stored == seen:
            await asyncio.sleep(0.002)


async def test_a_refusal_is_shown_and_waited_out(caplog):
    auth = Auth()
    keeper = LoginKeeper(auth, auth)
    task = asyncio.create_task(keeper.run())
    try:
        await until(lambda: keeper.trouble)
        await asyncio.sleep(0.02)
        assert (keeper.trouble, auth.asked) == ("The login is over. Log in.", 1)
        auth.stored = "new"
        await until(lambda: keeper.trouble is None and auth.asked == 2)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert "needs a person" in caplog.text


async def test_trouble_that_no_login_ends_is_looked_at_again_and_logged_once(monkeypatch, caplog):
    monkeypatch.setattr("streaming.schwab.login.keeper.another_chance", soon)
    auth = Auth()
    keeper = LoginKeeper(auth, auth)
    task = asyncio.create_task(keeper.run())
    try:
        await until(lambda: auth.asked > 5)
        assert caplog.text.count("needs a person") == 1
        auth.stored = "the disk has room again"
        await until(lambda: keeper.trouble is None)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def soon(_logins, _seen):
    await asyncio.sleep(0.002)
    return False
