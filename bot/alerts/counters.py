"""What the alerts of this process have done, for the telemetry hash and the log."""

from dataclasses import dataclass, field, fields
from typing import Any, Final

from streaming.bus.metrics_store import kept


def _gauge(words: str) -> Any:
    return field(default=0, metadata={"words": words})


def _count(words: str) -> Any:
    return field(default=0, metadata={"words": words, "suffix": "_total"})


@dataclass(slots=True)
class AlertCounters:
    """Counts since the start of the process."""

    rules: int = _gauge("Alerts that are set.")
    snapshots: int = _count("Snapshots held against them.")
    fired: int = _count("Alerts claimed by this process.")
    lost_races: int = _count("Alerts for which another bot was faster; nothing was lost.")
    waiting_for_claim: int = _gauge("Seen by this process while Redis was away; claimed when it is back.")
    unclaimed: int = _count("Given up, because Redis was away while ten thousand fired.")
    delivered: int = _count("Alerts sent; several may share a message.")
    messages: int = _count("Messages sent.")
    taken_back: int = _count("Messages that another process had sent while this one was paused.")
    retries: int = _count("Attempts to send after one that failed.")
    paused: int = _count("Targets found unreachable.")
    refused: int = _count("Alerts that Discord will never take.")
    outdated: int = _count("Alerts that nobody could send for half a day.")
    redis_failures: int = _count("How often Redis did not answer.")


METRICS: Final = tuple(
    kept(it.name, it.metadata["words"], f"{it.name}{it.metadata.get('suffix', '')}") for it in fields(AlertCounters)
)
"""The hash `metrics:gex_alerts`, read off the counters."""
