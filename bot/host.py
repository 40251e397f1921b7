"""What hangs on what, on one screen: the bot, its services, its background jobs, and the order they end in."""

import asyncio
import logging
import os
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import msgspec
from pydantic import SecretStr

from bot.alerts.alert_commands import AlertCommands
from bot.alerts.alert_job import AlertRunner
from bot.alerts.counters import AlertCounters
from bot.alerts.measure_notice import MeasureNotice
from bot.alerts.post import AlertPost
from bot.alerts.rule_store import AlertStore
from bot.alerts.rules import Target
from bot.client import GexBot
from bot.feed.board_notes import BoardNotes
from bot.feed.channel import DiscordChannel
from bot.feed.feed_job import FeedRunner
from bot.feed.feed_parts import FeedParts
from bot.feed.handover import Handover
from bot.feed.illustration import Illustration
from bot.feed.ledger import Ledger
from bot.feed.pacer import Pacer
from bot.feed.pacing import Pacing, Turns
from bot.feed.part import FeedPart
from bot.feed.schedule import decide, opening_sentence
from bot.live_buttons import LiveButton, live_buttons
from bot.name_plates import NamePlates
from bot.operate.audit import KEEP, MOST, AuditLog
from bot.operate.stream_control import StreamControl, SymbolControl
from bot.pictures import PictureRequest, take_picture
from bot.render.charts.chart_client import ChartWorker
from bot.render.health_text import HealthLook
from bot.render.operations import login_ending_text
from bot.servers.departures import Departures
from bot.servers.feed_commands import FeedCommands
from bot.servers.more_tickers import MoreTickers
from bot.servers.order_store import FeedOrders, OrderStore
from bot.servers.orders import BoardOrder, Manner, manner_of_alerts, manner_of_reposts, settings_orders
from bot.services import ReadReports, Services
from bot.settings import BotSettings
from bot.supervisor import JobFactory, Supervisor
from bot.telemetry import METRICS, Presence, Process, Telemetry
from bot.wire.call_share import CallShare
from bot.wire.crew import Crew
from bot.wire.crew_member import CrewMember
from bot.wire.identify_budget import IdentifyBudget
from streaming.api.api import serve_api
from streaming.api.routes import Desk
from streaming.bus import keys
from streaming.bus.lease import Lease
from streaming.bus.metrics_store import MetricValue, hash_fields, write_metrics
from streaming.bus.notes import Notes, RecentNotes
from streaming.bus.snapshots.day_maps import DayMapStore
from streaming.commands.record import order_of
from streaming.history.history_files import DayReport, HistoryFiles
from streaming.history.keeper import HistoryKeeper, HistoryOrder
from streaming.ports import Progress, SnapshotSource, Tell
from streaming.process.alarm import AlarmBell
from streaming.process.freed_memory import give_back_freed
from streaming.process.heartbeat import Heartbeat
from streaming.recording.recorder import Recorder
from streaming.schwab.login.keeper import StoredLogins
from streaming.sources.on_demand import OnDemand
from streaming.status import HistoryStatus, Loading, RecorderStatus
from streaming.streamer.login_watch import LoginWatch
from streaming.streamer.runtime import Runtime
from streaming.streamer.source_table import Sources, on_demand_source
from streaming.streamer.streamer import Streamer
from streaming.streamer.token_stores import pending_login
from streaming.symbols import Ticker
from streaming.telemetry.server import redis_health, serve_telemetry

if TYPE_CHECKING:  # it needs a web server, which is imported where one is wanted
    from streaming.schwab.login.callback_port import CallbackPort

_LOG: Final = logging.getLogger(__name__)
_CLOSE_WITHIN_S: Final = 10.0
_CALL_SHARE: Final = "call-share"
"""The last job to end: boards say goodbye at a pace that is still this process's."""
_TOLD: Final = "what the operators were told"


@dataclass(frozen=True, slots=True)
class Host:
    """The bot with everything attached, while it runs."""

    bot: GexBot
    control: StreamControl
    connected: asyncio.Task[None]
    """Ends when Discord refuses us for good."""


