"""What commands may reach: the ports of the running process, handed to every cog as one record."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.settings import BotSettings
from bot.supervisor import Supervisor
from streaming.clock import Clock
from streaming.model import GexSnapshot, WeightName
from streaming.ports import SnapshotReader
from streaming.status import StreamReport, StreamStatus, TokenStatus

if TYPE_CHECKING:
    from bot.feed.metrics import FeedStatus


class StreamPort(Protocol):
    """The streamer as operators steer it."""

    async def start(self) -> StreamReport:
        """Start streaming, or say why not, within 3 s; starting twice is no error."""
        ...

    async def stop(self) -> StreamReport:
        """Stop streaming; stopping twice is no error."""
        ...

    def status(self) -> StreamStatus:
        """The state of this moment, without I/O."""
        ...


class TokenPort(Protocol):
    """The Schwab login as operators see it."""

    def status(self) -> TokenStatus:
        """What the stored login is worth now."""
        ...

    async def refresh(self) -> TokenStatus:
        """Spend the refresh token once; raises OperatorError or TransientError."""
        ...


class ChartPort(Protocol):
    """Where pictures come from."""

    async def strikes(self, snapshot: GexSnapshot, *, weight: WeightName = "vol", theme: str = "dark") -> bytes:
        """A PNG of exposure by strike with spot, zero gamma and walls."""
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
    tokens: TokenPort
    feed: FeedPort | None = None
