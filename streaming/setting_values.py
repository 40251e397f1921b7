"""What may stand in a setting, and `.env` itself: UTF-8, each character as it stands, and slips of the pen told."""

import base64
import ipaddress
from collections.abc import Callable, Collection, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Final, Literal, TypeVar, get_args
from urllib.parse import urlsplit

from dotenv.parser import parse_stream
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, DotEnvSettingsSource, PydanticBaseSettingsSource

from streaming.addresses import is_loopback
from streaming.errors import ConfigurationError, RequestError
from streaming.symbols import NotServedError, Ticker, parse_ticker

SourceName = Literal["schwab", "cboe", "gexbot", "redis", "replay"]
SOURCES: Final[tuple[SourceName, ...]] = get_args(SourceName)
EventName = Literal["ticks", "level2", "candles"]
EVENTS: Final[tuple[EventName, ...]] = get_args(EventName)
"""The kinds of event on the bus, by the ends of their channels' names."""
T = TypeVar("T")
_FERNET_KEY_BYTES: Final = 32
_HIGHEST_PORT: Final = 65535
_PLAIN: Final = frozenset({"http", "ws"})
_ALIKE: Final = 0.85
"""How much of two names must agree: a slip of one or two letters, and no more."""
_PREFIXES: Final = ("DISCORD_", "GEX_", "SCHWAB_", "REDIS_", "GEXBOT_", "CBOE_", "ALERTS_", "METRICS_", "API_")