@asynccontextmanager
async def open_host(runtime: Runtime, settings: BotSettings, token: SecretStr) -> AsyncIterator[Host]:
    """Build the bot on the runtime. The jobs end first, while boards can still say goodbye to Discord."""
    clock, rng = runtime.clock, random.Random()
    budget = IdentifyBudget(runtime.redis, token.get_secret_value(), clock)
    fingerprints = Notes(runtime.redis, keys.COMMAND_FINGERPRINT, about="the fingerprint of the slash commands")
    pacing = Pacing(clock)
    crew, bell = Crew(runtime.redis, token.get_secret_value(), clock), AlarmBell(settings.on_alarm, clock)
    bot = GexBot(settings, clock, fingerprints=fingerprints, budget=budget, gate=pacing, crew=crew, ring=bell.ring)
    async with (
        _on_demand(runtime, settings) or nullcontext() as on_demand,
        ChartWorker() as charts,
        bot,
        background(bot.run_until_closed(token.get_secret_value()), "discord") as connected,
        Supervisor(clock=clock, rng=rng, tell=bot.tell_operators, last={_CALL_SHARE}) as supervisor,
        serve_api(settings, Desk(runtime.snapshots, settings.tickers, clock)) as api,
    ):
        streamer = Streamer(runtime, settings.tickers, rng=rng, tell=bot.tell_operators)
        sources = Sources(runtime, settings.tickers, streamer, rng=rng, tell=bot.tell_operators)
        wanted = Notes(runtime.redis, keys.STREAM_WANTED, about="whether the stream is wanted")
        control = StreamControl(streamer, supervisor, wanted, clock)
        heartbeat = Heartbeat(clock, os.environ.get("NOTIFY_SOCKET"))
        process = Process(bot, heartbeat, runtime.snapshots)
        orders = FeedOrders(settings_orders(settings), OrderStore(runtime.redis))
        feed = _feed(
            bot, runtime, settings, orders, rng=rng, process=process, loading=streamer.loading, turns=pacing, crew=crew
        )
        more = _more_tickers(runtime, settings, orders, streamer, on_demand, tell=bot.tell_operators)
        desk = FeedCommands(orders, clock, per_server=settings.gex_feed_per_server, admit=more.admit)
        bot.events.on_place_changed(feed.place_changed)
        bot.events.on_place_changed(crew.place_changed)
        crew.heard_of_place = feed.place_changed
        share = CallShare(runtime.redis, token.get_secret_value(), pacing.pacer, clock)
        crew.report = partial(_reported, bot, feed, pacing.pacer, share)
        alerts, counters, alert_jobs = _alerts(bot, runtime, settings, orders, rng)
        recorder = (
            Recorder(runtime.redis, clock, order_of(settings), intake=runtime.snapshots.intake)
            if settings.gex_record
            else None
        )
        recorded = partial(_status_of, recorder)
        history = _history_keeper(bot, runtime, settings) if settings.gex_history else None
        past = partial(_history_of, history)
        port = _callback_port(runtime, tell=bot.tell_operators)
        bot.attach(
            Services(
                settings=settings,
                clock=clock,
                supervisor=supervisor,
                snapshots=runtime.snapshots,
                charts=charts,
                bot_name=lambda: None if bot.user is None else bot.user.display_name,
                stream=control,
                symbols=SymbolControl(streamer, clock),
                login=runtime.auth,
                callback=None if port is None else port.callback,
                examine_login=partial(_examine_login, runtime),
                audit=_audit(runtime),
                health=partial(
                    _look,
                    process,
                    budget=budget,
                    runtime=runtime,
                    control=control,
                    supervisor=supervisor,
                    sources=sources,
                    crew=crew,
                ),
                day_map=DayMapStore(runtime.redis).get,
                feed=feed,
                orders=orders,
                feed_desk=desk if settings.gex_feed_enabled else None,
                alerts=alerts,
                on_demand=on_demand,
                sources=sources.statuses,
                recorder=recorded,
                history=past,
                reports=_reports(settings),
                loading=streamer.loading,
            )
        )
        await share.renew()  # the first boards must not write at a pace that other processes have
        supervisor.start("gateway", partial(bot.gateway.watch, mark=heartbeat.mark, tell=bot.tell_operators))
        jobs = _jobs(
            bot,
            runtime,
            settings,
            heartbeat=heartbeat,
            sources=sources,
            recorder=recorder,
            history=history,
            feed=feed,
            crew=crew,
            bell=bell,
        )
        jobs |= {_CALL_SHARE: share.run, "crew": crew.run}
        jobs |= {} if port is None else {"login-callback": port.hold}
        if settings.gex_feed_enabled:
            jobs["more-tickers"] = more.run
            jobs["departures"] = _departures(bot, runtime, orders).run
        for name, job in (jobs | alert_jobs).items():
            supervisor.start(name, job)
        if api.url is not None:
            _LOG.info("other programs are answered at %s", api.url)
        telemetry = Telemetry(
            process,
            runtime.redis,
            clock,
            supervisor,
            settings.tickers,
            feed=feed.status,
            stream=streamer.facts,
            alerts=counters,
            sources=sources.statuses,
            recorder=recorded,
            history=past,
            api=api.status,
        )
        async with serve_telemetry(settings, telemetry.watched):
            try:
                yield Host(bot=bot, control=control, connected=connected)
            finally:
                heartbeat.stopping()


