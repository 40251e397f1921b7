"""streaming/streamer/runtime.py"""

import pytest
from pydantic import SecretStr

from streaming.bus.publish.stream_budget import StreamBudget
from streaming.model import TickEvent
from streaming.schwab.login.cipher import new_key
from streaming.schwab.login.oauth import AppKey
from streaming.schwab.login.shared_store import SharedTokenStore
from streaming.schwab.login.token_store import TokenStore
from streaming.settings import StreamSettings
from streaming.streamer.runtime import AppKeyFile, open_runtime
from tests.support.clock import ManualClock


@pytest.fixture
def env(tmp_path, monkeypatch):
    for name in ("SCHWAB_CLIENT_ID", "SCHWAB_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / ".env"


def app(client_id, client_secret):
    return AppKey(SecretStr(client_id), SecretStr(client_secret))


def write(path, text):
    path.with_suffix(".new").write_text(text)
    path.with_suffix(".new").replace(path)


def test_a_corrected_secret_counts_without_a_restart(env, caplog):
    write(env, "SCHWAB_CLIENT_ID=key\nSCHWAB_CLIENT_SECRET=wrong\n")
    current = AppKeyFile(app("key", "wrong"), env)
    assert current() == app("key", "wrong")
    write(env, "SCHWAB_CLIENT_ID=key\nSCHWAB_CLIENT_SECRET=right-one\n")
    assert current() == current() == app("key", "right-one")
    assert "right-one" not in caplog.text
    assert len(caplog.records) == 1


@pytest.mark.parametrize("spoilt", ["", "SCHWAB_CLIENT_ID=key\n", "METRICS_PORT=none\n", None])
def test_a_file_that_is_away_or_half_written_changes_nothing(env, spoilt):
    write(env, "SCHWAB_CLIENT_ID=key\nSCHWAB_CLIENT_SECRET=wrong\n")
    current = AppKeyFile(app("key", "wrong"), env)
    env.unlink() if spoilt is None else write(env, spoilt)
    assert current() == app("key", "wrong")
    write(env, "SCHWAB_CLIENT_ID=key\nSCHWAB_CLIENT_SECRET=right\n")
    assert current() == app("key", "right")


def test_what_came_from_elsewhere_stays(env):
    write(env, "SCHWAB_CLIENT_ID=mine\nSCHWAB_CLIENT_SECRET=mine\n")
    current = AppKeyFile(app("demo", "demo"), env)
    write(env, "SCHWAB_CLIENT_ID=mine\nSCHWAB_CLIENT_SECRET=other\n")
    assert current() == app("demo", "demo")


def test_the_environment_wins_over_the_file(env, monkeypatch):
    monkeypatch.setenv("SCHWAB_CLIENT_SECRET", "from the shell")
    write(env, "SCHWAB_CLIENT_ID=key\nSCHWAB_CLIENT_SECRET=x\n")
    current = AppKeyFile(app("key", "from the shell"), env)
    write(env, "SCHWAB_CLIENT_ID=key\nSCHWAB_CLIENT_SECRET=other\n")
    assert current() == app("key", "from the shell")


@pytest.mark.parametrize(("place", "store"), [("file", TokenStore), ("redis", SharedTokenStore)])
async def test_the_login_is_kept_where_the_settings_say(env, redis_url, place, store):
    settings = StreamSettings(
        _env_file=None,
        redis_url=redis_url,
        schwab_token_store=place,
        schwab_token_path=env.parent / "login" / "token.json",
        schwab_token_key=new_key(),
        schwab_client_id="id",
        schwab_client_secret="secret",
    )
    async with open_runtime(settings, ManualClock(), tell=lambda _: None) as runtime:
        assert type(runtime.tokens) is store
        assert runtime.auth._store is runtime.tokens


async def test_what_is_published_and_kept_in_redis_is_what_the_settings_say(redis_url, tmp_path):
    kept = {"redis_events": "ticks", "redis_events_mb": 90, "redis_history_mb": 70}
    settings = StreamSettings(_env_file=None, redis_url=redis_url, schwab_token_path=tmp_path / "token.json", **kept)
    async with open_runtime(settings, ManualClock(), tell=lambda _: None) as runtime:
        numbers = runtime.publisher._numbers
        assert list(numbers) == [TickEvent]
        assert runtime.publisher._delivery._budget.caps == StreamBudget(90, kinds=numbers.values()).caps
        assert runtime.snapshots._history._megabytes == 70
