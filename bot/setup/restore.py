"""`gexcord restore FILE FOLDER`: a backup read to its end, then put where nothing is in its way.

`.env` is never written: what was told to the first machine becomes `.env.new`.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from bot.settings import BotSettings
from bot.setup.env_text import NEW_ENV_FILE, names_in, with_values
from bot.setup.kept import DayRows, Kept, Login, RedisKey, Settings, in_words, read
from bot.setup.kept_keys import is_in_use, kept_names, open_kept_redis, write_keys
from bot.setup.sealed_file import unseal
from streaming.clock import Clock, epoch_ms
from streaming.errors import UNREADABLE, OperatorError, RequestError
from streaming.history.history_files import DayReport, HistoryFiles
from streaming.ports import Tell
from streaming.process.private_files import fresh_file, open_folder, put_in_place
from streaming.process.progress import ProgressBar
from streaming.schwab.login.formats import parse_token
from streaming.setting_values import is_secret
from streaming.settings import ENV_FILE, load_settings
from streaming.streamer.token_stores import open_token_store

_MOST_BYTES: Final = 512_000_000
"""Forty thousand day rows."""
_PLACES: Final = ("schwab_token_path", "gex_history_path", "redis_data_path")
"""Settings that say where something is restored to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOrder:
    """What the command line asks for."""

    source: Path
    passphrase: str
    folder: Path = Path()
    force: bool = False


async def restore(order: RestoreOrder, clock: Clock, *, tell: Tell) -> None:
    """Write Redis in one step, then the login, the day rows, and last `.env.new`; each file whole or not at all.

    RequestError where the file cannot be opened, or names what is in the way. Day rows that are there stay.
    """
    kept = await asyncio.to_thread(_read, order)
    try:
        open_folder(order.folder)
        with fresh_file(order.folder / NEW_ENV_FILE) as fresh:
            fresh.write_text(restored_text(kept), encoding="utf-8")
            await _put(order, load_settings(BotSettings, _env_file=fresh), kept, clock)
            put_in_place(fresh, order.folder / NEW_ENV_FILE)
    except OSError as error:
        raise OperatorError(f"{order.folder} cannot be written: {error.strerror or type(error).__name__}.") from error
    tell(f"{order.folder.absolute()} holds {in_words(kept)}.")
    tell(f"Read {NEW_ENV_FILE} there and rename it to {ENV_FILE}; then `python run_bot.py --check`.")
    tell("Run only one of the two bots: the live messages and the Schwab login belong to one bot.")


def _read(order: RestoreOrder) -> Sequence[Kept]:
    name, found = str(order.source), []
    try:
        size = order.source.stat().st_size
        if size > _MOST_BYTES:
            raise RequestError(f"{name} is larger than a backup can be ({_MOST_BYTES // 1_000_000} MB).")
        with order.source.open("rb") as file, ProgressBar("restore") as bar:
            for record in read(unseal(file, order.passphrase, name=name), name=name):
                found.append(record)
                bar.show(file.tell() / size)
    except OSError as error:
        raise RequestError(f"{name} cannot be read: {error.strerror or type(error).__name__}.") from error
    return found


def restored_text(kept: Iterable[Kept]) -> str:
    """The new `.env`: secrets in it instead of in files, and the usual place for what lay elsewhere."""
    told = next((record for record in kept if isinstance(record, Settings)), Settings(text=""))
    named = names_in(told.text)
    files = {f"{name}_FILE" for name in told.outside if is_secret(BotSettings.model_fields[name.lower()])}
    values = told.outside | dict.fromkeys(files & named.keys(), "")
    return with_values(told.text, values | _moved({**named, **told.outside}))


def _moved(values: Mapping[str, str]) -> dict[str, str]:
    """The usual place for each that does not lie within the folder."""
    named = {name: Path(values[name.upper()]) for name in _PLACES if name.upper() in values}
    elsewhere = [name for name, path in named.items() if path.is_absolute() or ".." in path.parts]
    return {name.upper(): str(BotSettings.model_fields[name].default) for name in elsewhere}


async def _put(order: RestoreOrder, settings: BotSettings, kept: Sequence[Kept], clock: Clock) -> None:
    """OperatorError and TransientError as Redis and disk give them; nothing has changed after a RequestError."""
    found = [record for record in kept if isinstance(record, RedisKey)]
    logins = [parse_token(record.content, where="The login") for record in kept if isinstance(record, Login)]
    reports = [_report(order, record) for record in kept if isinstance(record, DayRows)]
    place = settings.model_copy(update={"schwab_token_path": order.folder / settings.schwab_token_path})
    async with open_token_store(place, clock) as store:
        taken = [f"the login in {store.name}"] if logins and store.version() is not None else []
    _refuse([str(path) for path in (order.folder / NEW_ENV_FILE,) if path.exists()] + taken, order)
    if found:
        await _put_keys(order, settings, found, clock)
    for token in logins:
        async with open_token_store(place, clock) as store, store.locked():
            await store.keep(token)
    history = HistoryFiles(order.folder / settings.gex_history_path)
    await asyncio.to_thread(_add, history, reports)


async def _put_keys(order: RestoreOrder, settings: BotSettings, found: Sequence[RedisKey], clock: Clock) -> None:
    async with open_kept_redis(settings, order.folder / settings.redis_data_path) as redis:
        if await is_in_use(redis):
            raise RequestError("A bot runs on the Redis that would be restored to.", remedy="Stop it first.")
        names = await kept_names(redis, in_use=False)
        _refuse([f"{len(names)} keys of ours in Redis"] if names else [], order)
        await write_keys(redis, found, instead_of=names, now_ms=epoch_ms(clock.now()))


def _add(history: HistoryFiles, reports: Sequence[DayReport]) -> None:
    with ProgressBar("day rows") as bar:
        for number, report in enumerate(reports):
            history.add_report(report)
            bar.show(number / len(reports))


def _report(order: RestoreOrder, record: DayRows) -> DayReport:
    try:
        return msgspec.json.decode(record.content, type=DayReport)
    except UNREADABLE:
        raise RequestError(f"{order.source} holds day rows that this version cannot read.") from None


def _refuse(there: Sequence[str], order: RestoreOrder) -> None:
    if there and not order.force:
        raise RequestError(
            f"Already there: {', '.join(there)}. Nothing was changed.", remedy="Add --force to replace them."
        )
