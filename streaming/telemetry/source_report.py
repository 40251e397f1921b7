"""The sources' facts for the telemetry hash. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from streaming.bus.metrics_store import MetricValue
from streaming.status import SourceStatus
from streaming.telemetry.report import field


def source_metrics(statuses: Iterable[SourceStatus], at: datetime) -> Mapping[str, MetricValue]:
    """The fields of `metrics:gex_sources`: each source's under its name (specs/schemas/metrics.json)."""
    fields: dict[str, MetricValue] = {"updated_at": at}
    for status in statuses:
        own = {name: getattr(status, name) for name in SourceStatus.__dataclass_fields__ if name != "name"}
        fields |= {f"{status.name}:{name}": field(value) for name, value in own.items()}
    return fields
