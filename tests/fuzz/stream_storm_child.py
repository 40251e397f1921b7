"""The process that `stream_storm` kills: the real client and publisher, held back and fenced as `Streamer` has them.

The lease is that of the stream under one name for all of them: what a killed one leaves is taken at once, and raised.

Arguments: the simulator's address, the token file, Redis, where the simulator's clock began and at which monotonic
second, the symbols separated by commas. It imports no more than it needs, for it is started a thousand times.
Prints a line `[acknowledged, connects, gaps, last gap, live]` a hundred times a second.
"""

import asyncio
import json
import random
import sys
from pathlib import Path
from typing import Final

import httpx
from pydantic import SecretStr

from streaming.bus import keys
from streaming.bus.last_tick import last_tick_at
from streaming.bus.lease import Lease
from streaming.bus.publish.publisher import TradingEventPublisher
from streaming.bus.redis_connection import open_redis
from streaming.clock import ShiftedClock, instant_of
from streaming.schwab.login.auth_client import SchwabAuthClient
from streaming.schwab.login.token_store import TokenStore
from streaming.schwab.rest.budget import RequestBudget
from streaming.schwab.rest.rest_client import SchwabRestClient
from streaming.schwab.stream.policy import StreamTiming
from streaming.schwab.stream.routing import Subscriptions
from streaming.schwab.stream.stream_client import SchwabStreamClient

_OWNER: Final = "stream storm"
_TELL_EVERY_S: Final = 0.01
_QUICK: Final = StreamTiming(close_s=0.05, first_delay_s=0.002, max_delay_s=0.01, settle_s=0.05)


async def _tell(client: SchwabStreamClient, publisher: TradingEventPublisher) -> None:
    while True:
        status = client.status
        told = (publisher.stats.published, status.connects, status.gaps, status.last_gap_s, status.state == "live")
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        await asyncio.sleep(_TELL_EVERY_S)


async def main() -> None:
    """Stream until killed."""
    sim_url, token_path, redis_url, start, began_s, symbols = sys.argv[1:]
    clock = ShiftedClock(instant_of(int(start)), began_s=float(began_s))
    async with (
        httpx.AsyncClient() as http,
        open_redis(redis_url) as redis,
        TradingEventPublisher(redis, streams_mb=10_000) as publisher,
        (lease := Lease(redis, keys.STREAM_LEASE, _OWNER)).held(),
    ):
        auth = SchwabAuthClient(
            http,
            TokenStore(Path(token_path)),
            client_id=SecretStr("id"),
            client_secret=SecretStr("secret"),
            api_url=sim_url,
            callback_url="https://127.0.0.1:8182",
            clock=clock,
        )
        client = SchwabStreamClient(
            SchwabRestClient(http, auth, api_url=sim_url, budget=RequestBudget(100_000, clock), clock=clock),
            auth,
            Subscriptions(tuple(symbols.split(","))),
            publisher.publish,
            clock,
            random.Random(1),
            timing=_QUICK,
            flowed_at=await last_tick_at(redis, clock),
            assure=lease.assure,
            room=publisher.room,
        )
        with publisher.under(lease):
            async with asyncio.TaskGroup() as group:
                group.create_task(client.run(), name="stream")
                group.create_task(_tell(client, publisher), name="tell")


if __name__ == "__main__":
    asyncio.run(main())
