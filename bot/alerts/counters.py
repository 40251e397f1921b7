"""What the alerts of this process have done, for the telemetry hash and the log."""

from dataclasses import asdict, dataclass
from datetime import datetime

from streaming.bus.metrics_store import MetricValue


@dataclass(slots=True)
class AlertCounters:
    """Counts since the start of the process."""

    rules: int = 0
    snapshots: int = 0
    fired: int = 0
    """Claimed by this process."""
    lost_races: int = 0
    """Another bot was faster; nothing was lost."""
    waiting_for_claim: int = 0
    """Seen by this process while Redis was away; claimed when it is back."""
    unclaimed: int = 0
    """Given up, because Redis was away while ten thousand fired."""
    delivered: int = 0
    """Alerts; several may share a message."""
    messages: int = 0
    taken_back: int = 0
    """Messages that another process had sent while this one was paused."""
    retries: int = 0
    paused: int = 0
    """Targets found unreachable."""
    refused: int = 0
    """Alerts that Discord will never take."""
    outdated: int = 0
    """Alerts that nobody could send for half a day."""
    redis_failures: int = 0

    def mapping(self, now: datetime) -> dict[str, MetricValue]:
        """The fields of the telemetry hash."""
        return {**asdict(self), "updated_at": now}
