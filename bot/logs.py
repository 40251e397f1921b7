"""The bot's log: that of the market-data side, with discord.py told what to say and how."""

import logging
from types import TracebackType
from typing import Final, TextIO

import aiohttp
import discord

from bot.settings import BotSettings
from streaming.process.logs import QUIET, configure_logging

_QUIET: Final = {
    **QUIET,
    "discord": logging.WARNING,  # its DEBUG lines hold whole payloads
    "discord.http": logging.WARNING,
}
_PASSING: Final = (
    OSError,
    TimeoutError,
    aiohttp.ClientError,
    discord.ConnectionClosed,
    discord.GatewayNotFound,
    discord.HTTPException,
)
_RECONNECT: Final = "Attempting a reconnect"
_STOPPING: Final = "An error occurred while stopping the gateway"


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
    return exc_info is not None and isinstance(exc_info[1], _PASSING)


def _kind(error: BaseException | None) -> str:
    kind = type(error).__name__
    if isinstance(error, discord.ConnectionClosed):
        return f"{kind}, code {error.code}"
    return f"{kind}, status {error.status}" if isinstance(error, discord.HTTPException) else kind
