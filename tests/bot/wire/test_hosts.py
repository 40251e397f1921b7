import pytest
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.wire.hosts import point_discord_at


@pytest.fixture(autouse=True)
def _put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Route, "BASE", Route.BASE)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)


def test_both_addresses_reach_the_library() -> None:
    point_discord_at("http://127.0.0.1:1/api/v10/", "ws://127.0.0.1:1/gateway/")
    assert Route("GET", "/users/@me").url == "http://127.0.0.1:1/api/v10/users/@me"
    assert yarl.URL("ws://127.0.0.1:1/gateway/") == DiscordWebSocket.DEFAULT_GATEWAY


def test_what_is_not_named_stays_discords_own() -> None:
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    point_discord_at(None, None)
    assert before == (Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY)
