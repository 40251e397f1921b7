"""Logs for people and machines: one line per record, UTC, and never a secret.

The formatter hides secrets in the finished line, so messages, arguments, tracebacks and the text of
libraries all pass through it, whatever they were made of.
"""

import logging
import re
import sys
import time
from collections.abc import Iterable
from typing import Final, TextIO
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from bot.settings import BotSettings

MASK: Final = "***"
_SHORTEST_SECRET: Final = 4
_FORMAT: Final = "%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s: %(message)s"
_QUIET: Final = {
    "discord": logging.WARNING,  # its DEBUG lines hold whole payloads
    "discord.http": logging.WARNING,
    "httpx": logging.WARNING,  # its INFO lines hold whole URLs, authorisation codes included
    "httpcore": logging.WARNING,
    "websockets": logging.WARNING,  # its DEBUG lines hold whole frames, the login among them
    "aiohttp.access": logging.WARNING,
    "matplotlib": logging.WARNING,
    "asyncio": logging.WARNING,
}

_NAMES: Final = (
    "access_token|refresh_token|id_token|client_secret|client_id|api_key|authorization|"
    "password|passwd|secret|token|code"
)
_PATTERNS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"\b(Bearer|Basic|Bot)\s+[\w.~+/=@%-]{8,}", rf"\1 {MASK}"),
        (rf"([\"']?\b(?:{_NAMES})\b[\"']?\s*[:=]\s*)(\"[^\"]+\"|'[^']+'|[^\s\"'&,;)}}\]]{{6,}})", rf"\1{MASK}"),
        (r"(\w://[^\s/:@]*:)[^\s/@]+@", rf"\1{MASK}@"),  # scheme://user:password@host
        (r"(/(?:webhooks|interactions)/\d+/)[\w.-]{8,}", rf"\1{MASK}"),  # the token of an interaction
        (r"\b[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}", MASK),  # a Discord bot token
        (r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*", MASK),  # a JSON Web Token
        (r"\b[CI]0\.[\w-]{8,}(?:\.[\w-]+)*(?:@|%40)?", MASK),  # Schwab's codes and tokens
    )
)


class Redactor:
    """Replaces known secrets, and whatever looks like one, by `***`."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({text for text in secrets if len(text) >= _SHORTEST_SECRET}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(MASK, text)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text


class OneLineFormatter(logging.Formatter):
    """A record as one redacted line; line breaks, a traceback's too, become ` ⏎ `."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__(_FORMAT, datefmt="%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor(" ⏎ ".join(super().format(record).splitlines()))


class _OwnHandler(logging.StreamHandler[TextIO]):
    """Marks the handler that `configure_logging` replaces when it is called again."""


def secrets_of(settings: BotSettings) -> frozenset[str]:
    """Every secret among the settings: the secret ones, and the password in `REDIS_URL`."""
    values = (getattr(settings, name) for name in type(settings).model_fields)
    secrets = {value.get_secret_value() for value in values if isinstance(value, SecretStr)}
    password = urlsplit(settings.redis_url or "").password
    return frozenset(secrets | ({password, unquote(password)} if password else set()))


def configure_logging(settings: BotSettings, stream: TextIO | None = None) -> logging.Handler:
    """Send every record to `stream` (standard error) as redacted lines; may be called again."""
    handler = _OwnHandler(stream or sys.stderr)
    handler.setFormatter(OneLineFormatter(Redactor(secrets_of(settings))))
    root = logging.getLogger()
    for old in [known for known in root.handlers if isinstance(known, _OwnHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(settings.log_level)
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(max(level, root.level))
    logging.captureWarnings(capture=True)
    return handler
