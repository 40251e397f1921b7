"""Stand-ins for what the commands reach, and a bot built on them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from bot.alerts.alert_commands import AlertCommands
from bot.client import EXTENSIONS, GexBot
from bot.operate.audit import AuditLog
from bot.render.charts.chart_spec import Chart
from bot.render.health_text import HealthLook
from bot.servers.feed_commands import FeedCommands
from bot.servers.order_store import FeedOrders
from bot.services import Services
from bot.settings import BotSettings
from bot.supervisor import Supervisor
from bot.wire.crew import Crew
from bot.wire.identify_budget import IdentifyBudget
from streaming.clock import epoch_ms
from streaming.day_map import DayMap
from streaming.errors import GexcordError
from streaming.history.history_files import DayReport
from streaming.model import GexSnapshot, OnDemandMark, ScopeFigures, WeightFigures
from streaming.past import PastLevels, past_of
from streaming.schwab.login.oauth import LoginAttempt
from streaming.status import (
    HistoryStatus,
    Loading,
    RecorderStatus,
    SourceStatus,
    StreamReport,
    StreamStatus,
    SymbolList,
    TokenStatus,
)
from streaming.symbols import Ticker
from tests.support.clock import ManualClock

PNG = b"\x89PNG\r\n\x1a\n" + b"a picture"


def make_snapshot(ticker: str = "SPX", **changes: object) -> GexSnapshot:
    """A snapshot of the manual clock's first instant; `full` and `zero` differ in their zero gamma."""
    at = ManualClock().now()
    figures = {
        "full": ScopeFigures(
            ladder=((6380.0, 1e9, -1e9), (6400.0, 2e9, 3e9)),
            profile=((6300.0, -2e9, -1e9), (6500.0, 2e9, 1e9)),
            oi=WeightFigures(zero_gamma=6390.0, net_gex_usd_per_1pct=1.5e9),
            vol=WeightFigures(zero_gamma=6391.0, net_gex_usd_per_1pct=2.5e9),
        ),
        "zero": ScopeFigures(
            ladder=((6400.0, 5e8, 7e8),),
            oi=WeightFigures(zero_gamma=6400.0),
            vol=WeightFigures(zero_gamma=6401.0),
        ),
    }
    fields: dict[str, object] = {
        "ticker": ticker,
        "timestamp": int(at.timestamp()),
        "spot": 6395.25,
        "sum_gex_vol": 2500.0,
        "sum_gex_oi": 1500.0,
        "asof_ms": epoch_ms(at),
        "computed_ms": epoch_ms(at),
        "seq": 1,
        "source": "schwab",
        "scope": "full",
        "scopes": figures,
    }
    return GexSnapshot(**(fields | changes))  # type: ignore[arg-type]


@dataclass
class StoredSnapshots:
    """A `SnapshotReader` on a dict; `error` makes every read fail."""

    latest_by_ticker: dict[str, GexSnapshot] = field(default_factory=dict)
    history_by_ticker: dict[str, Sequence[GexSnapshot]] = field(default_factory=dict)
    asked: list[tuple[str, float, int]] = field(default_factory=list)
    """Ticker, minutes and most of every history that was asked for."""
    error: Exception | None = None

    async def latest(self, ticker: str) -> GexSnapshot | None:
        if self.error is not None:
            raise self.error
        return self.latest_by_ticker.get(ticker)

    async def history(self, ticker: str, *, minutes: float) -> Sequence[GexSnapshot]:
        return self.history_by_ticker.get(ticker, ())

    async def past(self, latest: GexSnapshot, *, minutes: float, most: int, strikes: bool) -> Sequence[PastLevels]:
        if self.error is not None:
            raise self.error
        self.asked.append((latest.ticker, minutes, most))
        return [past_of(seen) for seen in self.history_by_ticker.get(latest.ticker, ())]

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[AsyncIterator[GexSnapshot]]:
        raise NotImplementedError
        yield


