"""What the alerts of this process have done, for the telemetry hash and the log."""

from dataclasses import dataclass
from typing import Final

from streaming.bus.metrics_store import kept

METRICS: Final = (
    kept("rules", "Alerts that are set.", "rules"),
    kept("snapshots", "Snapshots held against them.", "snapshots_total"),
    kept("fired", "Alerts claimed by this process.", "fired_total"),
    kept("lost_races", "Alerts for which another bot was faster; nothing was lost.", "lost_races_total"),
    kept(
        "waiting_for_claim", "Seen by this process while Redis was away; claimed when it is back.", "waiting_for_claim"
    ),
    kept("unclaimed", "Given up, because Redis was away while ten thousand fired.", "unclaimed_total"),
    kept("delivered", "Alerts sent; several may share a message.", "delivered_total"),
    kept("messages", "Messages sent.", "messages_total"),
    kept("taken_back", "Messages that another process had sent while this one was paused.", "taken_back_total"),
    kept("retries", "Attempts to send after one that failed.", "retries_total"),
    kept("paused", "Targets found unreachable.", "paused_total"),
    kept("refused", "Alerts that Discord will never take.", "refused_total"),
    kept("outdated", "Alerts that nobody could send for half a day.", "outdated_total"),
    kept("redis_failures", "How often Redis did not answer.", "redis_failures_total"),
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
