"""`python -m streaming start`: the stream without Discord, for a service manager."""

import argparse
import asyncio
import gc
import logging
import os
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from streaming.api import admission
from streaming.api.api import Api, serve_api
from streaming.api.routes import Desk
from streaming.bus import keys
from streaming.bus.notes import Notes
from streaming.clock import SystemClock
from streaming.errors import ConfigurationError, LoginRequiredError, RequestError, TransientError, leading_error
from streaming.process.alarm import AlarmBell
from streaming.process.heartbeat import Heartbeat
from streaming.process.logs import Say, say, settings_of_command
from streaming.process.progress import ProgressBar
from streaming.process.signals import run_until, stop_on_signals
from streaming.schwab.login.keeper import StoredLogins
from streaming.schwab.login.oauth import LOG_IN
from streaming.schwab.stream.routing import plan
from streaming.schwab.wire.fields import Service
from streaming.schwab.wire.service_table import SERVICES
from streaming.setting_values import SOURCES, asked_tickers, split_commas
from streaming.settings import StreamSettings
from streaming.sources.schwab_source import stream_is_needed
from streaming.status import Loading, StreamStatus
from streaming.streamer import source_table
from streaming.streamer.login_watch import LoginWatch
from streaming.streamer.runtime import Runtime, open_runtime
from streaming.streamer.source_table import Sources, what_is_missing
from streaming.streamer.streamed_symbols import StoredChanges, SymbolChanges, needed_by, subscriptions_for
from streaming.streamer.streamer import Streamer
from streaming.symbols import Ticker, parse_wire_symbol
from streaming.telemetry import level_metrics, stream_metrics
from streaming.telemetry.level_metrics import level_looks
from streaming.telemetry.server import HealthReport, Watched, process_table, redis_health, serve_telemetry

if TYPE_CHECKING:
    from streaming.telemetry.prometheus import MetricTable

_RETRY_S: Final = 2.0
_SHOW_EVERY_S: Final = 0.1
_SHOWN_PER_LOOK: Final = 5
"""The bar grows more often than the states are asked, which costs 2 ms with 8,000 symbols."""
Job = Callable[[Callable[[], None]], Awaitable[None]]
_LOG: Final = logging.getLogger(__name__)
_STREAMED: Final = tuple(one.service for one in SERVICES)


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser of `python -m streaming`."""
    command = commands.add_parser("start", help="stream to Redis until told to stop, without Discord")
    command.add_argument("--symbols", metavar="A,B", help="exactly these instead of SCHWAB_SYMBOLS and its changes")
    command.add_argument("--services", metavar="S,T", help=f"only these of {', '.join(_STREAMED)}")
    command.add_argument(
        "--tickers", metavar="SPX,NDX", help="compute gamma exposure of these too, instead of those in GEX_SOURCE_MAP"
    )
    command.add_argument(
        "--dry-run", action="store_true", help="say what would be streamed and whether it can, then end"
    )
    command.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Stream until SIGTERM or SIGINT, then return 0; errors carry their exit status (specs/operations.md)."""
    settings = settings_of_command(least=logging.NOTSET)
    order = _Order.read(arguments)
    return asyncio.run(_dry_run(settings, order, say) if arguments.dry_run else _serve(settings, order, say))


@dataclass(frozen=True, slots=True)
class _Order:
    """What the command line asks for."""

    symbols: tuple[str, ...] | None
    services: frozenset[Service] | None
    tickers: tuple[Ticker, ...]

    @classmethod
    def read(cls, arguments: argparse.Namespace) -> "_Order":
        """RequestError for what is no symbol, no ticker or no service."""
        symbols = None
        if arguments.symbols is not None:
            symbols = tuple(dict.fromkeys(parse_wire_symbol(part) for part in split_commas(arguments.symbols)))
        tickers = () if arguments.tickers is None else asked_tickers(arguments.tickers)
        return cls(symbols, _services(arguments.services), tickers)


def _services(text: str | None) -> frozenset[Service] | None:
    if text is None:
        return None
    names = [name.upper() for name in split_commas(text)]
    known = {service.value: service for service in _STREAMED}
    if unknown := [name for name in names if name not in known]:
        raise RequestError(f"{unknown[0][:40]!r} is not a service.", remedy=f"Use {', '.join(known)}.")
    return frozenset(known[name] for name in names)


