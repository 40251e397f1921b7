"""`python -m streaming COMMAND`: the market-data side without Discord."""

import argparse
import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.server.embedded import running_url
from streaming.bus.subscription import messages
from streaming.commands import book as book_command
from streaming.commands import gex as gex_command
from streaming.commands import history as history_command
from streaming.commands import levels as levels_command
from streaming.commands import record as record_command
from streaming.commands import replay as replay_command
from streaming.commands import serve as serve_command
from streaming.commands import sim as sim_command
from streaming.commands import start as start_command
from streaming.commands import status as status_command
from streaming.commands import token as token_command
from streaming.commands.help_texts import explain_commands
from streaming.errors import ConfigurationError, GexcordError, leading_error
from streaming.process.flags import HelpLayout, add_usual_flags, epilog
from streaming.process.logs import configure_logging, say, settings_of_command
from streaming.streamer.runtime import open_bus

_LOG: Final = logging.getLogger(__name__)
_INTERRUPTED: Final = 130
_EXAMPLES: Final = (
    "%(prog)s start --dry-run                 what would be streamed, and whether it can",
    "%(prog)s token login                     the weekly Schwab login",
    "%(prog)s gex chain.csv --scope zero      the levels of an option chain in a file",
    "%(prog)s levels SPX --format tradingview",
    "%(prog)s tail market_data:ticks --count 5",
    "%(prog)s replay --help                   every command has examples",
)
_CHANNELS: Final = (keys.TICKS, keys.LEVEL2, keys.CANDLES, keys.SNAPSHOT_STREAM)
"""All that we publish on."""


def main(argv: Sequence[str] | None = None, *, prog: str = "python -m streaming") -> int:
    """Run one command and return the process's exit status."""
    arguments = _parser(prog).parse_args(argv)
    configure_logging()
    try:
        status: int = arguments.func(arguments)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001  # a traceback goes through the log, which redacts
        return _report(leading_error(error))
    return status


def _report(error: BaseException) -> int:
    if isinstance(error, GexcordError):
        say(error.sentence)
        return error.exit_status
    _LOG.critical("the program ends on a bug", exc_info=error)
    return GexcordError.exit_status


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="The market-data side, without Discord.",
        epilog=epilog(_EXAMPLES),
        formatter_class=HelpLayout,
    )
    add_usual_flags(parser)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    start_command.register(commands)
    gex_command.register(commands)
    levels_command.register(commands)
    book_command.register(commands)
    token_command.register(commands)
    record_command.register(commands)
    replay_command.register(commands)
    history_command.register(commands)
    serve_command.register(commands)
    status_command.register(commands)
    _register_tail(commands)
    _register_redis_url(commands)
    sim_command.register(commands)
    explain_commands(commands)
    return parser


def _register_tail(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("tail", help="show what arrives on a Redis channel")
    command.add_argument("channel", help=f"one of {', '.join(_CHANNELS)}, or of another program")
    command.add_argument("--count", type=int, default=None, metavar="N", help="stop after N messages")
    command.set_defaults(func=_tail)


def _register_redis_url(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("redis-url", help="print the URL, password included, of the Redis server we run")
    command.set_defaults(func=_redis_url)


def _redis_url(_: argparse.Namespace) -> int:
    settings = settings_of_command()
    if settings.redis_url is not None:
        raise ConfigurationError("REDIS_URL is set: its server is used, not one of our own.")
    sys.stdout.write(asyncio.run(running_url(settings.redis_data_path)) + "\n")
    return 0


def _tail(arguments: argparse.Namespace) -> int:
    if (warning := unpublished(arguments.channel)) is not None:
        say(warning)
    return asyncio.run(_tail_until_done(arguments))


def unpublished(channel: str) -> str | None:
    """A warning for a channel that no program of ours publishes on; None for the others."""
    if channel in _CHANNELS:
        return None
    return f"Gexcord publishes nothing on {channel}. Its channels are {', '.join(_CHANNELS)}. Listening anyway."


async def _tail_until_done(arguments: argparse.Namespace) -> int:
    async with (
        open_bus(settings_of_command(), tell=say) as redis,
        aclosing(tail(redis, arguments.channel, count=arguments.count)) as payloads,
    ):
        async for payload in payloads:
            sys.stdout.write(payload.decode("utf-8", "replace") + "\n")
            sys.stdout.flush()
    return 0


async def tail(redis: Redis, channel: str, *, count: int | None = None) -> AsyncGenerator[bytes]:
    """Messages of `channel` as they are; endless, or `count` of them."""
    left = count
    if left is not None and left <= 0:
        return
    async with aclosing(messages(redis, channel)) as payloads:
        async for payload in payloads:
            yield payload
            if left is not None:
                left -= 1
                if left == 0:
                    return
