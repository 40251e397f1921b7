"""A whole session of the unmodified schwab-py, told as one JSON document; runs in an environment of its own.

Arguments: the simulator's address, app key, app secret, callback URL, an empty folder, and whose package it is:
`schwab` or `schwaby`, its fork that has the same functions and another HTTP library.
"""

import asyncio
import json
import sys
import time
import webbrowser
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import rehost

LIMIT_S = 15.0
_OF_MARKET_DATA = ("add_level_one", "add_nyse", "add_nasdaq", "add_options_book", "add_chart")
_UNUSED = ("add_level_one_futures_options", "add_level_one_forex")


class Browser(webbrowser.BaseBrowser):
    """A person who signs in and lets the browser follow the redirect to the callback."""

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        with httpx.Client(verify=False, follow_redirects=True, trust_env=False) as http:
            return http.get(url).is_success


def sign_in(package: Any, key: str, secret: str, callback: str, path: Path) -> dict:
    webbrowser.register("person", None, Browser())
    with redirect_stdout(sys.stderr):
        package.auth.client_from_login_flow(
            key, secret, callback, str(path), interactive=False, requested_browser="person"
        )
    return json.loads(path.read_text())


def let_expire(path: Path) -> None:
    stored = json.loads(path.read_text())
    stored["creation_timestamp"] -= 100
    stored["token"]["expires_at"] = int(time.time()) - 1
    path.write_text(json.dumps(stored))


def market_data(client: Any) -> dict:
    prefs = client.get_user_preferences()
    listed = client.get_option_expiration_chain("$SPX").json()["expirationList"]
    day = date.fromisoformat(listed[0]["expirationDate"])
    chain = client.get_option_chain("$SPX", from_date=day, to_date=day)
    near = client.get_option_chain("$SPX", from_date=day, to_date=day, strike_count=2).json()
    symbol = next(iter(next(iter(near["callExpDateMap"].values())).values()))[0]["symbol"]
    return {
        "statuses": [prefs.status_code, chain.status_code, client.get_option_chain("$SPX").status_code],
        "chain": {name: chain.json()[name] for name in ("symbol", "status", "numberOfContracts", "underlyingPrice")},
        "expirations": len(listed),
        "quotes": sorted(client.get_quotes(["SPY", "$SPX", "/ES"]).json()),
        "hours": sorted(client.get_market_hours([client.MarketHours.Market.EQUITY]).json()),
        "candles": len(client.get_price_history_every_minute("SPY").json()["candles"]),
        "option": symbol,
    }


async def stream(package: Any, client: Any, option: str) -> dict:
    streamer = package.streaming.StreamClient(client)
    await streamer.login()
    first: dict[str, dict] = {}
    frames: dict[str, int] = {}

    def see(message: dict) -> None:
        service = message["service"]
        first.setdefault(service, message["content"][0])
        frames[service] = frames.get(service, 0) + 1

    wanted = await subscribe(streamer, option, see)
    async with asyncio.timeout(LIMIT_S):
        while not (wanted <= set(first) and frames["LEVELONE_EQUITIES"] >= 3):
            await streamer.handle_message()
    await streamer.level_one_equity_add(["QQQ"])
    await streamer.level_one_equity_unsubs(["QQQ"])
    await streamer.logout()
    return first


async def subscribe(streamer: Any, option: str, see: Callable[[dict], None]) -> set[str]:
    """Subscribe to every service of market data that Gexcord uses; their names on the wire."""
    await streamer.level_one_equity_subs(["SPY", "$SPX"])
    await streamer.level_one_option_subs([option])
    await streamer.level_one_futures_subs(["/ES"])
    await streamer.nyse_book_subs(["SPY"])
    await streamer.nasdaq_book_subs(["QQQ"])
    await streamer.options_book_subs([option])
    await streamer.chart_equity_subs(["SPY"])
    await streamer.chart_futures_subs(["/ES"])
    handlers = [name for name in dir(streamer) if name.startswith(_OF_MARKET_DATA) and name.endswith("_handler")]
    for name in handlers:
        if not name.startswith(_UNUSED):
            getattr(streamer, name)(see)
    return set(streamer._handlers)


def main() -> None:
    url, key, secret, callback, folder, name = sys.argv[1:]
    package = import_module(name)
    import_module(f"{name}.streaming")
    rehost.point_at(url, package.auth, package.client.synchronous)
    path = Path(folder) / "schwab-py.json"
    signed_in = sign_in(package, key, secret, callback, path)
    let_expire(path)
    client = package.auth.client_from_token_file(str(path), key, secret)
    seen = market_data(client)
    stored = json.loads(path.read_text())
    rows = asyncio.run(stream(package, client, seen["option"]))
    same = stored["token"]["refresh_token"] == signed_in["token"]["refresh_token"]
    told = {"refreshed": stored["token"]["access_token"] != signed_in["token"]["access_token"], "same_refresh": same}
    sys.stdout.write(json.dumps({"token": told, "rest": seen, "stream": rows}))


if __name__ == "__main__":
    main()
