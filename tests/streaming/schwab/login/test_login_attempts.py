"""A login from its link to its week, on the simulated Schwab."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import SecretStr

from streaming.errors import RequestError
from streaming.schwab.login.auth_client import SchwabAuthClient
from streaming.schwab.login.token_store import TokenStore
from streaming.sim.local_schwab import open_sim
from streaming.sim.world.market import Market
from tests.support.clock import ManualClock


@pytest.fixture
def clock():
    return ManualClock(datetime.now(UTC))


@pytest.fixture
async def sim(clock):
    market = Market.generate(start_at=clock.now(), underlyings=("SPX",), seed=1)
    async with open_sim(market, clock) as sim:
        yield sim


@pytest.fixture
async def http():
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


@pytest.fixture
def store(tmp_path):
    return TokenStore(tmp_path / "t.json")


@pytest.fixture
def auth(store, sim, http, clock):
    return SchwabAuthClient(
        http,
        store,
        client_id=SecretStr("demo"),
        client_secret=SecretStr("demo-secret"),
        api_url=sim.url,
        callback_url="https://127.0.0.1:8182",
        clock=clock,
    )


async def browse(http, attempt):
    return (await http.get(attempt.url, follow_redirects=False)).headers["location"]


async def test_a_login_begins_with_a_link_and_ends_with_a_week(auth, http, store, clock):
    attempt = auth.begin_login()
    await auth.finish_login(attempt, await browse(http, attempt))
    status = auth.status()
    assert status.login_ends_at == clock.now().replace(microsecond=0) + timedelta(days=7)
    assert store.load().access_token
    await auth.refresh()
    assert auth.status().login_ends_at == status.login_ends_at


async def test_every_login_has_a_state_of_its_own_that_must_come_back(auth, http):
    first, second = auth.begin_login(), auth.begin_login()
    assert first.state != second.state
    assert first.state not in repr(first)
    with pytest.raises(RequestError, match="another login"):
        await auth.finish_login(second, await browse(http, first))


async def test_after_ten_minutes_the_link_is_over(auth, http, clock, store):
    attempt = auth.begin_login()
    address = await browse(http, attempt)
    clock.advance(601)
    with pytest.raises(RequestError, match="ten minutes"):
        await auth.finish_login(attempt, address)
    assert store.load() is None


async def test_a_code_works_once_and_a_second_try_on_the_same_link_is_fine(auth, http):
    attempt = auth.begin_login()
    used = await browse(http, attempt)
    await auth.finish_login(attempt, used)
    with pytest.raises(Exception, match="codes live 30 seconds"):
        await auth.finish_login(attempt, used)
    await auth.finish_login(attempt, await browse(http, attempt))