@dataclass
class StandInStream:
    """A `StreamControl` that obeys and notes its orders."""

    orders: list[str] = field(default_factory=list)
    error: Exception | None = None

    async def start(self) -> StreamReport:
        return self._obey("start", "Connected: 2 symbols, first data after 40 ms.")

    async def stop(self) -> StreamReport:
        return self._obey("stop", "The stream has stopped.")

    async def restart(self) -> StreamReport:
        return self._obey("restart", "Connected: 2 symbols, first data after 50 ms.")

    def status(self) -> StreamStatus:
        return StreamStatus(state="live", symbols={"SPY": 0.4}, frames_per_s=12.0, published=77)

    def _obey(self, order: str, sentence: str) -> StreamReport:
        self.orders.append(order)
        if self.error is not None:
            raise self.error
        return StreamReport(ok=True, sentence=sentence)


@dataclass
class StandInSymbols:
    """A `SymbolControl` that notes its orders; `error` makes every one fail."""

    orders: list[tuple[str, str]] = field(default_factory=list)
    error: GexcordError | None = None

    async def add(self, text: str) -> StreamReport:
        return self._obey("add", text)

    async def remove(self, text: str) -> StreamReport:
        return self._obey("remove", text)

    async def list(self) -> SymbolList:
        return SymbolList(configured=("SPY",), added=("AAPL",), removed=("QQQ",), needed=("$SPX",))

    def _obey(self, order: str, text: str) -> StreamReport:
        self.orders.append((order, text))
        if self.error is not None:
            raise self.error
        return StreamReport(ok=True, sentence=f"{text}: done.")


@dataclass
class StandInLogin:
    """A `SchwabAuthClient` whose refresh and login work or raise."""

    error: GexcordError | None = None
    refreshes: int = 0
    finished: list[tuple[str, str]] = field(default_factory=list)

    def status(self) -> TokenStatus:
        now = ManualClock().now()
        return TokenStatus(
            configured=True,
            present=True,
            access_expires_at=now + timedelta(minutes=30),
            login_ends_at=now + timedelta(days=3),
        )

    async def refresh(self) -> TokenStatus:
        self.refreshes += 1
        if self.error is not None:
            raise self.error
        return self.status()

    def begin_login(self) -> LoginAttempt:
        ends_at = ManualClock().now() + timedelta(minutes=10)
        return LoginAttempt("https://schwab.example/authorize?state=s1", "s1", ends_at)

    async def finish_login(self, attempt: LoginAttempt, redirect_url: str) -> TokenStatus:
        self.finished.append((attempt.state, redirect_url))
        if self.error is not None:
            raise self.error
        return self.status()


@dataclass
class StandInCharts:
    """A `ChartWorker` that draws the same few bytes; notes what was asked of it."""

    drawn: list[Chart] = field(default_factory=list)
    error: Exception | None = None
    gate: asyncio.Event | None = None
    """Drawings wait for this, if there is one."""

    async def draw(self, chart: Chart) -> bytes:
        self.drawn.append(chart)
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        return PNG


@dataclass
class StandInOnDemand:
    """An `OnDemand` whose source knows any ticker, or raises; notes whom it was asked for."""

    asked: list[str] = field(default_factory=list)
    by_ticker: dict[str, GexSnapshot] = field(default_factory=dict)
    error: GexcordError | None = None

    async def kept(self, ticker: Ticker) -> GexSnapshot | None:
        return self.by_ticker.get(ticker.name)

    async def snapshot(self, ticker: Ticker) -> GexSnapshot:
        self.asked.append(ticker.name)
        if self.error is not None:
            raise self.error
        mark = OnDemandMark(asked_ms=epoch_ms(ManualClock().now()) - 12_000, expiries=4)
        found = self.by_ticker[ticker.name] = make_snapshot(ticker.name, on_demand=mark)
        return found


