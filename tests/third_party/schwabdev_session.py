"""A whole session of the unmodified Schwabdev, told as one JSON document; runs in an environment of its own.

Arguments: the simulator's address, app key, app secret, callback URL, an empty folder.
"""

import json
import sys
import threading
import time
from pathlib import Path

import rehost
import requests
import schwabdev

LIMIT_S = 15.0
FIELDS = "0,1,2,3,4,5,8"
SERVICES = {
    "LEVELONE_EQUITIES",
    "LEVELONE_OPTIONS",
    "LEVELONE_FUTURES",
    "NYSE_BOOK",
    "CHART_EQUITY",
}


def approve(url: str) -> str:
    """What a person does in the browser: the address it is sent to in the end."""
    return requests.get(url, allow_redirects=False, timeout=10).headers["Location"]


def market_data(client: schwabdev.Client) -> dict:
    listed = client.option_expiration_chain("$SPX").json()["expirationList"]
    day = listed[0]["expirationDate"]
    chain = client.option_chains("$SPX", fromDate=day, toDate=day).json()
    strikes = next(iter(chain["callExpDateMap"].values()))
    return {
        "chain": {name: chain[name] for name in ("symbol", "status", "numberOfContracts", "underlyingPrice")},
        "expirations": len(listed),
        "quotes": sorted(client.quotes(["SPY", "$SPX", "/ES"]).json()),
        "hours": sorted(client.market_hours(["equity", "option"]).json()),
        "candles": len(client.price_history("SPY").json()["candles"]),
        "option": strikes[min(strikes, key=lambda strike: abs(float(strike) - chain["underlyingPrice"]))][0]["symbol"],
    }


class Listener:
    """Keeps the responses' codes and the first row of each service."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.rows: dict[str, dict] = {}
        self.frames = 0
        self.complete = threading.Event()

    def hear(self, text: str) -> None:
        message = json.loads(text)
        self.codes += [item["content"]["code"] for item in message.get("response", ())]
        for item in message.get("data", ()):
            self.rows.setdefault(item["service"], item["content"][0])
            self.frames += item["service"] == "LEVELONE_EQUITIES"
        if set(self.rows) >= SERVICES and self.frames > 2:
            self.complete.set()


def stream(client: schwabdev.Client, option: str) -> Listener:
    listener, streamer = Listener(), schwabdev.Stream(client)
    streamer.start(listener.hear)
    until = time.monotonic() + LIMIT_S
    while not streamer.active and time.monotonic() < until:
        time.sleep(0.05)
    asked = (
        streamer.level_one_equities("SPY,$SPX", FIELDS),
        streamer.level_one_options(option, "0,2,3,4,8,28,29"),
        streamer.level_one_futures("/ES", FIELDS),
        streamer.nyse_book("SPY", "0,1,2,3"),
        streamer.chart_equity("SPY", "0,1,2,3,4,5,6,7,8"),
        streamer.level_one_equities("QQQ", FIELDS, command="ADD"),
        streamer.level_one_equities("QQQ", FIELDS, command="UNSUBS"),
    )
    for request in asked:
        streamer.send(request)
    listener.complete.wait(LIMIT_S)
    streamer.stop()
    return listener


def main() -> None:
    url, key, secret, callback, folder = sys.argv[1:]
    rehost.point_at(url, schwabdev.client, schwabdev.tokens)
    client = schwabdev.Client(
        key, secret, callback, tokens_db=str(Path(folder) / "tokens.db"), call_on_auth=approve, timeout=10
    )
    first = (client.tokens.access_token, client.tokens.refresh_token)
    refreshed = client.update_tokens(force_access_token=True)
    token = {
        "refreshed": refreshed and client.tokens.access_token != first[0],
        "same_refresh": client.tokens.refresh_token == first[1],
    }
    seen = market_data(client)
    listener = stream(client, seen["option"])
    sys.stdout.write(json.dumps({"token": token, "rest": seen, "stream": listener.rows, "codes": listener.codes}))


if __name__ == "__main__":
    main()
