import asyncio

from streaming.clock import SystemClock
from streaming.schwab.login.keeper import StoredLogins, another_chance
from streaming.schwab.login.token_store import TokenStore
from tests.support.clock import ManualClock
from tests.support.schwab_login import stored


async def test_a_login_written_by_anybody_is_noticed(tmp_path):
    store = stored(tmp_path, ManualClock())
    logins = StoredLogins(store, SystemClock(), every_s=0.005)
    seen = logins.glance()
    waiting = asyncio.create_task(logins.changed_from(seen))
    await asyncio.sleep(0.03)
    assert not waiting.done()
    stored(tmp_path, ManualClock(), seconds_left=900.0)
    await asyncio.wait_for(waiting, 2)


async def test_no_file_and_a_broken_file_are_no_login(tmp_path):
    store = TokenStore(tmp_path / "tokens" / "schwab_token.json")
    logins = StoredLogins(store, SystemClock(), every_s=0.005)
    assert logins.glance() is None
    waiting = asyncio.create_task(logins.changed_from(None))
    store.path.parent.mkdir(mode=0o700)
    store.path.write_text("{")
    store.path.chmod(0o600)
    await asyncio.sleep(0.03)
    assert not waiting.done() and logins.glance() is None
    stored(tmp_path, ManualClock())
    await asyncio.wait_for(waiting, 2)


async def test_a_corrected_app_key_is_as_good_as_another_login(tmp_path):
    app = "wrong"
    logins = StoredLogins(stored(tmp_path, ManualClock()), SystemClock(), app=lambda: app, every_s=0.005)
    waiting = asyncio.create_task(logins.changed_from(logins.glance()))
    await asyncio.sleep(0.03)
    assert not waiting.done()
    app = "right"
    await asyncio.wait_for(waiting, 2)


async def test_without_another_login_there_is_a_chance_after_a_while(tmp_path):
    logins = StoredLogins(stored(tmp_path, ManualClock()), SystemClock(), every_s=0.005)
    assert await another_chance(logins, logins.glance(), within_s=0.03) is False
    assert await another_chance(logins, "something else", within_s=5) is True
