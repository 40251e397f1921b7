"""`python -m streaming start`: the stream without Discord, for a service manager."""

import argparse
import asyncio
import logging
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from streaming.clock import SystemClock
from streaming.errors import ConfigurationError, LoginRequiredError, RequestError, TransientError
from streaming.metrics_server import serve_metrics
from streaming.runtime import Runtime, open_runtime
from streaming.schwab.fields import Service
from streaming.schwab.oauth import LOG_IN
from streaming.schwab.routing import Subscriptions, plan
from streaming.settings import StreamSettings, load_settings, parse_tickers, split_commas
from streaming.signals import stop_on_signals
from streaming.streamer import Streamer
from streaming.symbols import Ticker, parse_wire_symbol
from streaming.wanted_symbols import SymbolChanges, needed_by

_LOG: Final = logging.getLogger(__name__)
_UPDATE_S: Final = 1.0
_RETRY_S: Final = 2.0
_END_WITHIN_S: Final = 8.0
_STREAMED: Final = tuple(
    service for service in Service if service.startswith(("LEVELONE", "CHART")) or service.endswith("BOOK")
)
Say = Callable[[str], None]


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser of `python -m streaming`."""
    command = commands.add_parser("start", help="stream to Redis until told to stop, without Discord")
    command.add_argument("--symbols", metavar="A,B", help="exactly these instead of SCHWAB_SYMBOLS and its changes")
    command.add_argument("--services", metavar="S,T", help=f"only these of {', '.join(_STREAMED)}")
    command.add_argument("--tickers", metavar="SPX,NDX", help="compute gamma exposure of these too")
    command.add_argument(
        "--dry-run", action="store_true", help="say what would be streamed and whether it can, then end"
    )
    command.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Stream until SIGTERM or SIGINT, then return 0; errors carry their exit status (specs/operations.md)."""
    settings = load_settings(StreamSettings)
    logging.getLogger().setLevel(settings.log_level)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every request
    order = _Order.read(arguments)
    return asyncio.run(_dry_run(settings, order, _say) if arguments.dry_run else _serve(settings, order, _say))


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


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
        try:
            tickers = () if arguments.tickers is None else parse_tickers(arguments.tickers)
        except ValueError as error:
            raise RequestError(f"{error}") from None
        return cls(symbols, _services(arguments.services), tickers)


def _services(text: str | None) -> frozenset[Service] | None:
    if text is None:
        return None
    names = [name.upper() for name in split_commas(text)]
    known = {service.value: service for service in _STREAMED}
    if unknown := [name for name in names if name not in known]:
        raise RequestError(f"{unknown[0][:40]!r} is no service.", remedy=f"Use {', '.join(known)}.")
    return frozenset(known[name] for name in names)


async def _serve(settings: StreamSettings, order: _Order, say: Say) -> int:
    clock = SystemClock()
    stop = stop_on_signals()
    async with open_runtime(settings, clock, announce=say) as runtime:
        streamer = Streamer(
            runtime,
            order.tickers,
            update_s=_UPDATE_S,
            rng=random.Random(),
            symbols=order.symbols,
            services=order.services,
        )
        async with serve_metrics(settings.metrics_port, streamer.facts) as metrics_url:
            if metrics_url is not None:
                say(f"Metrics: {metrics_url}")
            await _stream_until(stop, streamer, say)
    say("Stopped.")
    return 0


async def _stream_until(stop: asyncio.Event, streamer: Streamer, say: Say) -> None:
    """Run the streamer until the signal; what it raises is this process's end."""
    streaming = asyncio.create_task(_keep_streaming(streamer), name="streamer")
    stopped = asyncio.create_task(stop.wait(), name="stop signal")
    telling = asyncio.create_task(_tell_states(streamer, say), name="states")
    try:
        await asyncio.wait({streaming, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (streaming, stopped, telling):
            task.cancel()
        await asyncio.wait({streaming, stopped, telling}, timeout=_END_WITHIN_S)
    if not streaming.cancelled() and (error := streaming.exception()) is not None:
        raise error


async def _keep_streaming(streamer: Streamer) -> None:
    """Begin again after what passes by itself, such as a lease that another process took."""
    while True:
        try:
            await streamer.run(lambda: None)
        except TransientError as error:
            _LOG.warning("the streamer begins again in %.0f s: %s", _RETRY_S, error.sentence)
            await asyncio.sleep(_RETRY_S)
        except BaseExceptionGroup as errors:
            passing, serious = errors.split(TransientError)
            if serious is not None or passing is None:
                raise _leading(errors) from None
            _LOG.warning("the streamer begins again in %.0f s: %s", _RETRY_S, _leading(passing))
            await asyncio.sleep(_RETRY_S)


def _leading(error: BaseException) -> BaseException:
    """What an error is about: itself, or of a group the first member that is not transient."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    members = [_leading(member) for member in error.exceptions]
    return next((member for member in members if not isinstance(member, TransientError)), members[0])


async def _tell_states(streamer: Streamer, say: Say) -> None:
    """One line on standard error whenever the state changes."""
    told = ""
    while True:
        status = streamer.status()
        if status.state != told:
            told = status.state
            reason = status.needs_login or (status.last_close if told in {"backoff", "taken_over"} else None)
            say(f"Stream: {told}{'' if reason is None else f' ({reason})'}")
        await asyncio.sleep(0.1)


async def _dry_run(settings: StreamSettings, order: _Order, say: Say) -> int:
    """Everything that can be known without a streamer connection, which would end the one that runs elsewhere."""
    async with open_runtime(settings, SystemClock(), announce=say) as runtime:
        await _check_login(runtime, say)
        symbols = await _symbols(runtime, settings, order)
    wanted = plan(
        Subscriptions(symbols, charts=settings.schwab_charts, services=order.services), listings={}, level2=True
    )
    if not wanted:
        raise RequestError("Nothing would be streamed.", remedy="Set SCHWAB_SYMBOLS, or use other --symbols.")
    for service, keys in wanted.items():
        say(f"{service}: {', '.join(keys)}")
    say("Nothing was streamed. Books of shares with an unknown listing join once level one tells it.")
    return 0


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
    from streaming.bus.symbol_wishes import SymbolWishes

    changes = SymbolChanges() if order.symbols is not None else await SymbolWishes(runtime.redis).load()
    configured: Sequence[str] = settings.schwab_symbols if order.symbols is None else order.symbols
    return tuple(dict.fromkeys([*changes.applied_to(configured), *needed_by(order.tickers)]))
