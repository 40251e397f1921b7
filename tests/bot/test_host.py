"""bot/host.py: what settings reach which part; the whole of it runs in tests/e2e."""

import random
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest

from bot import host
from bot.host import _alerts, _callback_port, _feed, _jobs, _login_watch
from bot.wire.crew import Crew
from streaming.process.alarm import AlarmBell
from streaming.schwab.login.cipher import new_key
from tests.support.clock import ManualClock
from tests.support.host import make_settings


def runtime_of(**values):
    auth = SimpleNamespace(app=None)
    return SimpleNamespace(settings=make_settings(**values), auth=auth, tokens=None, redis=None, clock=ManualClock())


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Europe/Berlin"])
def test_reminders_of_the_login_keep_out_of_the_night_of_the_operators_zone(zone):
    watch = _login_watch(SimpleNamespace(tell_operators=None), runtime_of(operator_time_zone=zone))
    assert watch._zone.key == zone


@pytest.mark.parametrize("place", [("127.0.0.1", 8183), ("::1", 9000)])
def test_logins_arrive_where_the_settings_say(place):
    port = _callback_port(runtime_of(schwab_callback_bind="[{}]:{}".format(*place)), tell=print)
    assert port.place == place


@pytest.mark.parametrize("store", ["file", "redis"])
def test_whichever_machine_the_browser_comes_to_finishes_a_login_that_machines_share(store):
    shared = {"schwab_token_store": store, "schwab_token_key": new_key(), "redis_url": "redis://127.0.0.1/0"}
    runtime = runtime_of(schwab_callback_bind="127.0.0.1:8183", **shared)
    runtime.redis = MagicMock()
    assert _callback_port(runtime, tell=print).callback.is_shared is (store == "redis")


def test_without_a_place_no_login_arrives():
    assert _callback_port(runtime_of(), tell=print) is None


@pytest.fixture
def runtime():
    """Nothing of it is used before the parts run."""
    return MagicMock(clock=ManualClock(), auth=None)


def test_people_and_channels_have_as_many_alerts_as_the_settings_say(runtime):
    settings = make_settings(alerts_per_person=7, alerts_per_channel=31)
    commands, _, _ = _alerts(MagicMock(), runtime, settings, MagicMock(), random.Random(1))
    assert (commands._per_person, commands._per_channel) == (7, 31)


@pytest.mark.parametrize("enabled", [True, False])
def test_what_the_feed_does_is_written_to_redis_if_the_settings_want_that(runtime, enabled):
    feed = _feed(
        MagicMock(),
        runtime,
        make_settings(gex_feed_metrics_enabled=enabled),
        MagicMock(),
        rng=random.Random(1),
        process=MagicMock(),
        loading=MagicMock(),
        turns=MagicMock(),
        crew=Crew(MagicMock(), "token", runtime.clock),
    )
    [runner] = feed._runners
    assert (runner._write_metrics is not None) is enabled


def jobs_of(runtime, **values):
    parts = {name: MagicMock() for name in ("heartbeat", "sources", "recorder", "history", "feed", "crew")}
    return _jobs(MagicMock(), runtime, make_settings(**values), bell=AlarmBell(None, runtime.clock), **parts)


def test_who_wants_to_be_rung_without_discord_has_a_bell_that_runs(runtime):
    assert jobs_of(runtime, on_alarm="true")["alarm"].__func__ is AlarmBell.run
    assert "alarm" not in jobs_of(runtime)


@pytest.mark.parametrize("priced", [True, False])
def test_the_line_of_members_has_a_price_if_the_settings_want_that(runtime, priced):
    jobs = jobs_of(runtime, gex_price_presence=priced)
    assert jobs["presence"].__self__._priced is priced


def test_as_many_tickers_may_be_asked_for_in_a_minute_as_the_settings_say(runtime, monkeypatch):
    monkeypatch.setattr(host, "on_demand_source", lambda _runtime, *, per_minute: per_minute)
    assert host._on_demand(runtime, make_settings(gex_on_demand_per_minute=9)) == 9
