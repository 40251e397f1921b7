"""What `run_bot.py --check` says of each source of snapshots: its tickers, and what it lacks."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from urllib.parse import urlsplit

import httpx
from redis.asyncio import Redis

from bot.settings import BotSettings
from streaming.addresses import is_loopback
from streaming.calendar import new_york
from streaming.clock import Clock, instant_of
from streaming.errors import (
    ConfigurationError,
    ContractError,
    GexcordError,
    LoginRequiredError,
    OperatorError,
    RequestError,
    TransientError,
    UnavailableError,
)
from streaming.model import FILE_SOURCE, SIMULATED, GexSnapshot, is_made_up
from streaming.process.certificates import trusted
from streaming.process.findings import Finding, fail, ok, warn
from streaming.setting_values import SOURCES, SourceName
from streaming.symbols import Ticker

_ANSWER_S = 5.0


async def check_sources(settings: BotSettings, clock: Clock, redis: Redis | None = None) -> Sequence[Finding]:
    """One line for each source that a ticker comes from, with the rung it stands on, and one for each bad ticker.

    Simulated, replayed, delayed, live unproven, live proven: `redis` remembers the last good day.
    """
    tickers = settings.tickers
    proven = await _proven_days(redis)
    found: list[Finding] = []
    for name in SOURCES:
        if own := settings.tickers_from(name, tickers):
            found += await _Look(name, own, settings, clock).findings(proven, redis)
    return found


async def _proven_days(redis: Redis | None) -> Mapping[str, date]:
    from streaming.bus.snapshots.proven_days import ProvenDays

    try:
        return {} if redis is None else await ProvenDays(redis).read()
    except TransientError:
        return {}  # the line about Redis says what is wrong with it


class _Look:
    """One source with its tickers."""

    def __init__(self, source: SourceName, tickers: Sequence[Ticker], settings: BotSettings, clock: Clock) -> None:
        self._source = source
        self._tickers = tickers
        self._settings = settings
        self._clock = clock
        self._subject = f"source {source}"

    async def findings(self, proven: Mapping[str, date], redis: Redis | None) -> Sequence[Finding]:
        from streaming.streamer.source_table import what_is_missing

        missing = what_is_missing(self._source, self._tickers, self._settings)
        if missing is not None:
            return [fail(self._subject, missing.sentence, missing.exit_status)]
        return await self._cboe() if self._source == "cboe" else [await self._rung(proven, redis)]

    async def _rung(self, proven: Mapping[str, date], redis: Redis | None) -> Finding:
        match self._source:
            case "gexbot":
                return await self._gexbot(proven)
            case "redis":
                return await self._another_program(redis)
            case "replay":
                return _no_recording(self._subject, self._settings) or self._ok("replayed from a recording")
            case "schwab":
                return await self._schwab(proven)
            case _:
                return self._ok(_live(self._source, proven))

    def _ok(self, rung: str, more: str = "", tickers: Sequence[str] | None = None) -> Finding:
        names = ", ".join([ticker.name for ticker in self._tickers] if tickers is None else tickers)
        return ok(self._subject, f"{names}; {rung}{more and f'; {more}'}.")

    async def _schwab(self, proven: Mapping[str, date]) -> Finding:
        settings = self._settings
        pace = f"at most {settings.gex_chain_requests_per_minute} chain requests a minute"
        if not is_loopback(_host(settings.schwab_api_url)):
            return self._ok(_live("schwab", proven), pace)
        figures = await _figures_of(settings.schwab_api_url)
        if figures is None:
            sentence = f"nothing answers at {settings.schwab_api_url}. Start it, or correct SCHWAB_API_URL."
            return fail(self._subject, sentence, UnavailableError.exit_status)
        if is_made_up(figures):
            what = figures.replace(FILE_SOURCE, "a file of ") if figures != SIMULATED else "a made-up market"
            return self._ok(f"simulated: a local Schwab plays {what}", pace)
        return self._ok(_live("schwab", proven), pace)

    async def _gexbot(self, proven: Mapping[str, date]) -> Finding:
        settings = self._settings
        refusal = await _refusal(self._subject, self._tickers[0], settings, self._clock)
        how = f"asked of {_host(settings.gexbot_api_url)} every {settings.gexbot_poll_seconds:g} s"
        return refusal or self._ok(_live("gexbot", proven), how)

    async def _cboe(self) -> Sequence[Finding]:
        """Each ticker's file is asked for: one that is a page, or another's, is only found out by reading it."""
        from streaming.sources.cboe_source import try_tickers

        settings = self._settings
        answers = await try_tickers(settings, self._tickers, self._clock)
        good = {name: answer for name, answer in answers.items() if isinstance(answer, GexSnapshot)}
        bad = {name: answer for name, answer in answers.items() if isinstance(answer, GexcordError)}
        how = f"from {_host(settings.cboe_api_url)} every {settings.cboe_poll_seconds:g} s"
        found = [self._ok("delayed", f"{how}; {_newest(good.values())}", list(good))] if good else []
        return [
            *found,
            *[fail(self._subject, f"{name}: {error.sentence}", _status(error)) for name, error in bad.items()],
        ]

    async def _another_program(self, redis: Redis | None) -> Finding:
        from streaming.bus.snapshots.snapshot_store import SnapshotStore

        if redis is None:
            return self._ok("written by another program, unproven: Redis cannot be asked")
        try:
            found = [await SnapshotStore(redis, clock=self._clock).latest(ticker.name) for ticker in self._tickers]
        except TransientError as error:
            return warn(self._subject, f"{error} What the other program writes could not be checked.")
        known = [snapshot for snapshot in found if snapshot is not None]
        lacking = [t.name for t, snapshot in zip(self._tickers, found, strict=True) if snapshot is None]
        if lacking:
            keys = ", ".join(f"gex:snapshot:{name}" for name in lacking)
            return warn(self._subject, f"nothing is stored in {keys}. Start the program that writes it.")
        rungs = " and ".join(dict.fromkeys(map(_rung_of, known)))
        return self._ok(f"{rungs}, written by another program", _newest(known))


def _rung_of(snapshot: GexSnapshot) -> str:
    """What a snapshot says of itself."""
    if snapshot.replay is not None:
        return "replayed"
    if snapshot.source == SIMULATED or snapshot.source.startswith(FILE_SOURCE):
        return "simulated"
    return "delayed" if snapshot.delayed else "live"


def _live(source: str, proven: Mapping[str, date]) -> str:
    if (day := proven.get(source)) is None:
        return "live, unproven: it has not given figures in a session yet"
    return f"live, proven (last good day {day})"


def _newest(snapshots: Iterable[GexSnapshot]) -> str:
    at = new_york(instant_of(max(snapshot.asof_ms for snapshot in snapshots)))
    return f"newest quotes of {at:%Y-%m-%d %H:%M} New York"


def _status(error: GexcordError) -> int:
    """The exit status of what a source answered: a login or setting of ours, or its own trouble."""
    if isinstance(error, RequestError):
        return ConfigurationError.exit_status
    return LoginRequiredError.exit_status if isinstance(error, OperatorError) else UnavailableError.exit_status


async def _figures_of(url: str) -> str | None:
    """The `source` of what a server on this machine answers, or None when it does not."""
    from streaming.schwab.origin import source_of

    try:
        async with httpx.AsyncClient(timeout=_ANSWER_S, verify=trusted()) as http:
            return source_of((await http.get(url)).headers)
    except httpx.HTTPError:
        return None


async def _refusal(subject: str, ticker: Ticker, settings: BotSettings, clock: Clock) -> Finding | None:
    """What GEXBot says against one question with this key, or None."""
    from streaming.sources.gexbot import try_key

    assert settings.gexbot_api_key is not None  # noqa: S101  # it was looked for before
    try:
        await try_key(settings, settings.gexbot_api_key, ticker, clock)
    except ContractError as error:
        return warn(subject, f"{error.sentence} Nothing to show right now.")
    except GexcordError as error:
        return fail(subject, error.sentence, _status(error))
    return None


def _no_recording(subject: str, settings: BotSettings) -> Finding | None:
    """Why nothing can be played from the path, or None."""
    from streaming.recording.reader import holds_recording
    from streaming.recording.recording_files import parts_of

    path = settings.gex_replay_path
    assert path is not None  # noqa: S101  # it was looked for before
    try:
        parts_of(path)
    except RequestError as error:
        return fail(subject, error.sentence, ConfigurationError.exit_status)
    if path.is_file() and not holds_recording(path):
        return fail(subject, f"{path} is not a recording. Correct GEX_REPLAY_PATH.", ConfigurationError.exit_status)
    return None


def _host(url: str) -> str:
    return urlsplit(url).hostname or url
