"""What each of our processes tells of itself, whatever it does."""

from typing import Final, NamedTuple

from streaming import __version__
from streaming.bus.metrics_store import Metric


class ProcessFacts(NamedTuple):
    """One look."""

    loop_lag_ms: float
    version: str = __version__


METRICS: Final[tuple[Metric[ProcessFacts], ...]] = (
    Metric(None, "info", lambda it: it.version, "Which version runs.", labels=("version",)),
    Metric(None, "loop_lag_milliseconds", lambda it: it.loop_lag_ms, "Worst lateness of the event loop in a minute."),
)