def _jobs(
    bot: GexBot,
    runtime: Runtime,
    settings: BotSettings,
    *,
    heartbeat: Heartbeat,
    sources: Sources,
    recorder: Recorder | None,
    history: HistoryKeeper | None,
    feed: FeedParts,
    crew: Crew,
    bell: AlarmBell,
) -> dict[str, JobFactory]:
    """What runs beside Discord from the first moment; the stream is begun by `StreamControl`."""
    jobs: dict[str, JobFactory] = {"heartbeat": heartbeat.beat, "source-metrics": sources.report}
    jobs |= {} if settings.on_alarm is None else {"alarm": bell.run}
    jobs["freed-memory"] = partial(give_back_freed, runtime.clock)
    jobs |= {f"source-{source.name}": source.run for source in sources.polled}
    if (watch := _login_watch(bot, runtime)) is not None:
        jobs["schwab-login"] = watch.run
    if recorder is not None:
        jobs["recorder"] = recorder.run
    if history is not None:
        jobs["history"] = history.run
    if settings.gex_feed_enabled:
        jobs["gex-feed"] = partial(_run_feed, bot, feed, crew)
    if settings.gex_feed_enabled and settings.boards:
        jobs["opening"] = partial(_tell_opening, bot, runtime, force=settings.gex_feed_force_window)
    first, force = settings.tickers[0].name, settings.gex_feed_force_window
    priced = settings.gex_price_presence
    jobs["presence"] = Presence(bot, runtime.snapshots.latest, first, runtime.clock, force=force, priced=priced).run
    if settings.gex_price_nickname or settings.gex_price_channel_map:
        jobs["names"] = _name_plates(bot, runtime, settings, feed).run
    return jobs


def _name_plates(bot: GexBot, runtime: Runtime, settings: BotSettings, feed: FeedParts) -> NamePlates:
    named = settings.gex_price_channel_map.items()

    def keeps(guild_id: int) -> bool:
        """Each process its own servers; one that stands by hears of all of them, too."""
        return bot.gateway.hears_of(guild_id) if bot.gateway.count > 1 else 0 in feed.own

    return NamePlates(
        bot,
        runtime.snapshots.latest,
        runtime.clock,
        channels={channel_id: ticker for ticker, channels in named for channel_id in channels},
        nickname=settings.tickers[0].name if settings.gex_price_nickname else None,
        force=settings.gex_feed_force_window,
        leads=lambda: 0 in feed.own,
        keeps=keeps,
        tell=bot.tell_operators,
    )


def _audit(runtime: Runtime) -> AuditLog:
    about = "what was changed by commands"
    return AuditLog(RecentNotes(runtime.redis, keys.COMMAND_AUDIT, about=about, most=MOST, keep=KEEP), runtime.clock)


async def _look(
    process: Process,
    *,
    budget: IdentifyBudget,
    runtime: Runtime,
    control: StreamControl,
    supervisor: Supervisor,
    sources: Sources,
    crew: Crew,
) -> HealthLook:
    """How the process is; only Redis is asked."""
    bot, asked_s = process.bot, runtime.clock.monotonic()
    redis = await redis_health(runtime.redis)
    took_s = runtime.clock.monotonic() - asked_s
    return HealthLook(
        gateway_up=bot.gateway.is_up,
        latency_s=bot.latency if isfinite(bot.latency) else None,
        shards=bot.gateway.count,
        servers=len(bot.guilds),
        aways=bot.gateway.aways,
        sessions=await budget.used(),
        most_sessions=budget.most,
        lag_ms=process.heartbeat.worst_lag_ms,
        redis=redis,
        redis_ms=took_s * 1000,
        jobs=supervisor.status(),
        sources=sources.statuses(),
        stream=control.status(),
        unreachable=len(bot.mail.unreachable),
        process=crew.own,
        others=crew.others,
    )


def _status_of(recorder: Recorder | None) -> RecorderStatus | None:
    return None if recorder is None else recorder.status()


def _history_of(keeper: HistoryKeeper | None) -> HistoryStatus | None:
    return None if keeper is None else keeper.status()


def _reports(settings: BotSettings) -> ReadReports | None:
    files = HistoryFiles(settings.gex_history_path)

    async def reports(ticker: str) -> Sequence[DayReport]:
        return await asyncio.to_thread(files.reports, ticker)

    return reports if settings.gex_history else None


