"""What commands may reach: the ports of the running process, handed to every cog as one record."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.settings import BotSettings
from bot.supervisor import Supervisor
from streaming.clock import Clock
from streaming.errors import ConfigurationError
from streaming.ports import SnapshotReader
from streaming.schwab.login.oauth import LoginAttempt
from streaming.status import RecorderStatus, SourceStatus, StreamReport, StreamStatus, SymbolList, TokenStatus

if TYPE_CHECKING:
    from bot.alerts.alert_commands import AlertCommands
    from bot.feed.feed_metrics import FeedStatus
    from bot.render.charts.chart_spec import Chart


class StreamPort(Protocol):
    """The streamer as operators steer it."""

    async def start(self) -> StreamReport:
        """Start streaming, or say why not, within 3 s; starting twice is no error."""
        ...

    async def stop(self) -> StreamReport:
        """Stop streaming; stopping twice is no error."""
        ...

    async def restart(self) -> StreamReport:
        """Stop if need be, then start."""
        ...

    def status(self) -> StreamStatus:
        """The state of this moment, without I/O."""
        ...


class SymbolPort(Protocol):
    """What is streamed, as operators choose it; kept across restarts. Raises TransientError while Redis is away."""

    async def add(self, text: str) -> StreamReport:
        """Stream more symbols; RequestError for what is no symbol."""
        ...

    async def remove(self, text: str) -> StreamReport:
        """Stream symbols no longer; RequestError for what is not streamed or what a board needs."""
        ...

    async def list(self) -> SymbolList:
        """What is streamed, and why."""
        ...


class LoginPort(Protocol):
    """The Schwab login as operators see it (`streaming.schwab.login.auth_client`)."""

    def status(self) -> TokenStatus:
        """What the stored login is worth now."""
        ...

    async def refresh(self) -> object:
        """Spend the refresh token once; raises OperatorError or TransientError."""
        ...

    def begin_login(self) -> LoginAttempt:
        """A link to Schwab's login page, good for ten minutes."""
        ...

    async def finish_login(self, attempt: LoginAttempt, redirect_url: str) -> object:
        """Turn the address a browser came back to into a stored login; raises as `refresh`, and RequestError."""
        ...


class ChartPort(Protocol):
    """Where pictures come from."""

    async def draw(self, chart: "Chart") -> bytes:
        """A PNG of what the chart says; TransientError or ContractError when there is none."""
        ...


class FeedPort(Protocol):
    """The boards as commands see them."""

    def status(self) -> "FeedStatus":
        """What every board last did, without I/O."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a cog is given."""

    settings: BotSettings
    clock: Clock
    supervisor: Supervisor
    snapshots: SnapshotReader
    charts: ChartPort
    stream: StreamPort
    symbols: SymbolPort
    login: LoginPort | None
    """None without an app of Schwab's."""
    feed: FeedPort | None = None
    alerts: "AlertCommands | None" = None
    sources: Callable[[], tuple[SourceStatus, ...]] = tuple
    """Where the snapshots come from, without I/O."""
    recorder: Callable[[], RecorderStatus | None] = lambda: None
    """What was recorded, without I/O; None when nothing is to be."""

    def schwab_login(self) -> LoginPort:
        """The login to renew; ConfigurationError without an app of Schwab's."""
        if self.login is None:
            raise ConfigurationError(
                "SCHWAB_CLIENT_ID and SCHWAB_CLIENT_SECRET are not set.", remedy="Set them in .env and restart the bot."
            )
        return self.login

    def login_status(self) -> TokenStatus:
        """What the stored login is worth now."""
        return TokenStatus(configured=False, present=False) if self.login is None else self.login.status()
