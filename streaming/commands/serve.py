"""`python -m streaming serve`: the HTTP API on what stands in Redis, without a stream (specs/http-api.md)."""

import argparse
import asyncio
import logging

from streaming.api.api import serve_api
from streaming.api.routes import Desk
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import SystemClock
from streaming.errors import ConfigurationError
from streaming.process.logs import Say, say, settings_of_command
from streaming.process.signals import stop_on_signals
from streaming.setting_values import asked_tickers
from streaming.settings import StreamSettings
from streaming.streamer.runtime import open_bus


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `serve` to the commands."""
    command = commands.add_parser(
        "serve",
        help="the HTTP API alone, on the snapshots in Redis",
        description="Answers other programs on API_PORT until told to stop. The bot and `start` answer there too.",
    )
    command.add_argument(
        "--tickers", metavar="SPX,NDX", help="what /v1/symbols lists, instead of those in GEX_SOURCE_MAP"
    )
    command.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT, then return 0; ConfigurationError without a port or a token."""
    settings = settings_of_command(least=logging.NOTSET)
    if not settings.api_port:
        raise ConfigurationError(
            "API_PORT is not set.", remedy="Set it in .env or the environment, such as API_PORT=9106."
        )
    return asyncio.run(_serve(settings, arguments.tickers, say))


async def _serve(settings: StreamSettings, tickers: str | None, say: Say) -> int:
    stop = stop_on_signals()
    followed = settings.mapped_tickers if tickers is None else asked_tickers(tickers)
    clock = SystemClock()
    async with (
        open_bus(settings, tell=say) as redis,
        serve_api(settings, Desk(SnapshotStore(redis, clock=clock), followed, clock)) as api,
    ):
        say(f"API: {api.url}")
        await stop.wait()
    say("Stopped.")
    return 0
