"""The demo's market: a local Schwab, a market of its own, and settings that point there and at the local Discord.

Nothing here replaces a part of the bot. The same process as ever runs against these addresses; the user's
`.env`, environment and folders are neither read nor written.
"""

import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from bot.sandbox.local_discord import Sandbox
from bot.settings import BotSettings
from streaming.bus.server.embedded import free_port
from streaming.clock import Clock, ShiftedClock
from streaming.commands.sim import simulated_start
from streaming.option_chain import OptionChain
from streaming.process.private_files import own_uid
from streaming.schwab.login.auth_client import SchwabAuthClient
from streaming.schwab.login.token_store import TokenStore
from streaming.sim.local_schwab import SimServer, open_sim
from streaming.sim.world.market import Market

_LOG: Final = logging.getLogger(__name__)
_FOLDER: Final = "gexcord-demo-"
_CLIENT_ID: Final = "demo-app-key"
_CLIENT_SECRET: Final = "demo-app-secret"  # noqa: S105  # opens nothing but the local simulator


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


@dataclass(frozen=True, slots=True)
class Demo:
    """What the app needs to run on the demo's surroundings."""

    settings: BotSettings
    clock: Clock

    @property
    def api_line(self) -> str:
        """A line for a shell that asks the HTTP API for levels."""
        assert self.settings.api_token is not None  # noqa: S101  # made below
        known = f"Authorization: Bearer {self.settings.api_token.get_secret_value()}"
        ticker = self.settings.tickers[0].name
        return f'curl -H "{known}" http://{self.settings.api_address}:{self.settings.api_port}/v1/levels/{ticker}'


@asynccontextmanager
async def open_market(
    sandbox: Sandbox, chain: OptionChain | None, tickers: Sequence[str], *, seed: int
) -> AsyncIterator[Demo]:
    """Open market and Schwab on loopback, sign in once, and yield settings for them and the local Discord."""
    clock = ShiftedClock(simulated_start(datetime.now(UTC)) if chain is None else chain.asof)
    _clear_up_after_killed_demos(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=f"{_FOLDER}{os.getpid()}-") as folder:
        async with open_sim(
            _market(chain, clock.now(), seed), clock, client_id=_CLIENT_ID, client_secret=_CLIENT_SECRET
        ) as sim:
            settings = _settings(sim, sandbox, Path(folder), tickers)
            await _sign_in(settings, clock)
            yield Demo(settings=settings, clock=clock)


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


def _market(chain: OptionChain | None, start_at: datetime, seed: int) -> Market:
    if chain is not None:
        return Market.from_chain(chain, seed=seed)
    return Market.generate(start_at=start_at, seed=seed, always_open=True)


def _settings(sim: SimServer, sandbox: Sandbox, folder: Path, tickers: Sequence[str]) -> BotSettings:
    return DemoSettings(
        discord_bot_token=SecretStr(sandbox.token),
        discord_api_url=sandbox.api_url,
        discord_gateway_url=sandbox.gateway_url,
        discord_operator_ids=(sandbox.owner_id,),
        gex_feed_channel_map={ticker: (sandbox.channel_ids[f"gex-{ticker.lower()}"],) for ticker in tickers},
        gex_feed_symbols=tuple(tickers),
        gex_feed_force_window=True,
        schwab_client_id=SecretStr(_CLIENT_ID),
        schwab_client_secret=SecretStr(_CLIENT_SECRET),
        schwab_api_url=sim.url,
        schwab_symbols=("SPY", "QQQ", "/MNQ", "/MES"),
        schwab_token_path=folder / "tokens" / "schwab_token.json",
        redis_data_path=folder / "redis",
        gex_history=False,  # made-up figures have no place in it
        api_port=free_port(),
        api_token=SecretStr(secrets.token_urlsafe()),
    )


async def _sign_in(settings: BotSettings, clock: Clock) -> None:
    """The weekly login, as a person would do it: open the authorise URL, bring back the redirect."""
    assert settings.schwab_client_id is not None and settings.schwab_client_secret is not None  # noqa: S101, PT018  # set above
    async with httpx.AsyncClient() as http:
        auth = SchwabAuthClient(
            http,
            TokenStore(settings.schwab_token_path),
            client_id=settings.schwab_client_id,
            client_secret=settings.schwab_client_secret,
            api_url=settings.schwab_api_url,
            callback_url=settings.schwab_callback_url,
            clock=clock,
        )
        attempt = auth.begin_login()
        redirect = await http.get(attempt.url, follow_redirects=False)
        await auth.finish_login(attempt, redirect.headers["location"])
