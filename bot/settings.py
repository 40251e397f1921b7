"""Every setting of the bot on top of the market-data ones, each read once at start."""

from typing import Annotated, Self

from pydantic import Field, InstanceOf, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from bot.choices import Choices, Style, read_choices
from streaming.bus import keys
from streaming.setting_values import parse_tickers, require_url, split_commas
from streaming.settings import StreamSettings
from streaming.symbols import Ticker, parse_ticker

IdList = Annotated[tuple[int, ...], NoDecode]
ChannelMap = Annotated[dict[str, tuple[int, ...]], NoDecode]
ChosenChannels = Annotated[dict[str, dict[int, InstanceOf[Choices]]], NoDecode]
"""Of each ticker its channels, and what is chosen for them beside it."""
MAX_SNOWFLAKE = 2**63 - 1
MOST_TICKERS = 12
"""In one live message."""


class BotSettings(StreamSettings):
    """The names of the owner's notes, their meaning and their defaults."""

    discord_bot_token: SecretStr | None = Field(None, description="the bot token from the Discord developer portal")
    discord_operator_ids: IdList = Field((), description="Discord user ids separated by commas")
    discord_operator_role_ids: IdList = Field((), description="Discord role ids separated by commas")
    discord_operator_channel_id: int | None = Field(None, description="a Discord channel id")
    discord_home_guild: int | None = Field(None, description="a Discord server id")
    discord_api_url: str | None = Field(
        None, description="an https URL, or http on this machine; empty is Discord itself"
    )
    discord_gateway_url: str | None = Field(
        None, description="a wss URL, or ws on this machine; empty is Discord itself"
    )
    discord_gex_feed_channel_ids: IdList = Field((), description="Discord channel ids separated by commas")
    gex_feed_enabled: bool = Field(True, description="true or false")
    gex_feed_symbol: str = Field("NQ_NDX", description="a ticker such as SPX, NDX, SPY or NQ_NDX")
    gex_feed_symbols: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="tickers separated by commas, such as SPX,NQ_NDX"
    )
    gex_feed_channel_map: ChosenChannels = Field(
        {},
        description="TICKER:channel id pairs separated by commas, such as SPX:123,SPX:124,NDX:125:weight=vol",
    )
    gex_feed_update_seconds: float = Field(1.0, ge=0.25, le=3600, description="a number of seconds from 0.25 to 3600")
    gex_feed_refresh_minutes: int = Field(5, ge=1, le=60, description="a whole number of minutes from 1 to 60")
    gex_feed_window_seconds: float = Field(60.0, ge=1, le=3600, description="a number of seconds from 1 to 3600")
    gex_feed_metrics_enabled: bool = Field(True, description="true or false")
    gex_feed_metrics_key: str = Field(keys.FEED_METRICS, min_length=1, description="the name of a Redis hash")
    gex_feed_force_window: bool = Field(False, description="true or false")
    gex_feed_age: bool = Field(False, description="true or false")
    gex_feed_style: Style = Field("ansi", description="ansi, card or plain")
    gex_feed_digits: int = Field(3, ge=2, le=5, description="a whole number from 2 to 5")
    gex_feed_buttons: bool = Field(False, description="true or false")
    gex_feed_silent: bool = Field(True, description="true or false")
    gex_feed_more_tickers: int = Field(5, ge=0, le=50, description="a whole number of tickers from 0 to 50")
    gex_feed_per_server: int = Field(
        10, ge=0, le=200, description="a whole number of channels from 0 to 200, 0 to turn /feed's changes off"
    )
    gex_price_presence: bool = Field(False, description="true or false")
    gex_price_nickname: bool = Field(False, description="true or false")
    gex_price_channel_map: ChannelMap = Field(
        {}, description="TICKER:channel id pairs separated by commas, such as SPX:126,NDX:127"
    )
    gex_on_demand_per_minute: int = Field(3, ge=0, le=30, description="a whole number of tickers from 0 to 30")
    alerts_per_person: int = Field(10, ge=0, le=100, description="a whole number from 0 to 100, for each person")
    alerts_per_channel: int = Field(20, ge=0, le=100, description="a whole number from 0 to 100, for each channel")
    alerts_silent: bool = Field(True, description="true or false")

    @field_validator("discord_operator_channel_id", "discord_home_guild", mode="before")
    @classmethod
    def _id(cls, value: object) -> int | None:
        return None if value is None else _snowflake(str(value))

    @field_validator("discord_operator_ids", "discord_operator_role_ids", "discord_gex_feed_channel_ids", mode="before")
    @classmethod
    def _ids(cls, value: object) -> tuple[int, ...]:
        return tuple(dict.fromkeys(_snowflake(part) for part in split_commas(value)))

    @field_validator("gex_feed_symbol", mode="before")
    @classmethod
    def _ticker(cls, value: object) -> str:
        (ticker,) = parse_tickers(value)
        return ticker.name

    @field_validator("gex_feed_symbols", mode="before")
    @classmethod
    def _tickers(cls, value: object) -> tuple[str, ...]:
        return tuple(ticker.name for ticker in parse_tickers(value))

    @field_validator("gex_price_channel_map", mode="before")
    @classmethod
    def _channel_map(cls, value: object) -> dict[str, tuple[int, ...]]:
        if isinstance(value, dict):
            return value
        channels: dict[str, tuple[int, ...]] = {}
        for part in split_commas(value):
            name, channel_id, others = _pair(part)
            if others:
                raise ValueError("TICKER:channel id")
            channels[name] = (*channels.get(name, ()), channel_id)
        return channels

    @field_validator("gex_feed_channel_map", mode="before")
    @classmethod
    def _chosen_channels(cls, value: object) -> dict[str, dict[int, Choices]]:
        if isinstance(value, dict):
            return {
                name: places if isinstance(places, dict) else dict.fromkeys(places, Choices())
                for name, places in value.items()
            }
        channels: dict[str, dict[int, Choices]] = {}
        for part in split_commas(value):
            name, channel_id, words = _pair(part)
            channels.setdefault(name, {})[channel_id] = read_choices(words)
        return channels

    @field_validator("discord_api_url")
    @classmethod
    def _api_url(cls, value: str | None) -> str | None:
        return None if value is None else require_url(value, "http", "https")

    @field_validator("discord_gateway_url")
    @classmethod
    def _gateway_url(cls, value: str | None) -> str | None:
        if value is not None:
            require_url(value, "ws", "wss")
        return value

    @field_validator("discord_bot_token")
    @classmethod
    def _printable(cls, value: SecretStr | None) -> SecretStr | None:
        text = "" if value is None else value.get_secret_value()
        if not text.isascii() or any(character.isspace() for character in text):
            raise ValueError("a token")
        return value

    @model_validator(mode="after")
    def _whole_discord(self) -> Self:
        if (self.discord_api_url is None) != (self.discord_gateway_url is None):
            raise ValueError("set both DISCORD_API_URL and DISCORD_GATEWAY_URL, or neither")
        return self

    @model_validator(mode="after")
    def _as_many_as_fit(self) -> Self:
        if any(len(tickers) > MOST_TICKERS for tickers in self.boards.values()):
            raise ValueError(f"GEX_FEED_CHANNEL_MAP names a channel for more than {MOST_TICKERS} tickers")
        return self

    @property
    def boards(self) -> dict[int, tuple[Ticker, ...]]:
        """Which tickers each feed channel shows: those of the map first, then every plain channel id in turn.

        Plain channels show `GEX_FEED_SYMBOLS` in order (the last one repeats), else `GEX_FEED_SYMBOL`.
        """
        boards: dict[int, tuple[Ticker, ...]] = {}
        for name, channels in self.gex_feed_channel_map.items():
            for channel in channels:
                boards[channel] = (*boards.get(channel, ()), parse_ticker(name))
        names = self.gex_feed_symbols or (self.gex_feed_symbol,)
        plain = [channel for channel in self.discord_gex_feed_channel_ids if channel not in boards]
        for position, channel in enumerate(plain):
            boards[channel] = (parse_ticker(names[min(position, len(names) - 1)]),)
        return boards

    @property
    def choices(self) -> dict[int, Choices]:
        """What the map chooses for its channels; of several pairs of one channel the first that chooses counts."""
        chosen: dict[int, Choices] = {}
        for channels in self.gex_feed_channel_map.values():
            for channel, choices in channels.items():
                if chosen.get(channel, Choices()) == Choices():
                    chosen[channel] = choices
        return chosen

    @property
    def tickers(self) -> tuple[Ticker, ...]:
        """Every ticker somebody can see or ask for, each once."""
        shown = [ticker.name for tickers in self.boards.values() for ticker in tickers]
        names = [*shown, *self.gex_feed_symbols]
        names = [*(names or [self.gex_feed_symbol]), *self.gex_source_map]
        return tuple(parse_ticker(name) for name in dict.fromkeys(names))


def _pair(part: str) -> tuple[str, int, list[str]]:
    """Of `SPX:123:weight=vol`: the ticker, the channel, and what is chosen."""
    name, *rest = part.split(":")
    if not rest:
        raise ValueError("TICKER:channel id")
    (ticker,) = parse_tickers(name)
    return ticker.name, _snowflake(rest[0]), rest[1:]


def _snowflake(text: str) -> int:
    if not text.strip().isdecimal() or not 0 < int(text) <= MAX_SNOWFLAKE:
        raise ValueError("a Discord id")
    return int(text)
