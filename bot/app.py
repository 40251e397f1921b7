"""The whole wiring on one screen: flags, settings, logs, exit statuses, and the nested contexts."""

import argparse
import asyncio
import logging
import random
import secrets
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TextIO

from pydantic import SecretStr

from bot import login_watch
from bot.alarms import Alarms
from bot.alerts.assembly import build_alerts
from bot.check import run_check
from bot.client import GexBot
from bot.discord_hosts import point_discord_at
from bot.feed.channel import DiscordChannel
from bot.feed.ledger import RedisLedger
from bot.feed.runner import FeedRunner
from bot.fingerprints import RedisFingerprints
from bot.health import Health, ServiceNotifier
from bot.login_watch import LoginWatch
from bot.logs import configure_logging
from bot.render.charts import ChartWorker
from bot.services import Services
from bot.settings import BotSettings
from bot.stream_control import StreamControl
from bot.supervisor import Progress, Supervisor, leading_error
from bot.symbol_control import SymbolControl
from bot.token_control import TokenControl
from bot.told import RedisTold
from bot.wishes import RedisWishes
from streaming.bus import keys
from streaming.bus.lease import Lease
from streaming.bus.metrics import MetricValue, write_metrics
from streaming.clock import Clock, SystemClock
from streaming.errors import ConfigurationError, GexcordError
from streaming.metrics_server import serve_metrics
from streaming.record_command import order_of
from streaming.recording.session import Recorder
from streaming.runtime import Runtime, open_runtime
from streaming.schwab.stored_logins import StoredLogins
from streaming.settings import load_settings
from streaming.signals import stop_on_signals
from streaming.sources.assembly import Sources
from streaming.streamer import Streamer

