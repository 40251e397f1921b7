"""Schwabdev 4.0.0, as published, against `python -m streaming sim`."""

from datetime import UTC, datetime, timedelta

from streaming.schwab.login.cipher import TokenCipher
from streaming.schwab.login.other_programs import read_file


async def test_it_signs_in_refreshes_reads_chains_and_receives_data(sim, run_script, callback_url, tmp_path):
    told = await run_script("schwabdev_session.py", sim.url, sim.key, sim.secret, callback_url, str(tmp_path))
    assert told["token"] == {"refreshed": True, "same_refresh": True}
    rest, rows = told["rest"], told["stream"]
    assert (rest["chain"]["symbol"], rest["chain"]["status"]) == ("$SPX", "SUCCESS")
    assert (rest["quotes"], rest["hours"]) == (["$SPX", "/ES", "SPY"], ["equity", "option"])
    assert rest["candles"] > 0
    assert set(told["codes"]) == {0}
    assert rows["LEVELONE_EQUITIES"]["delayed"] is False
    assert rows["LEVELONE_OPTIONS"]["key"] == rest["option"]
    assert rows["LEVELONE_FUTURES"]["3"] > rest["chain"]["underlyingPrice"] * 0.9
    assert {"NYSE_BOOK", "CHART_EQUITY"} <= set(rows)


async def test_we_open_the_login_that_it_stored(sim, run_script, callback_url, tmp_path):
    await run_script("schwabdev_session.py", sim.url, sim.key, sim.secret, callback_url, str(tmp_path))
    token = read_file(tmp_path / "tokens.db", now=datetime.now(UTC), cipher=TokenCipher(None))
    assert token.refresh_token.endswith("@")
    assert datetime.now(UTC) - token.login_at < timedelta(minutes=1)
