"""What people run today, in an environment of its own: schwab-py's StreamClient, `json.dumps`, one publish per event.

Arguments: the feed's port, the Redis URL, and a JSON object of the symbols by service. Publishes each event before it
reads the next frame, so nothing is lost. Prints the same line as `stream_ours`, with zeros for what it does not have.
"""

import asyncio
import json
import sys
import time
import warnings
from types import SimpleNamespace

from redis.asyncio import Redis

warnings.showwarning = lambda *_words, **_more: None  # authlib insists on announcing its next version
from schwab.streaming import StreamClient  # noqa: E402 - after that line

TICKS = ("LEVELONE_EQUITIES", "LEVELONE_OPTIONS", "LEVELONE_FUTURES")
CHANNELS = dict.fromkeys(TICKS, "market_data:ticks") | {"NASDAQ_BOOK": "market_data:level2"}


def logged_in_client(port: str) -> SimpleNamespace:
    """As much of a schwab-py HTTP client as its StreamClient asks for."""
    info = {
        "streamerSocketUrl": f"ws://127.0.0.1:{port}/",
        "schwabClientCustomerId": "customer",
        "schwabClientCorrelId": "correl",
        "schwabClientChannel": "N9",
        "schwabClientFunctionId": "APIAPP",
    }
    answer = SimpleNamespace(status_code=200, json=lambda: {"streamerInfo": [info]})
    token = SimpleNamespace(token={"access_token": "token"})
    return SimpleNamespace(get_user_preferences=lambda: answer, token_metadata=token)


async def main() -> None:
    port, url, named = sys.argv[1:]
    symbols = json.loads(named)
    streamer = StreamClient(logged_in_client(port))
    waiting: list[dict] = []
    streamer.add_level_one_equity_handler(waiting.append)
    streamer.add_level_one_option_handler(waiting.append)
    streamer.add_level_one_futures_handler(waiting.append)
    streamer.add_nasdaq_book_handler(waiting.append)
    events, next_report_s = 0, 0.0
    async with Redis.from_url(url) as redis:
        await streamer.login()
        subscribe = {
            "LEVELONE_OPTIONS": streamer.level_one_option_subs,
            "LEVELONE_FUTURES": streamer.level_one_futures_subs,
            "LEVELONE_EQUITIES": streamer.level_one_equity_subs,
        }
        for service, ask in subscribe.items():
            if service in symbols:
                await ask(symbols[service])
        await streamer.nasdaq_book_subs(symbols["LEVELONE_EQUITIES"])
        while True:
            try:
                async with asyncio.timeout(0.1):
                    await streamer.handle_message()
            except TimeoutError:
                pass
            for message in waiting:
                for row in message["content"]:
                    await redis.publish(CHANNELS[message["service"]], json.dumps(row))
                    events += 1
            waiting.clear()
            if time.monotonic() >= next_report_s:
                next_report_s = time.monotonic() + 0.1
                print(events, 0, 0, 0, 0, 0, 0, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
