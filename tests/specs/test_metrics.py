"""The tables of metrics and the schema that other programs read say the same of each."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from bot import telemetry
from bot.alerts import counters
from bot.feed import feed_metrics
from streaming.bus.metrics_store import Metric
from streaming.history import keeper
from streaming.recording import recorder
from streaming.streamer import source_table
from streaming.telemetry import stream_metrics

SCHEMA = json.loads((Path(__file__).parents[2] / "specs" / "schemas" / "metrics.json").read_text())["$defs"]
STAMPS = {"feed": {"written_at"}, "alerts": {"updated_at"}}
"""When a hash was written, which no facts know."""
TABLES: dict[str, Iterable[Metric[Any]]] = {
    "stream": stream_metrics.METRICS,
    "feed": (*feed_metrics.METRICS, *telemetry.METRICS),
    "alerts": counters.METRICS,
    "recorder": recorder.METRICS,
    "history": keeper.METRICS,
}
PATTERNED: dict[str, tuple[str, Iterable[Metric[Any]]]] = {
    "feed": ("board:5:", feed_metrics.BOARD_METRICS),
    "sources": ("cboe:", source_table.METRICS),
}


def words(text: str) -> str:
    return text.rstrip(".").lower()


@pytest.mark.parametrize("table", TABLES)
def test_the_schema_has_every_metric_and_no_other(table):
    names = [metric.name for metric in TABLES[table] if metric.name is not None]
    assert len(names) == len(set(names))
    assert set(names) | STAMPS.get(table, set()) == set(SCHEMA[table]["properties"])


@pytest.mark.parametrize("table", TABLES)
def test_the_schema_describes_each_metric_in_the_same_words(table):
    known = SCHEMA[table]["properties"]
    told = {metric.name: words(metric.help) for metric in TABLES[table] if metric.name is not None}
    assert [name for name, said in told.items() if said not in known[name]["description"].lower()] == []


@pytest.mark.parametrize("table", PATTERNED)
def test_what_comes_once_for_each_board_or_source_has_one_pattern_in_the_same_words(table):
    prefix, metrics = PATTERNED[table]
    patterns = SCHEMA[table]["patternProperties"]
    for metric in (metric for metric in metrics if metric.name is not None):
        (found,) = (pattern for pattern in patterns if re.fullmatch(pattern, f"{prefix}{metric.name}"))
        assert words(metric.help) in patterns[found]["description"].lower()


def test_no_two_metrics_have_one_name_for_prometheus():
    for table in [*TABLES.values(), *(metrics for _, metrics in PATTERNED.values())]:
        scraped = [metric.scraped for metric in table if metric.scraped is not None]
        assert len(scraped) == len(set(scraped)) > 2


def test_every_counter_of_the_alerts_is_told():
    assert set(counters.AlertCounters.__slots__) == {metric.name for metric in counters.METRICS}