async def _serve(settings: StreamSettings, order: _Order, say: Say) -> int:
    stop, clock = stop_on_signals(), SystemClock()
    bell = AlarmBell(settings.on_alarm, clock)
    tickers = order.tickers or settings.mapped_tickers
    async with (
        open_runtime(settings, clock, tell=say) as runtime,
        serve_api(settings, Desk(runtime.snapshots, tickers, runtime.clock)) as api,
    ):
        rng = random.Random()
        streamer = Streamer(
            runtime, tickers, rng=rng, tell=bell.beside(_LOG.error), symbols=order.symbols, services=order.services
        )
        sources = Sources(runtime, tickers, streamer, rng=rng, tell=bell.beside(say))
        streams = stream_is_needed(settings, tickers)
        jobs: dict[str, Job] = {f"source {source.name}": source.run for source in sources.polled}
        jobs |= {"streamer": streamer.run} if streams else {}
        jobs |= _alarms(runtime, bell, say) if settings.on_alarm is not None else {}
        heartbeat = Heartbeat(runtime.clock, os.environ.get("NOTIFY_SOCKET"))
        watched = _watched(runtime, streamer, sources, tickers, heartbeat=heartbeat, api=api)
        async with serve_telemetry(settings, watched) as metrics_url:
            for name, url in (("API", api.url), ("Metrics", metrics_url)):
                if url is not None:
                    say(f"{name}: {url}")
            heartbeat.mark(True)
            gc.freeze()  # no collection looks at what was imported: a full one would hold the stream for 60 ms
            await run_jobs(
                stop,
                jobs | {"source metrics": sources.report, "heartbeat": heartbeat.beat},
                tell_states(streamer if streams else None, sources, say, tickers=tickers),
            )
            heartbeat.stopping()
    say("Stopped.")
    return 0


def _alarms(runtime: Runtime, bell: AlarmBell, say: Say) -> dict[str, Job]:
    """Ringing, and reminders of the login's end; what a bot on the same Redis tells in Discord is told here besides."""
    jobs: dict[str, Job] = {"alarm": bell.run}
    if (auth := runtime.auth) is not None:
        logins = StoredLogins(runtime.tokens, runtime.clock, app=auth.app)
        told = Notes(runtime.redis, f"{keys.LOGIN_TOLD}:alarm", about="which alarms about the Schwab login were given")
        zone = runtime.settings.operator_zone
        jobs["login watch"] = LoginWatch(auth, logins, told, tell=bell.beside(say), clock=runtime.clock, zone=zone).run
    return jobs


def _watched(
    runtime: Runtime, streamer: Streamer, sources: Sources, tickers: Sequence[Ticker], *, heartbeat: Heartbeat, api: Api
) -> Watched:
    async def tables() -> Sequence["MetricTable"]:
        from streaming.telemetry.prometheus import MetricTable, one

        polled = tuple(((source.name,), source) for source in sources.statuses())
        levels = await level_looks(runtime.snapshots.latest, tickers, runtime.clock)
        return (
            process_table(heartbeat),
            MetricTable("source", source_table.METRICS, polled, labels=("source",)),
            one("stream", stream_metrics.METRICS, streamer.facts()),
            MetricTable("levels", level_metrics.METRICS, levels, labels=("ticker",)),
            one("api", admission.METRICS, api.status()),
        )

    async def health() -> HealthReport:
        return HealthReport(live=heartbeat.beats, parts={"redis": await redis_health(runtime.redis)})

    return Watched(tables, health, live=lambda: heartbeat.beats)


async def _dry_run(settings: StreamSettings, order: _Order, say: Say) -> int:
    """Everything that can be known without a streamer connection, which would end the one that runs elsewhere."""
    tickers = order.tickers or settings.mapped_tickers
    _check_sources(settings, tickers, say)
    if not stream_is_needed(settings, tickers):
        say("Nothing was asked for. Without a Schwab app no ticks are streamed.")
        return 0
    async with open_runtime(settings, SystemClock(), tell=say) as runtime:
        await _check_login(runtime, say)
        symbols = await _symbols(runtime, settings, order)
    wanted = plan(subscriptions_for(settings, symbols, order.services), listings={}, level2=True)
    if not wanted:
        raise RequestError("Nothing would be streamed.", remedy="Set SCHWAB_SYMBOLS, or use other --symbols.")
    for service, symbols_of in wanted.items():
        say(f"{service}: {', '.join(symbols_of)}")
    say("Nothing was streamed. Books of shares whose exchange is unknown join once level one names it.")
    return 0


