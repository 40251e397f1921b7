"""What commands may reach: the parts of the running process, handed to every cog as one record."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.settings import BotSettings
from bot.supervisor import Supervisor
from streaming.clock import Clock
from streaming.day_map import DayMap
from streaming.errors import ConfigurationError
from streaming.history.history_files import DayReport
from streaming.ports import SnapshotReader
from streaming.status import HistoryStatus, Loading, RecorderStatus, SourceStatus, TokenStatus
from streaming.symbols import Ticker

if TYPE_CHECKING:
    from bot.alerts.alert_commands import AlertCommands
    from bot.feed.feed_parts import FeedParts
    from bot.operate.audit import AuditLog
    from bot.operate.stream_control import StreamControl, SymbolControl
    from bot.render.charts.chart_client import ChartWorker
    from bot.render.health_text import HealthLook
    from bot.servers.feed_commands import FeedCommands
    from bot.servers.order_store import FeedOrders
    from streaming.schwab.login.auth_client import SchwabAuthClient
    from streaming.schwab.login.served_callback import ServedCallback
    from streaming.sources.on_demand import OnDemand


ReadReports = Callable[[str], Awaitable[Sequence[DayReport]]]
"""What is kept of each past day of a ticker, oldest first; OperatorError where the folder cannot be read."""


async def _no_map(_ticker: str) -> DayMap | None:
    return None


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a cog is given."""

    settings: BotSettings
    clock: Clock
    supervisor: Supervisor
    snapshots: SnapshotReader
    charts: "ChartWorker"
    stream: "StreamControl"
    symbols: "SymbolControl"
    login: "SchwabAuthClient | None"
    """None without an app of Schwab's."""
    audit: "AuditLog"
    health: Callable[[], Awaitable["HealthLook"]]
    """How the process is; asks Redis and nobody else."""
    bot_name: Callable[[], str | None] = lambda: None
    """What the bot is called on Discord; None before it is logged in."""
    callback: "ServedCallback | None" = None
    """Where a login arrives by itself, in the process that has the port; None where none shall."""
    examine_login: Callable[[], Awaitable[Sequence[str]]] | None = None
    """Finds out why a login does not work, a line for each finding; None in a bot that cannot."""
    day_map: Callable[[str], Awaitable[DayMap | None]] = _no_map
    """The newest map of the rest of a ticker's session, if its figures are computed by an engine of ours."""
    feed: "FeedParts | None" = None
    feed_desk: "FeedCommands | None" = None
    """What `/feed` does; None while no live message is kept."""
    orders: "FeedOrders | None" = None
    """Every live message that is wanted; None in a bot that keeps none."""
    alerts: "AlertCommands | None" = None
    on_demand: "OnDemand | None" = None
    """Asks for tickers that nobody follows; None where that is turned off or no source can be asked."""
    sources: Callable[[], tuple[SourceStatus, ...]] = tuple
    """Where the snapshots come from, without I/O."""
    recorder: Callable[[], RecorderStatus | None] = lambda: None
    """What was recorded, without I/O; None when nothing is to be."""
    history: Callable[[], HistoryStatus | None] = lambda: None
    """The same of the history over days."""
    reports: ReadReports | None = None
    """None when no history is kept."""
    loading: Callable[[Ticker], Loading | None] = lambda _: None
    """How far the first load of a ticker's chains is, without I/O; None once it is over, and of other sources."""

    def schwab_login(self) -> "SchwabAuthClient":
        """The login to renew; ConfigurationError without an app of Schwab's."""
        if self.login is None:
            raise ConfigurationError(
                "SCHWAB_CLIENT_ID and SCHWAB_CLIENT_SECRET are not set.", remedy="Set them in .env and restart the bot."
            )
        return self.login

    @property
    def arriving(self) -> "ServedCallback | None":
        """Where a login that is begun now arrives by itself; None while its address has to be pasted."""
        return self.callback if self.callback is not None and self.callback.is_served else None

    def login_status(self) -> TokenStatus:
        """What the stored login is worth now."""
        return TokenStatus(configured=False, present=False) if self.login is None else self.login.status()

    async def examined_login(self) -> Sequence[str]:
        """Why the login does not work; ConfigurationError in a bot that cannot find out."""
        if self.examine_login is None:
            raise ConfigurationError("This bot has no Schwab login to examine.")
        return await self.examine_login()
