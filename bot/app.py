"""From flags to an exit status: settings, logs, and the nested contexts; what hangs on what is wired in `bot.host`."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, TextIO

from bot.check.check import run_check
from bot.host import open_host
from bot.logs import configure_bot_logging
from bot.settings import BotSettings
from bot.wire.login import point_discord_at
from streaming.clock import Clock, SystemClock
from streaming.errors import ConfigurationError, GexcordError, leading_error
from streaming.process.flags import add_usual_flags
from streaming.process.signals import first_of, stop_on_signals
from streaming.settings import ENV_FILE, explained_settings, load_settings, load_what_is_right
from streaming.streamer.runtime import open_runtime

_LOG: Final = logging.getLogger(__name__)
_INTERRUPTED: Final = 130
_MAX_PORT: Final = 65_535


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bot until it is told to stop; the exit statuses are listed in specs/operations.md."""
    arguments = _arguments(argv)
    if arguments.settings:
        _tell(explained_settings())
        return 0
    try:
        return asyncio.run(_run(arguments))
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001  # the last line of defence: a status, never a bare crash
        return _end_on(leading_error(error))


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
    demo_only = [f"--{name}" for name in ("chain", "port", "seed") if getattr(arguments, name) is not None]
    if demo_only and not arguments.demo:
        parser.error(f"{', '.join(demo_only)}: only with --demo")
    if not 0 <= (arguments.port or 0) <= _MAX_PORT:
        parser.error(f"--port: expected a number from 0 to {_MAX_PORT}")
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Live dealer gamma exposure in Discord.")
    parser.add_argument(
        "--demo", action="store_true", help="run on a local Discord, a local Schwab and a made-up market"
    )
    parser.add_argument(
        "--chain", type=Path, metavar="FILE", help="with --demo: build the market from a real option chain"
    )
    parser.add_argument("--port", type=int, metavar="N", help="with --demo: port of the page; 0 takes a free one")
    parser.add_argument("--seed", type=int, metavar="N", help="with --demo: same seed, same market")
    parser.add_argument("--check", action="store_true", help="test settings, Redis, token file and Discord, then exit")
    parser.add_argument(
        "--settings", action="store_true", help="print .env.back, which explains every setting, and exit"
    )
    add_usual_flags(parser)
    return parser


async def _run(arguments: argparse.Namespace) -> int:
    async with AsyncExitStack() as stack:
        settings: BotSettings
        problems: Sequence[str] = ()
        if arguments.demo:
            from bot.demo import open_demo

            demo = await stack.enter_async_context(
                open_demo(
                    chain_path=arguments.chain,
                    port=arguments.port or 0,
                    seed=1 if arguments.seed is None else arguments.seed,
                )
            )
            settings, clock, page_url = demo.settings, demo.clock, demo.page_url
        else:
            clock, page_url = SystemClock(), None
            if arguments.check:
                settings, problems = load_what_is_right(BotSettings)
            else:
                settings = load_settings(BotSettings)
        configure_bot_logging(settings)
        if arguments.check:
            env_file = None if arguments.demo else Path(ENV_FILE)
            return await run_check(settings, _tell, problems=problems, env_file=env_file, clock=clock)
        await _serve(settings, clock, page_url=page_url)
    return 0


async def _serve(settings: BotSettings, clock: Clock, *, page_url: str | None) -> None:
    """Run until a signal or until Discord refuses us for good."""
    if settings.discord_bot_token is None:
        raise ConfigurationError(
            "DISCORD_BOT_TOKEN is not set.", remedy="Set it in .env, or try `python run_bot.py --demo` first."
        )
    point_discord_at(settings.discord_api_url, settings.discord_gateway_url)
    stop = stop_on_signals()
    async with (
        open_runtime(settings, clock, tell=_tell) as runtime,
        open_host(runtime, settings, settings.discord_bot_token) as host,
    ):
        if page_url is None:
            host.control.resume_in_background()
        else:
            await host.control.start()
            await host.bot.logged_in.wait()
            _tell(f"Open {page_url} in a browser (Ctrl+C ends the demo).")
        await first_of(stop, {host.connected})
        if host.connected.done():
            host.connected.result()


def _tell(line: str, stream: TextIO = sys.stdout) -> None:
    stream.write(line + "\n")
    stream.flush()
