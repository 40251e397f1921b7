import msgspec
import pytest

from bot.render.charts.chart_spec import KINDS, chart_decoder, chart_of
from tests.support.charts import NOON, day, past


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_travels_to_the_worker_and_is_told_apart_there(kind):
    seen = day(20)
    chart = chart_of(kind, seen[-1], past(seen), scope="full", weight="oi", theme="light", now=NOON)
    body = msgspec.msgpack.encode(chart)
    assert chart_decoder().decode(body) == chart
    assert msgspec.msgpack.decode(body)["type"] == kind
    assert chart.theme == "light"
    assert len(body) < 200_000


@pytest.mark.parametrize("kind", KINDS)
def test_equal_wishes_are_equal_requests(kind):
    charts = [
        chart_of(kind, day(20)[-1], past(day(20)), scope="full", weight="oi", theme="dark", now=NOON) for _ in range(2)
    ]
    assert msgspec.msgpack.encode(charts[0]) == msgspec.msgpack.encode(charts[1])