_LOG: Final = logging.getLogger(__name__)
_CLOSE_WITHIN_S: Final = 10.0
_INTERRUPTED: Final = 130
_MAX_PORT: Final = 65_535


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bot until it is told to stop; the exit statuses are listed in specs/operations.md."""
    arguments = _arguments(argv)
    try:
        return asyncio.run(_run(arguments))
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001  # the last line of defence: a status, never a bare crash
        return _report(leading_error(error))


def _report(error: BaseException) -> int:
    if not isinstance(error, GexcordError):
        _LOG.critical("the program ends on a bug", exc_info=error)
        return GexcordError.exit_status
    problems = error.problems if isinstance(error, ConfigurationError) else (str(error),)
    for line in (*problems, error.remedy):
        if line:
            _say(line, sys.stderr)
    return error.exit_status


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    arguments = parser.parse_args(argv)
    demo_only = [f"--{name}" for name in ("chain", "port", "seed") if getattr(arguments, name) is not None]
    if demo_only and not arguments.demo:
        parser.error(f"{', '.join(demo_only)}: only with --demo")
    if not 0 <= (arguments.port or 0) <= _MAX_PORT:
        parser.error(f"--port: expected a number from 0 to {_MAX_PORT}")
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run_bot.py", description="Live dealer gamma exposure in Discord.")
    parser.add_argument(
        "--demo", action="store_true", help="run on a local Discord, a local Schwab and a made-up market"
    )
    parser.add_argument(
        "--chain", type=Path, metavar="FILE", help="with --demo: build the market from a real option chain"
    )
    parser.add_argument("--port", type=int, metavar="N", help="with --demo: port of the page; 0 takes a free one")
    parser.add_argument("--seed", type=int, metavar="N", help="with --demo: same seed, same market")
    parser.add_argument("--check", action="store_true", help="test settings, Redis, token file and Discord, then exit")
    return parser


async def _run(arguments: argparse.Namespace) -> int:
    async with AsyncExitStack() as stack:
        settings: BotSettings
        if arguments.demo:
            from bot.demo import open_demo

            demo = await stack.enter_async_context(
                open_demo(
                    chain_path=arguments.chain,
                    port=arguments.port or 0,
                    seed=1 if arguments.seed is None else arguments.seed,
                )
            )
            settings, clock, page_url = demo.settings, demo.clock, demo.page_url
        else:
            settings, clock, page_url = load_settings(BotSettings), SystemClock(), None
        configure_logging(settings)
        if arguments.check:
            return await run_check(settings, _say)
        await _serve(settings, clock, page_url=page_url)
    return 0


async def _serve(settings: BotSettings, clock: Clock, *, page_url: str | None) -> None:
    """Run until a signal or until Discord refuses us for good."""
    if settings.discord_bot_token is None:
        raise ConfigurationError(
            "DISCORD_BOT_TOKEN is not set.", remedy="Set it in .env, or try `python run_bot.py --demo` first."
        )
    point_discord_at(settings.discord_api_url, settings.discord_gateway_url)
    stop = stop_on_signals()
    async with (
        open_runtime(settings, clock, announce=_say) as runtime,
        _open_host(runtime, settings, settings.discord_bot_token) as host,
        _background(stop.wait(), "stop signal") as stopped,
    ):
        if page_url is None:
            host.control.resume_in_background()
        else:
            await host.control.start()
            await host.bot.logged_in.wait()
            _say(f"Open {page_url} in a browser (Ctrl+C ends the demo).")
        await asyncio.wait({host.connected, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if host.connected.done():
            host.connected.result()


@dataclass(frozen=True, slots=True)
class _Host:
    bot: GexBot
    control: StreamControl
    connected: asyncio.Task[None]
    """Ends when Discord refuses us for good."""


@asynccontextmanager
async def _open_host(runtime: Runtime, settings: BotSettings, token: SecretStr) -> AsyncIterator[_Host]:
    """Build the bot on the runtime. The jobs end first, while boards can still say goodbye to Discord."""
    clock, rng = runtime.clock, random.Random()
    bot = GexBot(settings, clock, fingerprints=RedisFingerprints(runtime.redis))
    async with (
        ChartWorker() as charts,
        bot,
        _background(bot.run_until_closed(token.get_secret_value()), "discord") as connected,
        Supervisor(clock=clock, rng=rng, notify=bot.notify_operators) as supervisor,
    ):
        alarms = Alarms(bot.notify_operators)
        supervisor.start("alarms", alarms.deliver)
        streamer = Streamer(runtime, settings.tickers, rng=rng, alarm=alarms.ring)
        sources = Sources(runtime, settings.tickers, streamer, rng=rng, tell=alarms.ring)
        control = StreamControl(streamer, supervisor, RedisWishes(runtime.redis), clock)
        health = Health(clock, ServiceNotifier.from_environment(), conditions=("discord",))
        feed = _feed(bot, runtime, settings, rng, health)
        alerts, watch_alerts = build_alerts(bot, runtime, settings, rng)
        recorder = Recorder(runtime.redis, clock, order_of(settings)) if settings.gex_record else None
        bot.attach(
            Services(
                settings=settings,
                clock=clock,
                supervisor=supervisor,
                snapshots=runtime.snapshots,
                charts=charts,
                stream=control,
                symbols=SymbolControl(streamer, clock),
                tokens=TokenControl(runtime),
                feed=feed,
                alerts=alerts,
                sources=sources.statuses,
                recorder=lambda: None if recorder is None else recorder.status(),
            )
        )
        bot.add_listener(partial(_mark_ready, health), "on_ready")
        supervisor.start("heartbeat", health.beat)
        supervisor.start("alerts", watch_alerts)
        if runtime.auth is not None:
            logins, told = StoredLogins(runtime.tokens, clock), RedisTold(runtime.redis)
            watch = LoginWatch(runtime.auth, logins, told, tell=bot.notify_operators, clock=clock)
            supervisor.start(login_watch.JOB, watch.run)
        for source in sources.polled:
            supervisor.start(f"source-{source.name}", source.run)
        supervisor.start("source-metrics", sources.report)
        if recorder is not None:
            supervisor.start("recorder", recorder.run)
        if settings.gex_feed_enabled and settings.boards:
            supervisor.start("gex-feed", partial(_run_feed, bot, feed))
        async with serve_metrics(settings.metrics_port, streamer.facts):
            try:
                yield _Host(bot=bot, control=control, connected=connected)
            finally:
                health.stopping()


async def _mark_ready(health: Health) -> None:
    health.mark("discord")


def _feed(bot: GexBot, runtime: Runtime, settings: BotSettings, rng: random.Random, health: Health) -> FeedRunner:
    async def write_feed_metrics(mapping: Mapping[str, MetricValue]) -> None:
        lag_ms = round(health.record().worst_lag_ms, 1)
        own: dict[str, MetricValue] = {"loop_lag_ms": lag_ms, "snapshots_rejected": runtime.snapshots.rejected}
        await write_metrics(runtime.redis, settings.gex_feed_metrics_key, {**mapping, **own})

    return FeedRunner(
        settings.boards,
        runtime.snapshots,
        partial(DiscordChannel, bot),
        RedisLedger(runtime.redis),
        settings,
        runtime.clock,
        rng=rng,
        notify=bot.notify_operators,
        write_metrics=write_feed_metrics if settings.gex_feed_metrics_enabled else None,
        lease=Lease(runtime.redis, keys.FEED_LEASE, secrets.token_hex(8)),
    )


async def _run_feed(bot: GexBot, feed: FeedRunner, progress: Progress) -> None:
    await bot.logged_in.wait()
    progress()
    await feed.run()


@asynccontextmanager
async def _background(work: Coroutine[Any, Any, Any], name: str) -> AsyncIterator[asyncio.Task[Any]]:
    """Run something beside the block and end it with the block; its own error is the block's to read."""
    task = asyncio.create_task(work, name=name)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=_CLOSE_WITHIN_S)


def _say(line: str, stream: TextIO = sys.stdout) -> None:
    stream.write(line + "\n")
    stream.flush()
