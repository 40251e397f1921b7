"""schwab-py 1.5.1 and its fork schwaby 5.2.0, as published, against `python -m streaming sim`."""

import httpx
import pytest
from pydantic import SecretStr

from streaming.clock import SystemClock
from streaming.schwab.login.auth_client import SchwabAuthClient
from streaming.schwab.login.oauth import authorize_url
from streaming.schwab.login.token_store import TokenStore
from tests.third_party.conftest import Sim

SERVICES = {
    *("LEVELONE_EQUITIES", "LEVELONE_OPTIONS", "LEVELONE_FUTURES"),
    *("NYSE_BOOK", "NASDAQ_BOOK", "OPTIONS_BOOK", "CHART_EQUITY", "CHART_FUTURES"),
}


@pytest.mark.parametrize("package", ["schwab", "schwaby"])
async def test_it_signs_in_refreshes_reads_chains_and_receives_every_service_that_is_used(
    package, sim, run_script, callback_url, tmp_path
):
    words = (sim.url, sim.key, sim.secret, callback_url, str(tmp_path), package)
    told = await run_script("schwab_py_session.py", *words)
    assert told["token"] == {"refreshed": True, "same_refresh": True}
    rest, rows = told["rest"], told["stream"]
    assert rest["statuses"] == [200, 200, 502]
    assert (rest["chain"]["symbol"], rest["chain"]["status"]) == ("$SPX", "SUCCESS")
    assert rest["chain"]["numberOfContracts"] > 200
    assert rest["quotes"] == ["$SPX", "/ES", "SPY"]
    assert set(rows) == SERVICES
    assert rows["LEVELONE_EQUITIES"]["BID_PRICE"] < rows["LEVELONE_EQUITIES"]["ASK_PRICE"]
    assert rows["LEVELONE_OPTIONS"]["key"] == rest["option"]
    assert rows["LEVELONE_FUTURES"]["FUTURE_ACTIVE_SYMBOL"].startswith("/ES")
    assert rows["NYSE_BOOK"]["BIDS"][0]["BID_PRICE"] <= rows["NYSE_BOOK"]["ASKS"][0]["ASK_PRICE"]
    assert rows["CHART_EQUITY"]["LOW_PRICE"] <= rows["CHART_EQUITY"]["HIGH_PRICE"]


async def test_it_opens_our_token_file_and_we_open_the_one_it_wrote(sim, run_script, callback_url, tmp_path):
    store = TokenStore(tmp_path / "private" / "token.json")
    await _log_in(sim, store, callback_url)
    ours = store.load()
    told = await run_script("schwab_py_token.py", sim.url, sim.key, sim.secret, str(store.path))
    assert told["status"] == 200
    assert 0 <= told["age_s"] < 30
    assert store.load().access_token == ours.access_token  # it was fresh enough

    store.save(_expired(ours))
    await run_script("schwab_py_token.py", sim.url, sim.key, sim.secret, str(store.path))
    theirs = store.load()
    assert theirs.access_token != ours.access_token
    assert theirs.refresh_token == ours.refresh_token
    assert theirs.login_at == ours.login_at.replace(microsecond=0)  # the seven days still run from the login
    assert theirs.seconds_left(SystemClock().now()) > 1700


async def _log_in(sim: Sim, store: TokenStore, callback_url: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        auth = SchwabAuthClient(
            http,
            store,
            client_id=SecretStr(sim.key),
            client_secret=SecretStr(sim.secret),
            api_url=sim.url,
            callback_url=callback_url,
            clock=SystemClock(),
        )
        url = authorize_url(sim.url, client_id=sim.key, callback_url=callback_url, state="abc")
        redirect = await http.get(url, follow_redirects=False)
        await auth.exchange_code(redirect.headers["Location"], state="abc")


def _expired(token):
    return type(token)(
        token.access_token,
        token.refresh_token,
        expires_at=token.login_at,
        login_at=token.login_at,
        id_token=token.id_token,
    )
