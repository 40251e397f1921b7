"""bot/host.py: what settings reach which part; the whole of it runs in tests/e2e."""

from types import SimpleNamespace

import pytest

from bot.host import _callback_port, _login_watch
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


def test_without_a_place_no_login_arrives():
    assert _callback_port(runtime_of(), tell=print) is None