def _history_keeper(bot: GexBot, runtime: Runtime, settings: BotSettings) -> HistoryKeeper:
    order = HistoryOrder(
        path=settings.gex_history_path,
        max_mb=settings.gex_history_max_mb,
        tickers=frozenset(ticker.name for ticker in settings.tickers),
        recordings=settings.gex_record_path if settings.gex_record else None,
    )
    return HistoryKeeper(runtime.redis, runtime.clock, order, tell=bot.tell_operators, intake=runtime.snapshots.intake)


async def _tell_opening(bot: GexBot, runtime: Runtime, progress: Progress, *, force: bool) -> None:
    """Say in the log, and once for each opening to the operators, when a feed that is closed at the start opens."""
    decision = decide(runtime.clock.now(), force=force)
    sentence = opening_sentence(decision, prose=True)
    if sentence is None or decision.until is None:
        return
    _LOG.info("%s", opening_sentence(decision))
    await bot.logged_in.wait()
    told = Notes(runtime.redis, keys.FEED_TOLD, about=_TOLD)
    if await told.claim(f"opening {decision.until:%Y-%m-%d}", ttl=decision.until - runtime.clock.now()):
        bot.tell_operators(sentence)
    progress()


def _on_demand(runtime: Runtime, settings: BotSettings) -> OnDemand | None:
    return on_demand_source(runtime, per_minute=settings.gex_on_demand_per_minute)


async def _examine_login(runtime: Runtime) -> Sequence[str]:
    """What `token doctor` prints in a shell."""
    from streaming.commands.login.doctor import Doctor

    lines: list[str] = []
    await Doctor(
        runtime.settings, runtime.tokens, runtime.auth, http=runtime.http, clock=runtime.clock, say=lines.append
    ).examine()
    return lines


def _callback_port(runtime: Runtime, *, tell: Tell) -> "CallbackPort | None":
    """Where logins arrive by themselves, if the settings want that; without, no web server is imported for it."""
    if runtime.settings.schwab_callback_bind is None:
        return None
    from streaming.schwab.login.callback_port import callback_port

    pending = pending_login(runtime.settings, runtime.redis)
    return callback_port(runtime.settings, runtime.auth, runtime.clock, tell=tell, pending=pending)


def _login_watch(bot: GexBot, runtime: Runtime) -> LoginWatch | None:
    if runtime.auth is None:
        return None
    logins = StoredLogins(runtime.tokens, runtime.clock, app=runtime.auth.app)
    told = Notes(runtime.redis, keys.LOGIN_TOLD, about=_TOLD)
    return LoginWatch(
        runtime.auth,
        logins,
        told,
        tell=bot.tell_operators,
        clock=runtime.clock,
        zone=runtime.settings.operator_zone,
        ending=login_ending_text,
    )


def _feed(
    bot: GexBot,
    runtime: Runtime,
    settings: BotSettings,
    orders: FeedOrders,
    *,
    rng: random.Random,
    process: Process,
    loading: Callable[[Ticker], Loading | None],
    turns: Turns,
    crew: Crew,
) -> FeedParts:
    async def write_feed_metrics(part: FeedPart, mapping: Mapping[str, MetricValue]) -> None:
        own = hash_fields(METRICS, process)
        await write_metrics(runtime.redis, part.key(settings.gex_feed_metrics_key), {**mapping, **own})

    def silent(channel_id: int) -> bool:
        return manner_of_reposts(orders.current.get(channel_id), settings).silent

    def buttons(channel_id: int) -> Sequence[LiveButton]:
        order = orders.current.get(channel_id)
        wanted = order is not None and (settings.gex_feed_buttons if order.buttons is None else order.buttons)
        return live_buttons(order.tickers[0], order) if order is not None and wanted else ()

    def runner(part: FeedPart, lease: Lease) -> FeedRunner:
        return FeedRunner(
            orders,
            runtime.snapshots.only(orders.shows),
            partial(DiscordChannel, bot, silent=silent, buttons=buttons),
            Ledger(runtime.redis, lease, part=part),
            settings,
            runtime.clock,
            rng=rng,
            tell=bot.tell_operators,
            write_metrics=partial(write_feed_metrics, part) if settings.gex_feed_metrics_enabled else None,
            lease=lease,
            loading=loading,
            turns=turns,
            draw=partial(_illustrate, bot),
            part=part,
            handover=Handover(lease, runtime.clock, lambda: bool(crew.others), crew.stir),
        )

    whole = Lease(runtime.redis, keys.FEED_LEASE, crew.name, pause=crew.pause)
    return FeedParts(runner, whole, runtime.clock, BoardNotes(runtime.redis, runtime.clock))