def require_url(value: str, *schemes: str) -> str:
    """The URL without a trailing slash; ValueError when its scheme or host is not acceptable.

    Without TLS only this machine is, since the address is sent logins; and an address of HTTP holds no password.
    """
    parts = urlsplit(value)
    if parts.scheme not in schemes or not (parts.path.strip("/") if parts.scheme == "unix" else parts.hostname):
        raise ValueError(f"a URL that starts with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    if parts.scheme in _PLAIN and not is_loopback(parts.hostname or ""):
        raise ValueError("an address on this machine, or one with TLS")
    if parts.scheme in {"http", "https", "ws", "wss"} and (parts.username or parts.password or parts.query):
        raise ValueError("an address without user, password or query")
    return value.rstrip("/")


def parse_origin(text: str) -> str:
    """`*`, or an origin as a browser sends it, without a path; ValueError for what is neither."""
    origin = text.rstrip("/").lower()
    parts = urlsplit(origin)
    if origin != "*" and (not parts.hostname or origin not in {f"{way}://{parts.netloc}" for way in ("http", "https")}):
        raise ValueError("an origin")
    return origin


def parse_bind(text: str) -> tuple[str, int]:
    """The IP address and the port of `127.0.0.1:8183` or `[::1]:8183`; ValueError for anything else."""
    host, _, port = text.rpartition(":")
    address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    if not port.isdecimal() or not 0 < int(port) <= _HIGHEST_PORT:
        raise ValueError("a port")
    return str(address), int(port)


def is_fernet_key(text: str) -> bool:
    """Whether it is 32 bytes in the base64 of URLs."""
    try:
        return len(base64.urlsafe_b64decode(text)) == _FERNET_KEY_BYTES
    except ValueError:
        return False


def split_commas(value: object) -> list[str]:
    """The parts of a comma list; a tuple or list passes through."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, (list, tuple)):
        return [str(part) for part in value]
    raise ValueError("a list separated by commas")


def parse_tickers(value: object) -> tuple[Ticker, ...]:
    """The tickers of a comma list, in order, each once."""
    return tuple(dict.fromkeys(each_of(value, parse_ticker)))


def asked_tickers(text: str) -> tuple[Ticker, ...]:
    """Those of a command line; RequestError for what is none."""
    try:
        return parse_tickers(text)
    except ValueError as error:
        raise RequestError(f"{error}") from None


def each_of(value: object, parse: Callable[[str], T]) -> list[T]:
    """What `parse` makes of each part of a comma list; a RequestError of its becomes ValueError."""
    try:
        return [parse(part) for part in split_commas(value)]
    except NotServedError:
        raise
    except RequestError as error:
        raise ValueError(str(error)) from error


def parse_source_map(pairs: Sequence[str]) -> dict[str, SourceName]:
    """Ticker name to source from `SPX:schwab` pairs; ValueError for what is none, or a ticker named twice."""
    chosen: dict[str, SourceName] = {}
    for pair in pairs:
        name, colon, source = pair.rpartition(":")
        found = next((known for known in SOURCES if known == source.strip().lower()), None)
        if not colon or found is None:
            raise ValueError("TICKER:source")
        try:
            ticker = parse_ticker(name).name
        except NotServedError:
            raise
        except RequestError as error:
            raise ValueError(str(error)) from error
        if ticker in chosen:
            raise ValueError("a ticker has one source")
        chosen[ticker] = found
    return chosen


class PlainEnvFile(DotEnvSettingsSource):
    """The values of `.env` as written: a `${NAME}` inside a secret is part of the secret."""

    def _read_env_file(self, file_path: Path) -> Mapping[str, str | None]:
        lines = parse_stream(StringIO(read_text(file_path)))
        return {line.key.lower(): line.value for line in lines if line.key is not None and line.value != ""}


class SecretFiles(PydanticBaseSettingsSource):
    """Secrets out of files: of a setting NAME the text of the file that NAME_FILE names, without space around it.

    An empty file is as no setting. ConfigurationError when one cannot be read.
    """

    def __init__(self, settings_cls: type[BaseSettings], values: Mapping[str, str | None]) -> None:
        super().__init__(settings_cls)
        self._values = values

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[str | None, str, bool]:
        place = self._values.get(f"{field_name}_file") if is_secret(field) else None
        return (_secret_in(Path(place), field_name) if place else None), field_name, False

    def __call__(self) -> dict[str, str]:
        found = ((name, self.get_field_value(field, name)[0]) for name, field in self.settings_cls.model_fields.items())
        return {name: value for name, value in found if value}


def is_secret(field: FieldInfo) -> bool:
    """Whether a setting is a secret, which may come from a file."""
    return SecretStr in get_args(field.annotation)


def _secret_in(path: Path, name: str) -> str:
    setting = f"{name.upper()}_FILE"
    try:
        return read_text(path).strip()
    except OSError as error:
        raise ConfigurationError(
            f"The file that {setting} names cannot be read ({error.strerror}).", remedy="Correct the path or its mode."
        ) from None
    except UnicodeError:
        raise ConfigurationError(f"The file that {setting} names is not UTF-8 text.") from None


def read_text(path: Path) -> str:
    """The file's text, without a byte order mark; UnicodeError when it is not UTF-8, OSError when unreadable."""
    text = path.read_text(encoding="utf-8-sig")
    if "\0" in text:
        raise UnicodeError("no text holds a zero byte")
    return text


def doubtful_lines(text: str, known: Collection[str]) -> Sequence[str]:
    """A sentence for each line that cannot be read and each unknown name that looks like one of ours.

    `known` holds the settings' names in capitals. What a line says beyond its name is never repeated.
    """
    found = []
    for binding in parse_stream(StringIO(text)):
        name = (binding.key or "").upper()
        if binding.error:
            found.append(f"line {binding.original.line} is not NAME=value, so it is ignored.")
        elif (sentence := doubtful_name(name, known)) is not None:
            found.append(sentence)
    return found


def doubtful_name(name: str, known: Collection[str], *, ours: bool = True) -> str | None:
    """A sentence about a name that is no setting but reads like one, or in a file of `ours` begins like one; else None.

    In the environment other programs have names that begin with REDIS_ or METRICS_.
    """
    if name in known:
        return None
    from difflib import get_close_matches

    meant = get_close_matches(name, known, n=1, cutoff=_ALIKE)
    if not meant and not (ours and name.startswith(_PREFIXES)):
        return None
    advice = f"Is {meant[0]} meant?" if meant else "Compare its spelling with .env.back."
    return f"{name} is not a setting of this program, so it is ignored. {advice}"