class MemoryNotes:
    """`RecentNotes` in a list."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.error: GexcordError | None = None

    async def add(self, text: str, _at_ms: int) -> None:
        if self.error is not None:
            raise self.error
        self.texts.insert(0, text)

    async def read(self, _now_ms: int) -> list[str]:
        return list(self.texts)


class MemoryFingerprints:
    """`Notes` on an attribute; `error` makes it fail."""

    def __init__(self) -> None:
        self.stored: str | None = None
        self.error: GexcordError | None = None

    async def get(self) -> str | None:
        if self.error is not None:
            raise self.error
        return self.stored

    async def set(self, fingerprint: str, /) -> None:
        if self.error is not None:
            raise self.error
        self.stored = fingerprint


@dataclass
class Host:
    """One bot and everything it stands on, to look at and to break."""

    settings: BotSettings
    clock: ManualClock = field(default_factory=ManualClock)
    snapshots: StoredSnapshots = field(default_factory=StoredSnapshots)
    stream: StandInStream = field(default_factory=StandInStream)
    symbols: StandInSymbols = field(default_factory=StandInSymbols)
    login: StandInLogin = field(default_factory=StandInLogin)
    charts: StandInCharts = field(default_factory=StandInCharts)
    fingerprints: MemoryFingerprints = field(default_factory=MemoryFingerprints)
    noted: MemoryNotes = field(default_factory=MemoryNotes)
    maps: dict[str, DayMap] = field(default_factory=dict)
    alerts: AlertCommands | None = None
    feed_desk: FeedCommands | None = None
    orders: FeedOrders | None = None
    on_demand: "StandInOnDemand | None" = None
    sources: tuple[SourceStatus, ...] = ()
    recorder: RecorderStatus | None = None
    history: HistoryStatus | None = None
    reports: dict[str, Sequence[DayReport]] | None = field(default_factory=dict)
    """What is kept of past days by ticker; None for no history at all."""
    supervisor: Supervisor | None = None
    budget: IdentifyBudget | None = None
    crew: Crew | None = None
    loading: dict[str, Loading] = field(default_factory=dict)
    """How far the first load of each ticker is."""

    async def _read_reports(self, ticker: str) -> Sequence[DayReport]:
        return (self.reports or {}).get(ticker, ())

    def make_bot(self, extensions: Sequence[str] = EXTENSIONS) -> GexBot:
        """A fresh bot on this host's services, as after a restart of the process."""
        bot = GexBot(
            self.settings,
            self.clock,
            fingerprints=self.fingerprints,
            extensions=extensions,
            budget=self.budget,
            crew=self.crew,
        )
        self.supervisor = Supervisor(clock=self.clock, tell=bot.tell_operators)
        bot.attach(self.services(self.supervisor))
        return bot

    def services(self, supervisor: Supervisor) -> Services:
        """What the bot's commands reach."""
        return Services(
            settings=self.settings,
            clock=self.clock,
            supervisor=supervisor,
            snapshots=self.snapshots,
            charts=self.charts,
            stream=self.stream,
            symbols=self.symbols,
            login=self.login,
            audit=AuditLog(self.noted, self.clock),  # type: ignore[arg-type]
            health=self.health,
            day_map=self.day_map,
            alerts=self.alerts,
            feed_desk=self.feed_desk,
            orders=self.orders,
            on_demand=self.on_demand,
            sources=lambda: self.sources,
            recorder=lambda: self.recorder,
            history=lambda: self.history,
            reports=None if self.reports is None else self._read_reports,
            loading=lambda ticker: self.loading.get(ticker.name),
        )

    async def health(self) -> HealthLook:
        """A process that is well."""
        return HealthLook(
            gateway_up=True, latency_s=0.04, shards=1, servers=1, aways=0, sessions=3, most_sessions=900, lag_ms=2.0,
            redis="ok", redis_ms=0.4, jobs=(), sources=self.sources, stream=self.stream.status(),
        )  # fmt: skip

    async def day_map(self, ticker: str) -> DayMap | None:
        """The map that a test has put there."""
        return self.maps.get(ticker)


def make_settings(**values: object) -> BotSettings:
    """Settings of two followed tickers and nothing from any file."""
    defaults: dict[str, object] = {"gex_feed_symbols": "SPX,NDX", "discord_operator_ids": (1,)}
    return BotSettings(_env_file=None, **(defaults | values))  # type: ignore[arg-type,call-arg]
