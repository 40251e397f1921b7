"""Tables of metrics in the text format that Prometheus reads. Pure, but for the memory of this process."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import exposition as client
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from streaming.bus.metrics_store import Metric

CONTENT_TYPE = client.CONTENT_TYPE_PLAIN_0_0_4


@dataclass(frozen=True, slots=True)
class MetricTable:
    """What one table of metrics is read off: one look, or one for each thing that the labels name."""

    prefix: str
    """Its metrics are called `gexcord_<prefix>_<scraped>`."""
    metrics: Sequence[Metric[Any]]
    looks: Sequence[tuple[tuple[str, ...], Any]]
    """Values of `labels`, and facts."""
    labels: tuple[str, ...] = ()


def one(prefix: str, metrics: Sequence[Metric[Any]], facts: object) -> MetricTable:
    """A table of one look; of none when there are no facts."""
    return MetricTable(prefix, metrics, () if facts is None else (((), facts),))


def exposition(tables: Iterable[MetricTable]) -> bytes:
    """The whole answer to a scrape; a figure that is not known has no sample."""
    return client.generate_latest(_Scrape(tables))


class _Scrape(Collector):
    """One answer."""

    def __init__(self, tables: Iterable[MetricTable]) -> None:
        self._tables = tables

    def collect(self) -> Iterable[Family]:
        """Families that have a sample, then what the system knows of this process (Linux only)."""
        for table in self._tables:
            yield from filter(lambda family: family.samples, _families(table))
        yield from ProcessCollector(registry=None).collect()


def _families(table: MetricTable) -> Iterator[Family]:
    return (_family(table, metric, metric.scraped) for metric in table.metrics if metric.scraped is not None)


def _family(table: MetricTable, metric: Metric[Any], name: str) -> Family:
    kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
    family = kind(f"gexcord_{table.prefix}_{name}", metric.help, labels=(*table.labels, *metric.labels))
    for labels, facts in table.looks:
        value = metric.read(facts)
        for more, figure in _samples(value if metric.figure is None else metric.figure(value)):
            family.add_metric((*labels, *more), figure)
    return family


def _samples(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], float]]:
    """Labels and figure of each known part."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _samples(part, (*path, name))
    elif isinstance(value, str):
        yield (*path, value), 1.0
    elif isinstance(value, int | float):
        yield path, float(value)
