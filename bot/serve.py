"""From settings to a running bot: its log and the nested contexts; what hangs on what is wired in `bot.host`.

The log is that of the market-data side, with discord.py told what to say and how. What takes time goes on at once:
Redis and, where it is known to be needed, a process of engines start while discord.py is imported.
"""

import asyncio
import gc
import logging
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, TextIO

from bot.settings import BotSettings
from streaming.clock import SystemClock
from streaming.errors import ConfigurationError
from streaming.ports import Tell
from streaming.process.certificates import reading_none
from streaming.process.freed_memory import map_large_blocks
from streaming.process.logs import QUIET, configure_logging
from streaming.process.signals import first_of, stop_on_signals
from streaming.settings import ENV_FILE, load_settings, load_what_is_right

if TYPE_CHECKING:  # a bot of its own needs no made-up market
    from bot.demo.demo_settings import Demo

_QUIET: Final = {
    **QUIET,
    "discord": logging.WARNING,  # its DEBUG lines hold whole payloads
    "discord.http": logging.WARNING,
}
_HEAVY: Final = "bot.host"
_RECONNECT: Final = "Attempting a reconnect"
_STOPPING: Final = "An error occurred while stopping the gateway"


async def check(tell: Tell, demo: "Demo | None" = None) -> int:
    """Tell what is ready and what is not, of the user's settings or of the demo's; the exit status."""
    from bot.check.check import run_check

    if demo is not None:
        configure_bot_logging(demo.settings)
        await demo.sign_in()
        return await run_check(demo.settings, tell, problems=(), env_file=None, clock=demo.clock)
    settings, problems = load_what_is_right(BotSettings)
    configure_bot_logging(settings)
    return await run_check(settings, tell, problems=problems, env_file=Path(ENV_FILE), clock=SystemClock())


async def serve(tell: Tell, demo: "Demo | None" = None) -> int:
    """Run until a signal or until Discord refuses us for good; the exit status."""
    settings: BotSettings = load_settings(BotSettings) if demo is None else demo.settings
    configure_bot_logging(settings)
    if settings.discord_bot_token is None:
        raise ConfigurationError(
            "DISCORD_BOT_TOKEN is not set.", remedy="Set it in .env, or try `python run_bot.py --demo` first."
        )
    map_large_blocks()
    stop = stop_on_signals()
    from streaming.streamer.runtime import open_runtime

    heavy = asyncio.create_task(asyncio.to_thread(_import_host), name="imports")
    clock = SystemClock() if demo is None else demo.clock
    async with open_runtime(settings, clock, tell=tell, computes_at_once=demo is not None) as runtime:
        if demo is not None:
            await demo.sign_in()
        await heavy
        from bot.host import open_host
        from bot.wire.login import point_discord_at

        point_discord_at(settings.discord_api_url, settings.discord_gateway_url)
        async with open_host(runtime, settings, settings.discord_bot_token) as host:
            gc.freeze()  # no collection looks at what was imported
            gc.enable()
            if demo is None:
                host.control.resume_in_background()
            else:
                await host.control.start()
                await host.bot.logged_in.wait()
                tell("The bot is connected.")
            await first_of(stop, {host.connected})
            if host.connected.done():
                host.connected.result()
    return 0


def _import_host() -> None:
    """With discord.py and aiohttp, in a thread; what the imports leave behind is let go before it is frozen."""
    with reading_none():
        import_module(_HEAVY)
    gc.collect()


def configure_bot_logging(settings: BotSettings, stream: TextIO | None = None) -> logging.Handler:
    """Send every record to `stream` (standard error) as redacted lines; may be called again."""
    for name in ("discord.client", "discord.gateway", "discord.shard"):
        logging.getLogger(name).addFilter(soften_reconnect)
    return configure_logging(settings, stream, quiet=_QUIET)


def soften_reconnect(record: logging.LogRecord) -> bool:
    """A filter: that the gateway went and is dialled again is a warning of one line, without a traceback.

    Of the error its kind and close code are told; its text may be a stranger's page.
    """
    message = str(record.msg)
    if not message.startswith((_RECONNECT, _STOPPING)) or not _is_passing(record.exc_info):
        return True
    assert record.exc_info is not None  # noqa: S101  # it has just been looked at
    record.msg, record.args = (
        f"The connection to Discord's gateway broke (%s): {message}",
        (
            _kind(record.exc_info[1]),
            *(record.args if isinstance(record.args, tuple) else ()),
        ),
    )
    record.levelno, record.levelname = logging.WARNING, "WARNING"
    record.exc_info = record.exc_text = None
    return logging.getLogger(record.name).isEnabledFor(logging.WARNING)


def _is_passing(
    exc_info: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None] | None,
) -> bool:
    import aiohttp  # as discord.py, which is loaded by the time that it logs anything
    import discord

    passing = (
        OSError,
        TimeoutError,
        aiohttp.ClientError,
        discord.ConnectionClosed,
        discord.GatewayNotFound,
        discord.HTTPException,
    )
    return exc_info is not None and isinstance(exc_info[1], passing)


def _kind(error: BaseException | None) -> str:
    import discord

    kind = type(error).__name__
    if isinstance(error, discord.ConnectionClosed):
        return f"{kind}, code {error.code}"
    return f"{kind}, status {error.status}" if isinstance(error, discord.HTTPException) else kind
