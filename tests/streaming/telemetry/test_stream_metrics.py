import json
from pathlib import Path

from streaming.telemetry.stream_metrics import METRICS

SCHEMAS = Path(__file__).resolve().parents[3] / "specs" / "schemas"
FIELDS = json.loads((SCHEMAS / "metrics.json").read_text())["$defs"]["stream"]["properties"]


def test_the_schema_has_every_metric_and_no_other():
    names = [metric.name for metric in METRICS if metric.name is not None]
    assert len(names) == len(set(names))
    assert set(names) == set(FIELDS)


def test_the_schema_describes_each_metric_in_the_same_words():
    told = {metric.name: metric.help.rstrip(".").lower() for metric in METRICS if metric.name in FIELDS}
    assert [name for name, words in told.items() if words not in FIELDS[name]["description"].lower()] == []


def test_no_two_metrics_have_one_name_for_prometheus():
    scraped = [metric.scraped for metric in METRICS if metric.scraped is not None]
    assert len(scraped) == len(set(scraped)) > 25
