"""From flags and commands to an exit status; what they ask for is imported when it is asked for."""

import argparse
import asyncio
import gc
import logging
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final, TextIO

from bot.setup import commands
from streaming.errors import ConfigurationError, GexcordError, leading_error
from streaming.process.flags import HelpLayout, add_usual_flags, epilog

_LOG: Final = logging.getLogger(__name__)
_INTERRUPTED: Final = 130
_MAX_PORT: Final = 65_535
_EXAMPLES: Final = (
    "%(prog)s --demo                     a local Discord, a local Schwab and a made-up market",
    "%(prog)s init                       asks for what is needed and writes .env.new",
    "%(prog)s --check                    what is ready, and what is missing",
    "%(prog)s                            the bot, until Ctrl+C or SIGTERM",
    "%(prog)s backup gexcord.backup      what to keep, as one encrypted file",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bot until it is told to stop; the exit statuses are listed in specs/operations.md."""
    arguments = _arguments(argv)
    if arguments.settings:
        from streaming.settings import explained_settings

        _tell(explained_settings())
        return 0
    gc.disable()  # until the host is open: what is imported stays
    try:
        if arguments.run is not None:
            status: int = arguments.run(arguments, _tell)
            return status
        return asyncio.run(_run(arguments))
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001  # the last line of defence: a status, never a bare crash
        return _end_on(leading_error(error))
    finally:
        gc.enable()


def one_of_two() -> int:
    """Run one of the two bots of `--demo --two`, as the process that started it says; the exit status."""
    from bot.demo.two_bots import run_one
    from bot.serve import serve

    return run_one(partial(serve, _tell))


def _end_on(error: BaseException) -> int:
    if not isinstance(error, GexcordError):
        _LOG.critical("the program ends on a bug", exc_info=error)
        return GexcordError.exit_status
    problems = error.problems if isinstance(error, ConfigurationError) else (str(error),)
    for line in (*problems, error.remedy):
        if line:
            _tell(line, sys.stderr)
    return error.exit_status


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    arguments = parser.parse_args(argv)
    demo_only = [f"--{name}" for name in ("chain", "port", "seed", "two") if getattr(arguments, name) is not None]
    if demo_only and not arguments.demo:
        parser.error(f"{', '.join(demo_only)}: only with --demo")
    if not 0 <= (arguments.port or 0) <= _MAX_PORT:
        parser.error(f"--port: expected a number from 0 to {_MAX_PORT}")
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Live dealer gamma exposure in Discord. Without a command the bot runs.",
        epilog=epilog(_EXAMPLES),
        formatter_class=HelpLayout,
    )
    parser.add_argument(
        "--demo", action="store_true", help="run on a local Discord, a local Schwab and a made-up market"
    )
    parser.add_argument(
        "--chain", type=Path, metavar="FILE", help="with --demo: build the market from a real option chain"
    )
    parser.add_argument("--port", type=int, metavar="N", help="with --demo: port of the page; 0 takes a free one")
    parser.add_argument("--seed", type=int, metavar="N", help="with --demo: same seed, same market")
    parser.add_argument(
        "--two", action="store_true", default=None, help="with --demo: two bots, so that the page can pause the leader"
    )
    parser.add_argument("--check", action="store_true", help="test settings, Redis, token file and Discord, then exit")
    parser.add_argument(
        "--settings", action="store_true", help="print .env.back, which explains every setting, and exit"
    )
    add_usual_flags(parser)
    commands.register(parser.add_subparsers(title="commands", metavar="COMMAND"))
    parser.set_defaults(run=None)
    return parser


async def _run(arguments: argparse.Namespace) -> int:
    if not arguments.demo:
        from bot.serve import check, serve

        return await (check(_tell) if arguments.check else serve(_tell))
    from bot.demo.surroundings import open_demo

    async with open_demo(
        chain_path=arguments.chain,
        port=arguments.port or 0,
        seed=1 if arguments.seed is None else arguments.seed,
        tell=_tell,
        two=bool(arguments.two),
    ) as demo:
        if arguments.two and not arguments.check:
            from bot.demo.two_bots import serve_two

            return await serve_two(demo, _tell)
        from bot.serve import check, serve

        return await (check(_tell, demo) if arguments.check else serve(_tell, demo))


def _tell(line: str, stream: TextIO | None = None) -> None:
    stream = stream or sys.stdout
    stream.write(line + "\n")
    stream.flush()
