"""Which live messages there are: what admins say counts where the settings speak too."""

import msgspec
import pytest

from bot.servers.orders import (
    SCHEMA,
    BoardOrder,
    Manner,
    is_only_reposted,
    manner_of_alerts,
    manner_of_reposts,
    orders_of,
    read_order,
    settings_orders,
)
from tests.support.host import make_settings

SAID = BoardOrder(channel_id=2, tickers=("NDX",), guild_id=7)


def test_what_admins_say_counts_where_the_settings_name_the_channel_too():
    named = settings_orders(make_settings(gex_feed_channel_map="SPX:1,SPX:2"))
    orders = orders_of(named, [SAID], {1: 5, 9: 5})
    assert {place: (order.tickers, order.origin) for place, order in orders.items()} == {
        1: (("SPX",), "the settings"),
        2: (("NDX",), "/feed"),
    }
    assert orders[1].reposted_ms == 5


def test_what_the_settings_choose_for_a_channel_is_in_its_order():
    orders = settings_orders(make_settings(gex_feed_channel_map="SPX:1:weight=vol:style=card:silent=false,NDX:1,SPX:2"))
    assert orders[1] == BoardOrder(channel_id=1, tickers=("SPX", "NDX"), weight="vol", style="card", silent=False)
    assert orders[2] == BoardOrder(channel_id=2, tickers=("SPX",))


def test_a_wish_for_a_new_message_is_no_other_order():
    assert is_only_reposted(SAID, msgspec.structs.replace(SAID, reposted_ms=9))
    assert not is_only_reposted(SAID, msgspec.structs.replace(SAID, reposted_ms=9, paused=True))


def test_nothing_makes_a_sound_unless_the_settings_or_an_admin_say_so():
    quiet, loud = make_settings(), make_settings(gex_feed_silent=False, alerts_silent=False)
    assert [manner_of_reposts(SAID, seen).silent for seen in (quiet, loud)] == [True, False]
    assert [manner_of_alerts(None, seen).silent for seen in (quiet, loud)] == [True, False]
    chosen = msgspec.structs.replace(SAID, silent=False)
    assert not manner_of_reposts(chosen, quiet).silent
    assert not manner_of_alerts(chosen, quiet).silent
    assert manner_of_reposts(msgspec.structs.replace(chosen, refresh_minutes=0), loud).silent
    pings = msgspec.structs.replace(SAID, alert_role_id=4)
    assert manner_of_alerts(pings, quiet) == Manner(silent=False, role_id=4)


def test_an_order_comes_back_as_it_was_kept():
    assert read_order(msgspec.json.encode(SAID)) == SAID
    earlier = msgspec.to_builtins(SAID) | {"by": 42}
    assert read_order(msgspec.json.encode(earlier)) == SAID, "one that still names who gave it"


@pytest.mark.parametrize(
    "changes", [{"v": SCHEMA + 1}, {"tickers": ()}, {"tickers": ("no ticker!",)}, {"guild_id": None}]
)
def test_an_order_of_a_later_version_or_of_nothing_is_none(changes):
    assert read_order(msgspec.json.encode(msgspec.structs.replace(SAID, **changes))) is None
    assert read_order(b"[]") is None
