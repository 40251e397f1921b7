"""The demo's settings: they point at the local Schwab and the local Discord.

Nothing here replaces a part of the bot. The same process as ever runs against these addresses; the user's
`.env`, environment and folders are neither read nor written.
"""

import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from bot.demo.stand_in_process import CLIENT_ID, CLIENT_SECRET, Bots, Places, StandIns
from bot.settings import BotSettings
from streaming.bus.server.embedded import free_port
from streaming.clock import Clock
from streaming.process.private_files import own_uid

_LOG: Final = logging.getLogger(__name__)
_FOLDER: Final = "gexcord-demo-"


class DemoSettings(BotSettings):
    """Settings that come from the demo alone."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the code hands in and nothing else: an operator's own environment or `.env` must not reach a demo."""
        return (init_settings,)


class BotOrder(msgspec.Struct, frozen=True):
    """What one of two is told: the surroundings, the folder they share, and where it answers other programs."""

    places: Places
    folder: str
    api_port: int
    api_token: str


@dataclass(frozen=True, slots=True)
class Demo:
    """What the app needs to run on the demo's surroundings."""

    settings: BotSettings
    clock: Clock
    _places: Places
    _stand_ins: StandIns | None = None
    """None for one of two bots: the login has been kept for both."""

    @property
    def api_line(self) -> str:
        """A line for a shell that asks the HTTP API for levels."""
        assert self.settings.api_token is not None  # noqa: S101  # made below
        known = f"Authorization: Bearer {self.settings.api_token.get_secret_value()}"
        ticker = self.settings.tickers[0].name
        return f'curl -H "{known}" http://{self.settings.api_address}:{self.settings.api_port}/v1/levels/{ticker}'

    async def sign_in(self) -> None:
        """Wait until Schwab is there, and keep its login; to be called once, before anything asks Schwab."""
        if self._stand_ins is None:
            return
        from streaming.schwab.login.formats import parse_token
        from streaming.schwab.login.token_store import TokenStore

        store = TokenStore(self.settings.schwab_token_path)
        token = parse_token(await self._stand_ins.token(), where="The local Schwab's login")
        async with store.locked():
            store.save(token)

    def tell_bots(self, bots: Bots) -> None:
        """Say which processes the page's panel is about."""
        assert self._stand_ins is not None  # noqa: S101  # only one of two bots has none
        self._stand_ins.tell(bots)

    def orders(self, count: int) -> Iterator[BotOrder]:
        """For so many bots on the same folder; the first answers other programs at the address that was told."""
        settings = self.settings
        assert settings.api_token is not None  # noqa: S101  # made below
        token, folder = settings.api_token.get_secret_value(), str(settings.redis_data_path.parent)
        yield BotOrder(self._places, folder, settings.api_port, token)
        for _ in range(count - 1):
            yield BotOrder(self._places, folder, _quiet_port(), token)


@contextmanager
def at_home(places: Places, stand_ins: StandIns) -> Iterator[Demo]:
    """Yield settings for a folder of the demo's own, and for the local Schwab and Discord."""
    _clear_up_after_killed_demos(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=f"{_FOLDER}{os.getpid()}-") as folder:
        yield demo_of(places, Path(folder), _quiet_port(), secrets.token_urlsafe(), stand_ins)


def _quiet_port() -> int:
    """A free one below those that outgoing connections are given: one of them had it before the bot listened there."""
    return free_port(20_000 + secrets.randbelow(12_000))


def demo_of(places: Places, folder: Path, api_port: int, api_token: str, stand_ins: StandIns | None = None) -> Demo:
    """A bot's demo in a folder that is there."""
    return Demo(_settings(places, folder, api_port, api_token), places.clock(), places, stand_ins)


def _clear_up_after_killed_demos(parent: Path) -> None:
    """Remove the folders of demos of ours that were killed; one that runs keeps its own."""
    for folder in parent.glob(f"{_FOLDER}*"):
        pid = folder.name.removeprefix(_FOLDER).partition("-")[0]
        with suppress(FileNotFoundError):  # another demo that starts now may have been faster
            if pid.isdecimal() and folder.stat().st_uid == own_uid() and not _is_running(int(pid)):
                _LOG.info("removing what a killed demo left in %s", folder)
                shutil.rmtree(folder, ignore_errors=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's by now
    return True


def _settings(places: Places, folder: Path, api_port: int, api_token: str) -> BotSettings:
    return DemoSettings(
        discord_bot_token=SecretStr(places.bot_token),
        discord_api_url=places.api_url,
        discord_gateway_url=places.gateway_url,
        discord_operator_ids=(places.owner_id,),
        gex_feed_channel_map={ticker: (channel,) for ticker, channel in places.channel_ids.items()},
        gex_feed_symbols=tuple(places.channel_ids),
        gex_feed_force_window=True,
        gex_feed_buttons=True,
        schwab_client_id=SecretStr(CLIENT_ID),
        schwab_client_secret=SecretStr(CLIENT_SECRET),
        schwab_api_url=places.schwab_url,
        schwab_symbols=("SPY", "QQQ", "/MNQ", "/MES"),
        schwab_token_path=folder / "tokens" / "schwab_token.json",
        redis_data_path=folder / "redis",
        gex_history=False,  # made-up figures have no place in it
        api_port=api_port,
        api_token=SecretStr(api_token),
    )
