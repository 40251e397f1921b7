import msgspec
import pytest

from bot.render.charts.chart_words import Asked
from bot.render.charts.kinds.expiries import expiries_chart
from streaming.errors import RequestError
from tests.support.charts import NOON, full_snapshot
from tests.support.feed import snapshot


def chart(seen, *, scope="all", weight="vol"):
    return expiries_chart(seen, Asked(scope=scope, weight=weight, theme="dark", now=NOON))


def test_rows_are_named_by_date_and_days_left_and_the_rest_is_summed():
    rows = chart(full_snapshot()).rows
    assert rows[0] == ("20 Aug · 0 d", 500.0)
    assert rows[9] == ("29 Aug · 9 d", -400.0)
    assert rows[10] == ("4 later", pytest.approx(-500 - 600 - 700 - 800))
    assert len(rows) == 11


def test_a_far_expiry_is_named_with_its_year():
    seen = full_snapshot()
    far = msgspec.structs.replace(seen.scopes["all"], by_expiry=(("2026-09-18", 5e8, 0.0), ("2027-12-17", 1e9, 0.0)))
    assert chart(full_snapshot(scopes=seen.scopes | {"all": far})).rows[-1] == ("17 Dec 27", 1000.0)


def test_only_the_expiries_of_the_scope_are_shown():
    rows = chart(full_snapshot(), scope="full").rows
    assert (rows[0], rows[1]) == (("20 Aug · 0 d", 500.0), ("21 Aug · 1 d", 400.0))
    assert "17 Dec 27" not in dict(rows)


def test_one_expiry_alone_is_refused_in_favour_of_its_strikes():
    with pytest.raises(RequestError, match=r"The scope zero is one expiry, 20 Aug · 0 d: ") as refused:
        chart(full_snapshot(), scope="zero")
    assert "strikes" in str(refused.value.remedy)


@pytest.mark.parametrize("seen", [snapshot(), snapshot(scope=None, scopes={})])
def test_a_producer_that_does_not_tell_expiries_apart_gets_no_picture(seen):
    with pytest.raises(RequestError, match="no figures by expiry"):
        chart(seen, scope="full")
