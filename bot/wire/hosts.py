"""Which Discord the library talks to."""

import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route


def point_discord_at(api_url: str | None, gateway_url: str | None) -> None:
    """Send every later call of discord.py to these addresses; None leaves Discord's own in place.

    `api_url` ends in the API version (`…/api/v10`), `gateway_url` is the WebSocket's. Both are class
    attributes that the library reads per request and per connection, so this holds for the whole process.
    """
    if api_url is not None:
        Route.BASE = api_url.rstrip("/")
    if gateway_url is not None:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)
