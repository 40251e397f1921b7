"""`gexcord backup FILE`: what cannot be had again, sealed into one file."""

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bot.settings import BotSettings
from bot.setup.env_text import names_in
from bot.setup.kept import DayRows, Kept, Login, RedisKey, Settings, in_words, written
from bot.setup.kept_keys import is_in_use, kept_names, open_kept_redis, read_keys
from bot.setup.sealed_file import USUAL, Cost, seal
from streaming.bus.server.folder import read_record
from streaming.clock import Clock, epoch_ms
from streaming.errors import GexcordError, OperatorError, RequestError
from streaming.history.history_files import HistoryFiles
from streaming.ports import Tell
from streaming.process.private_files import fresh_file, put_in_place
from streaming.process.progress import ProgressBar
from streaming.schwab.login.formats import encode_token
from streaming.setting_values import SecretFiles, read_text
from streaming.settings import ENV_FILE, load_settings
from streaming.streamer.token_stores import open_token_store


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupOrder:
    """What the command line asks for."""

    target: Path
    passphrase: str
    force: bool = False
    cost: Cost = USUAL


async def back_up(order: BackupOrder, clock: Clock, *, tell: Tell) -> None:
    """Write one sealed file, which appears whole or not at all.

    RequestError where one is in the way; OperatorError and TransientError as settings, Redis and disk give them.
    """
    if order.target.exists() and not order.force:
        raise RequestError(f"{order.target} exists already.", remedy="Name another file, or add --force.")
    settings: BotSettings = load_settings(BotSettings)
    kept: list[Kept] = [kept_settings(Path(ENV_FILE), os.environ), *await _login(settings, clock, tell)]
    kept += await _of_redis(settings, clock, tell)
    kept += _day_rows(settings)
    await asyncio.to_thread(_write, order, kept)
    tell(f"{order.target} holds {in_words(kept)}: {order.target.stat().st_size / 1e6:.1f} MB.")
    tell("Only the passphrase opens it. Anybody who has both can act as you, so keep them apart.")


def kept_settings(env_file: Path, environment: Mapping[str, str]) -> Settings:
    """The text of `.env`, and what the environment and files of secrets say instead of it."""
    try:
        text = read_text(env_file)
    except FileNotFoundError:
        text = ""
    around = {name.lower(): value for name, value in environment.items() if value}
    inside = {name.lower(): value for name, value in names_in(text).items()}
    outside = {name: value for name, value in SecretFiles(BotSettings, inside)().items() if name not in inside}
    outside |= SecretFiles(BotSettings, around)()
    outside |= {name: around[name] for name in BotSettings.model_fields if name in around}
    return Settings(text=text, outside={name.upper(): value for name, value in sorted(outside.items())})


async def _login(settings: BotSettings, clock: Clock, tell: Tell) -> list[Login]:
    try:
        async with open_token_store(settings, clock) as store:
            token = store.load()
    except GexcordError as error:
        tell(f"The Schwab login is left out: {error.sentence}")
        return []
    return [] if token is None else [Login(content=encode_token(token))]


async def _of_redis(settings: BotSettings, clock: Clock, tell: Tell) -> Sequence[RedisKey]:
    if settings.redis_url is None and read_record(settings.redis_data_path) is None:
        return ()  # no server of ours ever ran here
    async with open_kept_redis(settings, settings.redis_data_path) as redis:
        if in_use := await is_in_use(redis):
            tell("The bot is running: what it does from now on is not in the backup. To move it, stop it first.")
        names = await kept_names(redis, in_use=in_use)
        return await read_keys(redis, names, now_ms=epoch_ms(clock.now()))


def _day_rows(settings: BotSettings) -> list[DayRows]:
    files = HistoryFiles(settings.gex_history_path)
    return [DayRows(content=msgspec.json.encode(row)) for ticker in files.tickers() for row in files.reports(ticker)]


def _write(order: BackupOrder, kept: Sequence[Kept]) -> None:
    try:
        with fresh_file(order.target) as fresh, ProgressBar("backup") as bar:
            with fresh.open("wb") as file:
                seal(file, written(_counted(kept, bar.show)), order.passphrase, cost=order.cost)
            put_in_place(fresh, order.target)
    except OSError as error:
        raise OperatorError(
            f"{order.target} cannot be written: {error.strerror or type(error).__name__}.", remedy="Name another file."
        ) from error


def _counted(kept: Sequence[Kept], progress: Callable[[float], None]) -> Iterable[Kept]:
    for number, record in enumerate(kept):
        progress(number / len(kept))
        yield record
