"""Logs for people and machines: one line per record, UTC, and never a secret.

The formatter hides secrets in the finished line, so messages, arguments, tracebacks and the text of
libraries all pass through it, whatever they were made of. What it costs grows with the line and no faster: the lines
hold what strangers sent.
"""

import json
import logging
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TextIO
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import SecretStr

from streaming.settings import StreamSettings, load_settings

MASK: Final = "***"
_SHORTEST_SECRET: Final = 4
_IN_QUERIES: Final = ("password", "passwd")
_FORMAT: Final = "%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s: %(message)s"
QUIET: Final = {
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
PATTERNS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"\b(Bearer|Basic|Bot)\s+[\w.~+/=@%-]{8,}", rf"\1 {MASK}"),
        (rf"([\"']?\b(?:{_NAMES})\b[\"']?\s*[:=]\s*)(\"[^\"]+\"|'[^']+'|[^\s\"'&,;)}}\]]{{6,}})", rf"\1{MASK}"),
        (r"(\w://[^\s/:@]*:)[^\s/@]+@", rf"\1{MASK}@"),  # scheme://user:password@host
        (r"([?&](?:password|passwd)=)[^\s&]+", rf"\1{MASK}"),
        (r"(/(?:webhooks|interactions)/\d+/)[\w.-]{8,}", rf"\1{MASK}"),  # the token of an interaction
        (r"\b[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}", MASK),  # a Discord bot token
        # a JSON Web Token; what follows its first part is looked for once for each run of characters, not from each eyJ
        (r"(?<![\w-])(?=[\w-]++\.[\w-]{8,}+\.)([\w-]*?)\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*", rf"\1{MASK}"),
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
        for pattern, replacement in PATTERNS:
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


class JsonFormatter(OneLineFormatter):
    """A record as one JSON object a line: `at`, `level`, `logger`, `message` and, after an error, `traceback`."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "at": f"{self.formatTime(record, self.datefmt)}.{record.msecs:03.0f}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": self._redactor(record.getMessage()),
        }
        if record.exc_info:
            told["traceback"] = self._redactor(self.formatException(record.exc_info))
        return json.dumps(told)


class _OwnHandler(logging.StreamHandler[TextIO]):
    """The handler that `configure_logging` replaces when it is called again; without a stream, standard error."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__(stream or sys.stderr)
        self._to_stderr = stream is None

    def emit(self, record: logging.LogRecord) -> None:
        if self._to_stderr:
            self.stream = sys.stderr  # whatever stands there now
        super().emit(record)


def settings_of_command(*, least: int = logging.WARNING) -> StreamSettings:
    """The settings of a shell command, read once, after which its log obeys them; ConfigurationError."""
    settings = load_settings(StreamSettings)
    configure_logging(settings, least=least)
    return settings


Say = Callable[[str], None]
"""What takes lines for the person at the shell."""


def say(line: str) -> None:
    """A line for the person at the shell, beside the log and at once."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def secrets_of(settings: StreamSettings) -> frozenset[str]:
    """Every secret among the settings; of an address only the passwords in it, as they stand and as they are meant."""
    values = (getattr(settings, name) for name in type(settings).model_fields)
    texts = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    return frozenset(secret for text in texts for secret in _secrets_in(text))


def _secrets_in(text: str) -> Iterator[str]:
    if "://" not in text:
        yield text
        return
    parts = urlsplit(text)
    if parts.password:
        yield from (parts.password, unquote(parts.password))
    yield from (value for name, values in parse_qs(parts.query).items() if name in _IN_QUERIES for value in values)


def configure_logging(
    settings: StreamSettings | None = None,
    stream: TextIO | None = None,
    *,
    least: int = logging.NOTSET,
    quiet: Mapping[str, int] = QUIET,
) -> logging.Handler:
    """Send records of at least LOG_LEVEL and `least` to `stream` (standard error) as redacted lines.

    LOG_FORMAT makes them text or JSON. Libraries stay at the levels of `quiet` or above. Without settings, no secret is
    known by name, WARNING is the level and the lines are text. May be called again.
    """
    handler = _OwnHandler(stream)
    formatter = JsonFormatter if settings is not None and settings.log_format == "json" else OneLineFormatter
    handler.setFormatter(formatter(Redactor(() if settings is None else secrets_of(settings))))
    root = logging.getLogger()
    for old in [known for known in root.handlers if isinstance(known, _OwnHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel("WARNING" if settings is None else settings.log_level)
    root.setLevel(max(root.level, least))
    for name, level in quiet.items():
        logging.getLogger(name).setLevel(max(level, root.level))
    logging.captureWarnings(capture=True)
    return handler
