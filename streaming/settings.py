"""The settings of the market-data side, read once from the environment over `.env`.

`.env` is only ever read. A wrong value becomes one sentence that names the setting and what it accepts,
and never repeats what was written there.
"""

import ipaddress
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeVar, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from streaming.addresses import is_web_address
from streaming.errors import ConfigurationError
from streaming.model import ScopeName, VolatilityRule
from streaming.setting_values import (
    EVENTS,
    SOURCES,
    EventName,
    PlainEnvFile,
    SecretFiles,
    SourceName,
    each_of,
    is_fernet_key,
    parse_bind,
    parse_origin,
    parse_source_map,
    require_url,
    split_commas,
)
from streaming.symbols import NotServedError, Ticker, parse_ticker, parse_wire_symbol

ENV_FILE: Final = ".env"
CommaList = Annotated[tuple[str, ...], NoDecode]
_LONGEST_SHOWN: Final = 16
_SHORTEST_TOKEN: Final = 24
_NAME: Final = re.compile(r"\b[A-Z][A-Z_]+\b")


_REDIS: Final = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster")


class StreamSettings(BaseSettings):
    """What `python -m streaming` needs; `BotSettings` adds the Discord side."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE,
        env_file_encoding="utf-8-sig",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        defer_build=True,
    )
    accepted: ClassVar[dict[str, str]] = {}

    schwab_client_id: SecretStr | None = Field(None, description="app key from the Schwab developer portal")
    schwab_client_secret: SecretStr | None = Field(None, description="app secret from the Schwab developer portal")
    schwab_callback_url: str = Field(
        "https://127.0.0.1:8182", description="callback URL exactly as registered for the app"
    )
    schwab_callback_bind: str | None = Field(
        None, description="an IP address and port of this machine, such as 127.0.0.1:8183"
    )
    schwab_callback_proxies: CommaList = Field(
        (), description="IP addresses or networks separated by commas, such as 127.0.0.1,172.18.0.0/16"
    )
    schwab_symbols: CommaList = Field(
        ("SPY", "QQQ"), description="symbols to stream, separated by commas, such as SPY,$SPX,/MNQ:XCME"
    )
    schwab_charts: bool = Field(False, description="true or false")
    schwab_api_url: str = Field("https://api.schwabapi.com", description="an https URL, or http on this machine")
    schwab_token_path: Path = Field(Path(".tokens/schwab_token.json"), description="path of the token file")
    schwab_token_key: SecretStr | None = Field(
        None, description="a Fernet key, as `python -m streaming token new-key` prints it"
    )
    schwab_token_store: Literal["file", "redis"] = Field("file", description="file or redis")
    operator_time_zone: str = Field("America/New_York", description="a time zone such as Europe/Berlin")
    on_alarm: SecretStr | None = Field(None, description="a shell command, or an https URL (http on this machine)")
    redis_url: SecretStr | None = Field(
        None,
        description="redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// URL;"
        " empty starts a server of our own",
    )
    redis_data_path: Path = Field(Path(".redis"), description="folder for the data of our own Redis server")
    redis_share: bool = Field(False, description="true or false")
    redis_events: Annotated[tuple[EventName, ...], NoDecode] = Field(
        EVENTS, description="ticks, level2 and candles separated by commas, or none"
    )
    redis_history_mb: int = Field(40, ge=30, le=10_000, description="a whole number of MB from 30 to 10000")
    redis_events_mb: int = Field(35, ge=16, le=100_000, description="a whole number of MB from 16 to 100000")
    gex_source: SourceName = Field("schwab", description=f"{', '.join(SOURCES[:-1])} or {SOURCES[-1]}")
    gex_source_map: Annotated[dict[str, SourceName], NoDecode] = Field(
        {}, description="TICKER:source pairs separated by commas, each ticker once, such as SPY:cboe,QQQ:gexbot"
    )
    cboe_api_url: str = Field(
        "https://cdn.cboe.com/api/global/delayed_quotes/options", description="an https URL, or http on this machine"
    )
    cboe_poll_seconds: float = Field(60.0, ge=15, le=3600, description="a number of seconds from 15 to 3600")
    gexbot_api_key: SecretStr | None = Field(None, description="API key from gexbot.com")
    gexbot_api_url: str = Field("https://api.gex.bot/v2", description="an https URL, or http on this machine")
    gexbot_poll_seconds: float = Field(2.0, ge=1, le=3600, description="a number of seconds from 1 to 3600")
    gex_scope: ScopeName = Field("full", description="zero, one, full (90 days) or all")
    gex_volatility: VolatilityRule = Field("quotes", description="quotes, otm or line")
    gex_pace_seconds: float = Field(1.0, ge=0.25, le=60, description="a number of seconds from 0.25 to 60")
    gex_chain_requests_per_minute: int = Field(100, ge=1, le=120, description="a whole number from 1 to 120")
    gex_chain_days: int = Field(90, ge=0, le=1000, description="a whole number of days from 0 to 1000")
    gex_chain_expiries: int = Field(0, ge=0, le=200, description="a whole number from 0 to 200")
    gex_chain_strikes: int = Field(
        0, ge=0, le=500, description="a whole number of strikes on either side of the spot from 0 to 500"
    )
    gex_live_options: int = Field(
        200, ge=0, le=1000, description="a whole number of contracts per ticker from 0 to 1000"
    )
    gex_record: bool = Field(False, description="true or false")
    gex_record_ticks: bool = Field(False, description="true or false")
    gex_record_path: Path = Field(Path(".recordings"), description="folder for the recordings")
    gex_record_max_mb: int = Field(20_000, ge=1, le=10_000_000, description="a whole number of MB from 1 to 10000000")
    gex_history: bool = Field(True, description="true or false")
    gex_history_path: Path = Field(Path(".history"), description="folder for the history over days")
    gex_history_max_mb: int = Field(20_000, ge=1, le=10_000_000, description="a whole number of MB from 1 to 10000000")
    gex_replay_path: Path | None = Field(None, description="path of a recording, or of a folder of recordings")
    gex_replay_speed: float = Field(1.0, ge=0, le=1000, description="a number from 0 to 1000")
    gex_replay_loop: bool = Field(False, description="true or false")
    gex_replay_start: str | None = Field(
        None, pattern=r"^([01]?\d|2[0-3]):[0-5]\d$", description="a time of day in New York such as 10:30"
    )
    metrics_port: int = Field(0, ge=0, le=65535, description="a port number from 1 to 65535, or 0 for none")
    metrics_address: str = Field("127.0.0.1", description="an IP address of this machine, or 0.0.0.0 for all of them")
    api_port: int = Field(0, ge=0, le=65535, description="a port number from 1 to 65535, or 0 for none")
    api_address: str = Field("127.0.0.1", description="an IP address of this machine, or 0.0.0.0 for all of them")
    api_token: SecretStr | None = Field(None, description="24 or more characters without a space")
    api_origins: CommaList = Field(
        (), description="origins separated by commas, such as https://charts.example, or * for all"
    )
    api_requests_per_minute: int = Field(600, ge=1, le=60_000, description="a whole number from 1 to 60000")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_format: Literal["text", "json"] = Field("text", description="text or json")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        path = dotenv_settings.env_file if isinstance(dotenv_settings, DotEnvSettingsSource) else None
        written = PlainEnvFile(settings_cls, env_file=path)
        outside = {name.lower(): value for name, value in os.environ.items()}
        secrets = SecretFiles(settings_cls, outside), SecretFiles(settings_cls, written.env_vars)
        return init_settings, env_settings, secrets[0], written, secrets[1], file_secret_settings

    @field_validator("schwab_symbols", mode="before")
    @classmethod
    def _split_symbols(cls, value: object) -> object:
        return tuple(dict.fromkeys(each_of(value, parse_wire_symbol)))

    @field_validator("redis_events", mode="before")
    @classmethod
    def _event_names(cls, value: object) -> object:
        names = split_commas(value)
        return () if names == ["none"] else tuple(dict.fromkeys(names))

    @field_validator("gex_source_map", mode="before")
    @classmethod
    def _source_map(cls, value: object) -> object:
        return value if isinstance(value, dict) else parse_source_map(split_commas(value))

    @field_validator("gexbot_api_key")
    @classmethod
    def _plain_key(cls, value: SecretStr | None) -> SecretStr | None:
        text = "" if value is None else value.get_secret_value()
        if not text.isascii() or any(character.isspace() for character in text):
            raise ValueError("an API key")
        return value

    @field_validator("schwab_api_url", "cboe_api_url", "gexbot_api_url")
    @classmethod
    def _http_url(cls, value: str) -> str:
        return require_url(value, "http", "https")

    @field_validator("schwab_callback_url")
    @classmethod
    def _https_url(cls, value: str) -> str:
        require_url(value, "https")
        return value

    @field_validator("schwab_token_key")
    @classmethod
    def _fernet_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not is_fernet_key(value.get_secret_value()):
            raise ValueError("a Fernet key")
        return value

    @field_validator("schwab_callback_bind")
    @classmethod
    def _bind(cls, value: str | None) -> str | None:
        return value if value is None else "{}:{}".format(*parse_bind(value))

    @field_validator("schwab_callback_proxies", mode="before")
    @classmethod
    def _proxies(cls, value: object) -> object:
        return tuple(str(ipaddress.ip_network(part, strict=False)) for part in split_commas(value))

    @field_validator("operator_time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            return ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("a time zone") from None

    @field_validator("on_alarm")
    @classmethod
    def _webhook(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and is_web_address(text := value.get_secret_value()):
            require_url(text.partition("?")[0], "http", "https")
        return value

    @model_validator(mode="after")
    def _sealed_in_redis(self) -> Self:
        if self.shares_login and (self.redis_url is None or self.schwab_token_key is None):
            raise ValueError("SCHWAB_TOKEN_STORE is redis, which needs REDIS_URL and SCHWAB_TOKEN_KEY")
        return self

    @field_validator("redis_url")
    @classmethod
    def _redis_url(cls, value: SecretStr | None) -> SecretStr | None:
        return None if value is None else SecretStr(require_url(value.get_secret_value(), *_REDIS))

    @field_validator("api_token")
    @classmethod
    def _long_token(cls, value: SecretStr | None) -> SecretStr | None:
        text = None if value is None else value.get_secret_value()
        if text is not None and (
            len(text) < _SHORTEST_TOKEN or not text.isascii() or not text.isprintable() or " " in text
        ):
            raise ValueError("a token")
        return value

    @field_validator("api_origins", mode="before")
    @classmethod
    def _origins(cls, value: object) -> object:
        return tuple(dict.fromkeys(parse_origin(part) for part in split_commas(value)))

    @field_validator("metrics_address", "api_address")
    @classmethod
    def _ip_address(cls, value: str) -> str:
        return str(ipaddress.ip_address(value))

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    def source_of(self, ticker: str) -> SourceName:
        """Where the snapshots of a ticker come from: by GEX_SOURCE_MAP, else by GEX_SOURCE."""
        return self.gex_source_map.get(ticker, self.gex_source)

    def tickers_from(self, source: SourceName, tickers: Sequence[Ticker]) -> tuple[Ticker, ...]:
        """Those of `tickers` that come from a source."""
        return tuple(ticker for ticker in tickers if self.source_of(ticker.name) == source)

    @property
    def shares_login(self) -> bool:
        """Whether the Schwab login lies in Redis, for several machines."""
        return self.schwab_token_store == "redis"  # noqa: S105  # a place, no password

    @property
    def operator_zone(self) -> ZoneInfo:
        """Where operators sleep from 22:00 to 07:00."""
        return ZoneInfo(self.operator_time_zone)

    @property
    def mapped_tickers(self) -> tuple[Ticker, ...]:
        """The tickers of GEX_SOURCE_MAP."""
        return tuple(parse_ticker(name) for name in self.gex_source_map)


S = TypeVar("S", bound=StreamSettings)
_NOT_TEXT: Final = ".env is not UTF-8 text."
_SAVE_AS_TEXT: Final = "Save it again with the encoding UTF-8."


def load_settings(cls: type[S], **overrides: Any) -> S:
    """Read settings of type `cls`; ConfigurationError holds one sentence per wrong setting."""
    try:
        return cls(**overrides)
    except UnicodeError:
        raise ConfigurationError(_NOT_TEXT, remedy=_SAVE_AS_TEXT) from None
    except OSError as error:
        raise ConfigurationError(_unreadable(error), remedy="Correct its owner or its mode.") from None
    except ValidationError as error:
        problems = (_problem(cls, item) for item in error.errors(include_input=False, include_url=False))
        raise ConfigurationError(
            *dict.fromkeys(problems),
            remedy="Correct it in .env or in the environment; .env.back explains every setting.",
        ) from None


def explained_settings() -> str:
    """The text of `.env.back`, which lies within this package where it is installed, else at the top of the clone."""
    here = Path(__file__).resolve().parent
    place = next(folder for folder in (here, here.parent) if (folder / ".env.back").is_file())
    return (place / ".env.back").read_text(encoding="utf-8").rstrip()


def load_what_is_right(cls: type[S]) -> tuple[S, Sequence[str]]:
    """Settings of type `cls` with the default in place of whatever is refused, and a sentence for each of those.

    Values that cannot be secrets are shown. ConfigurationError where even the defaults do not go together.
    """
    problems: dict[str, None] = {}
    values: dict[str, Any] = {}
    while True:
        try:
            return cls(**values), tuple(problems)
        except UnicodeError:
            fresh: dict[str, Any] = {"_env_file": None}
            problems[f"{_NOT_TEXT} {_SAVE_AS_TEXT}"] = None
        except OSError as error:
            fresh = {"_env_file": None}
            problems[_unreadable(error)] = None
        except ValidationError as error:
            items = error.errors(include_url=False)
            fresh = {name: cls.model_fields[name].default for item in items for name in _refused(cls, item)}
            problems |= dict.fromkeys(_problem(cls, item, show=True) for item in items)
        if fresh.keys() <= values.keys():
            raise ConfigurationError(*problems)
        values |= fresh


def _unreadable(error: OSError) -> str:
    return f".env cannot be read ({error.strerror})."


def _refused(cls: type[StreamSettings], item: Any) -> Sequence[str]:
    """The settings that an error is about: the one it names, or those that its sentence names."""
    if item["loc"]:
        return [str(item["loc"][0]).lower()]
    return [name for name in map(str.lower, _NAME.findall(item["msg"])) if name in cls.model_fields]


def _problem(cls: type[StreamSettings], item: Any, *, show: bool = False) -> str:
    name = str(item["loc"][0]).lower() if item["loc"] else ""
    field = cls.model_fields.get(name)
    if field is None:
        return f"{item['msg'].removeprefix('Value error, ')}."
    cause = item.get("ctx", {}).get("error")
    if isinstance(cause, NotServedError):
        return f"{name.upper()} is not valid: {cause.sentence}"
    written = item.get("input")
    shown = f", not {written!r}" if show and isinstance(written, str) and _is_harmless(field, written) else ""
    return f"{name.upper()} is not valid: expected {field.description}{shown}."


def _is_harmless(field: FieldInfo, written: str) -> bool:
    """Whether a refused value can be repeated: one of a setting that takes a number or a word, and short itself."""
    plain = field.annotation in {bool, int, float} or get_origin(field.annotation) is Literal
    return plain and len(written) <= _LONGEST_SHOWN and written.isprintable()
