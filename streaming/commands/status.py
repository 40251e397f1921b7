"""`python -m streaming status`: what the running processes say of themselves, as it stands in Redis."""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.redis_connection import answering
from streaming.errors import RequestError
from streaming.process.logs import say, settings_of_command
from streaming.settings import StreamSettings
from streaming.streamer.runtime import open_bus

HASHES: Final[Mapping[str, str]] = {
    "stream": keys.STREAM_METRICS,
    "sources": keys.SOURCE_METRICS,
    "recorder": keys.RECORDER_METRICS,
    "history": keys.HISTORY_METRICS,
    "feed": keys.FEED_METRICS,
    "alerts": keys.ALERT_METRICS,
}


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser of `python -m streaming`."""
    command = commands.add_parser(
        "status",
        help="the state of the stream, the sources, the recorder and the history",
        description="Prints the telemetry in Redis (specs/schemas/metrics.json); it stays there when a process ends.",
    )
    command.add_argument("parts", nargs="*", metavar="PART", help=f"only these of {', '.join(HASHES)}")
    command.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what there is, and return 0; RequestError for a part that there is not."""
    unknown = [part for part in arguments.parts if part not in HASHES]
    if unknown:
        raise RequestError(f"{unknown[0]!r} tells nothing.", remedy=f"Give one of {', '.join(HASHES)}.")
    return asyncio.run(_print(settings_of_command(), arguments.parts or list(HASHES)))


async def _print(settings: StreamSettings, parts: Sequence[str]) -> int:
    async with open_bus(settings, tell=say) as redis:
        found = [block for part in parts if (block := block_of(part, await told(redis, part)))]
    sys.stdout.write("\n".join(found) or "No program has reported anything on this Redis yet.\n")
    return 0


async def told(redis: Redis, part: str) -> dict[str, str]:
    """The fields of one part, by name; TransientError while Redis is away."""
    async with answering(f"reading {HASHES[part]}"):
        fields: Any = await redis.hgetall(HASHES[part])
    return {name.decode(): value.decode("utf-8", "replace") for name, value in sorted(fields.items())}


def block_of(part: str, fields: Mapping[str, str]) -> str:
    """A part and its fields, a line each; empty where there are none."""
    if not fields:
        return ""
    width = max(map(len, fields))
    return "".join([f"{part}\n", *(f"  {name:<{width}}  {value}\n" for name, value in fields.items())])