def _check_sources(settings: StreamSettings, tickers: Sequence[Ticker], say: Say) -> None:
    """ConfigurationError for what a source lacks."""
    for source in SOURCES:
        if not (own := settings.tickers_from(source, tickers)):
            continue
        if (missing := what_is_missing(source, own, settings)) is not None:
            raise missing
        say(f"Source {source}: {', '.join(ticker.name for ticker in own)}")


async def _check_login(runtime: Runtime, say: Say) -> None:
    if runtime.auth is None:
        raise ConfigurationError(
            "SCHWAB_CLIENT_ID and SCHWAB_CLIENT_SECRET are not set.", remedy="Set them in .env or the environment."
        )
    await runtime.auth.access_token()
    ends_at = runtime.auth.status().login_ends_at
    if ends_at is not None and ends_at <= runtime.clock.now():
        raise LoginRequiredError("The weekly Schwab login is over.", remedy=LOG_IN)
    say("Schwab login: usable" + ("" if ends_at is None else f" until {ends_at:%Y-%m-%d %H:%M} UTC"))


async def _symbols(runtime: Runtime, settings: StreamSettings, order: _Order) -> tuple[str, ...]:
    changes = SymbolChanges() if order.symbols is not None else await StoredChanges(runtime.redis).load()
    configured: Sequence[str] = settings.schwab_symbols if order.symbols is None else order.symbols
    return tuple(
        dict.fromkeys(
            [
                *changes.applied_to(configured),
                *needed_by(settings.tickers_from("schwab", order.tickers or settings.mapped_tickers)),
            ]
        )
    )


async def run_jobs(stop: asyncio.Event, jobs: Mapping[str, Job], telling: Coroutine[Any, Any, None]) -> None:
    """Run all jobs until the signal; what one of them raises for good is this process's end."""
    works = {name: _keep(name, job) for name, job in jobs.items()}
    await run_until(stop, works | {"states": telling})


async def _keep(name: str, job: Job) -> None:
    """Begin again after what passes by itself, such as a lease that another process took."""
    while True:
        try:
            await job(lambda: None)
        except TransientError as error:
            _LOG.warning("the %s begins again in %.0f s: %s", name, _RETRY_S, error.sentence)
            await asyncio.sleep(_RETRY_S)
        except BaseExceptionGroup as errors:
            passing, serious = errors.split(TransientError)
            if serious is not None or passing is None:
                raise leading_error(errors) from None
            _LOG.warning("the %s begins again in %.0f s: %s", name, _RETRY_S, leading_error(passing))
            await asyncio.sleep(_RETRY_S)


async def tell_states(streamer: Streamer | None, sources: Sources, say: Say, *, tickers: Sequence[Ticker] = ()) -> None:
    """One line whenever the state of the stream or of a source changes; at a terminal a bar during the first load."""
    told: dict[str, str] = {}
    with ProgressBar("option chains") as bar:
        while True:
            for subject, state, reason in _states(streamer, sources):
                if told.get(subject) != state:
                    told[subject] = state
                    bar.clear()
                    say(f"{subject}: {state}{'' if reason is None else f' ({reason})'}")
            for _ in range(_SHOWN_PER_LOOK):
                _show_load(bar, [] if streamer is None else list(map(streamer.loading, tickers)))
                await asyncio.sleep(_SHOW_EVERY_S)


def _show_load(bar: ProgressBar, looks: Sequence[Loading | None]) -> None:
    loads = [load for load in looks if load is not None]
    if not loads:
        bar.clear()
    elif planned := sum(load.planned for load in loads):
        bar.show(sum(load.loaded for load in loads) / planned)


def _states(streamer: Streamer | None, sources: Sources) -> list[tuple[str, str, str | None]]:
    found = [] if streamer is None else [_stream_state(streamer.status())]
    for source in (one.status() for one in sources.polled):
        trouble = source.last_error if source.state in {"failing", "needs_action"} else None
        found.append((f"Source {source.name}", source.state, trouble))
    return found


def _stream_state(status: StreamStatus) -> tuple[str, str, str | None]:
    closed = status.last_close if status.state in {"backoff", "refused", "taken_over"} else None
    return "Stream", status.state, status.needs_login or closed
