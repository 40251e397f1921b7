"""The stream's facts in the text format that Prometheus reads. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import exposition as client
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from streaming.bus.metrics_store import Metric
from streaming.telemetry.stream_metrics import METRICS, StreamFacts

CONTENT_TYPE = client.CONTENT_TYPE_PLAIN_0_0_4
Family = CounterMetricFamily | GaugeMetricFamily


def exposition(facts: StreamFacts) -> bytes:
    """The whole answer to a scrape; a figure that is not known has no sample."""
    return client.generate_latest(_Scrape(facts))


class _Scrape(Collector):
    """One answer."""

    def __init__(self, facts: StreamFacts) -> None:
        self._facts = facts

    def collect(self) -> Iterable[Family]:
        """Families that have a sample."""
        families = (_family(metric, name, self._facts) for metric in METRICS if (name := metric.scraped) is not None)
        return (family for family in families if family.samples)


def _family(metric: Metric[StreamFacts], name: str, facts: StreamFacts) -> Family:
    kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
    family = kind(f"gexcord_stream_{name}", metric.help, labels=metric.labels)
    value = metric.read(facts)
    for labels, figure in _samples(value if metric.figure is None else metric.figure(value)):
        family.add_metric(labels, figure)
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