async def _illustrate(bot: GexBot, order: BoardOrder) -> Illustration:
    """The picture that a live message is to have, of its first ticker."""
    request = PictureRequest(
        symbol=order.tickers[0], kind=order.picture or "strikes", scope=order.scope, weight=order.one_weight or "oi"
    )
    picture = await take_picture(bot.services, request, channel_id=order.channel_id)
    return Illustration(picture.png, picture.alt)


def _more_tickers(
    runtime: Runtime,
    settings: BotSettings,
    orders: FeedOrders,
    streamer: Streamer,
    on_demand: OnDemand | None,
    *,
    tell: Tell,
) -> MoreTickers:
    def make(tickers: Sequence[Ticker]) -> Sequence[SnapshotSource]:
        return Sources(runtime, tickers, streamer, rng=random.Random(), tell=tell).polled

    ask = None if on_demand is None else on_demand.snapshot
    stream = None if runtime.auth is None else streamer.serve_beside
    return MoreTickers(settings, orders, make, runtime.clock, ask=ask, stream=stream)


def _departures(bot: GexBot, runtime: Runtime, orders: FeedOrders) -> Departures:
    told = Notes(runtime.redis, keys.FEED_TOLD, about=_TOLD)
    return Departures(
        bot, orders, OrderStore(runtime.redis), told, runtime.clock, bot.tell_operators, hears_of=bot.gateway.hears_of
    )


async def _run_feed(bot: GexBot, feed: FeedParts, crew: Crew, progress: Progress) -> None:
    """One feed when the bot is one shard, else as many parts as there are shards, whoever keeps these."""
    await bot.gateway.planned.wait()
    progress()
    count = bot.gateway.count
    if count == 1:
        await feed.run()
    else:
        await feed.run(crew.portions([keys.feed_part(part, count) for part in range(count)]))


def _reported(bot: GexBot, feed: FeedParts, pacer: Pacer, share: CallShare, member: CrewMember) -> CrewMember:
    """What the bot's other processes and `/admin health` hear of this one."""
    connected = tuple(bot.gateway.connected)
    return msgspec.structs.replace(
        member,
        shards=bot.gateway.count,
        connected=connected,
        awaited=tuple(shard for shard in bot.gateway.own if shard not in connected),
        parts=tuple(feed.own),
        boards=feed.boards,
        rate_per_s=pacer.rate_per_s,
        calls_per_s=share.made_per_s,
        waiting=pacer.waiting,
    )


def _alerts(
    bot: GexBot, runtime: Runtime, settings: BotSettings, orders: FeedOrders, rng: random.Random
) -> tuple[AlertCommands, AlertCounters, dict[str, JobFactory]]:
    """What commands reach, what is counted, and the jobs that have to run for it."""

    def manner(target: Target) -> Manner:
        order = None if target.channel_id is None else orders.current.get(target.channel_id)
        return manner_of_alerts(order, settings)

    def watched(ticker: str) -> bool:
        return runner.watcher.watches(ticker)

    store, post = AlertStore(runtime.redis), AlertPost(bot, manner)
    runner = AlertRunner(
        runtime.snapshots.only(watched),
        store,
        post,
        runtime.clock,
        tell=bot.tell_operators,
        rng=rng,
        any_hour=settings.gex_feed_force_window,
        write_metrics=partial(write_metrics, runtime.redis, keys.ALERT_METRICS),
    )
    commands = AlertCommands(
        store,
        runner,
        post,
        runtime.clock,
        per_person=settings.alerts_per_person,
        per_channel=settings.alerts_per_channel,
    )
    told = Notes(runtime.redis, keys.ALERTS_TOLD, about="what owners of alerts were told")
    notice = MeasureNotice(runner, post, told, runtime.clock)
    jobs: dict[str, JobFactory] = {
        "alerts": partial(_once_logged_in, bot, runner.run),
        "alert-notice": partial(_once_logged_in, bot, notice.run),
    }
    return commands, runner.counters, jobs


async def _once_logged_in(bot: GexBot, job: JobFactory, progress: Progress) -> None:
    """A job that calls Discord, begun when that may be called."""
    await bot.logged_in.wait()
    await job(progress)


@asynccontextmanager
async def background(work: Coroutine[Any, Any, Any], name: str) -> AsyncIterator[asyncio.Task[Any]]:
    """Run something beside the block and end it with the block; its own error is the block's to read."""
    task = asyncio.create_task(work, name=name)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=_CLOSE_WITHIN_S)
