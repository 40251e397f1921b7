"""What the alerts of this process have done, for the telemetry hash and the log."""

from dataclasses import dataclass
from typing import Final

from streaming.bus.metrics_store import kept

METRICS: Final = (
    kept("rules", "Alerts that are set."),
    kept("snapshots", "Snapshots held against them."),
    kept("fired", "Alerts claimed by this process."),
    kept("lost_races", "Alerts for which another bot was faster; nothing was lost."),
    kept("waiting_for_claim", "Seen by this process while Redis was away; claimed when it is back."),
    kept("unclaimed", "Given up, because Redis was away while ten thousand fired."),
    kept("delivered", "Alerts sent; several may share a message."),
    kept("messages", "Messages sent."),
    kept("taken_back", "Messages that another process had sent while this one was paused."),
    kept("retries", "Attempts to send after one that failed."),
    kept("paused", "Targets found unreachable."),
    kept("refused", "Alerts that Discord will never take."),
    kept("outdated", "Alerts that nobody could send for half a day."),
    kept("redis_failures", "How often Redis did not answer."),
)
"""The hash `metrics:gex_alerts`, read off `AlertCounters`."""


@dataclass(slots=True)
class AlertCounters:
    """Counts since the start of the process; `METRICS` says of what."""

    rules: int = 0
    snapshots: int = 0
    fired: int = 0
    lost_races: int = 0
    waiting_for_claim: int = 0
    unclaimed: int = 0
    delivered: int = 0
    messages: int = 0
    taken_back: int = 0
    retries: int = 0
    paused: int = 0
    refused: int = 0
    outdated: int = 0
    redis_failures: int = 0
