from datetime import timedelta

import pytest

from streaming.sim.stream.numbered_rows import number
from streaming.sim.stream.option_rows import OptionRows
from streaming.sim.stream.tape_rows import ChartRows, EquityRows, FutureRows
from tests.data_builders.frames import bars, equities, future_image, options
from tests.support.frames import rows_of

OPTION = "SPXW  260820C06880000"
ALL = frozenset(map(str, range(60)))


def image(source, key):
    return source.fixed(key) | source.live((key,), ALL)[key]


def test_a_share_has_the_fields_of_production(still):
    assert set(image(EquityRows(still), "QQQ")) | {"key"} == set(rows_of(equities())[0])


def test_what_lives_of_a_share_is_what_production_changes(still):
    changed = {name for row in rows_of(equities()[1:]) for name in row}
    assert changed - {"key"} <= set(EquityRows(still).live(("QQQ",), ALL)["QQQ"])


def test_an_option_has_the_fields_of_production(still):
    assert set(image(OptionRows(still), OPTION)) | {"key"} == set(rows_of(options())[0])


def test_an_index_has_no_bid_ask_or_sizes(still):
    row = image(EquityRows(still), "$SPX")
    assert not {"1", "2", "4", "5", "9"} & set(row)
    assert row["3"] == 6880


def test_a_future_has_the_fields_of_a_full_image(still):
    row = image(FutureRows(still), "/NQ")
    assert set(future_image()) - {"key"} <= set(row)
    assert (row["31"], row["34"], row["26"]) == (20, "/NQU26", 5)


def test_an_unknown_future_says_so_and_an_unknown_share_says_nothing(still):
    assert FutureRows(still).fixed("/XX")["16"] == "Symbol not found"
    assert FutureRows(still).live(("/XX",), ALL) == {"/XX": {}}
    assert EquityRows(still).fixed("XYZ") is None
    assert (
        EquityRows(still).live(
            (
                "XYZ",
                "/ES",
            ),
            ALL,
        )
        == {}
    )


def test_field_zero_is_never_sent(still):
    for source, key in ((EquityRows(still), "SPY"), (OptionRows(still), OPTION), (FutureRows(still), "/ES")):
        assert "0" not in image(source, key)


def test_live_fields_come_in_ascending_order(still):
    for source, key in ((EquityRows(still), "SPY"), (OptionRows(still), OPTION), (FutureRows(still), "/ES")):
        names = list(map(int, source.live((key,), ALL)[key]))
        assert names == sorted(names)


def test_a_failed_model_shows_zero_volatility_in_the_stream(still):
    deep = still.board("$SPX").lines.symbol[0]
    assert OptionRows(still).live((deep,), ALL)[deep]["10"] == 0


def test_whole_numbers_have_no_decimal_point():
    assert [type(number(value)) for value in (221.0, 712.48, float("nan"))] == [int, float, int]


@pytest.mark.parametrize(("service", "key"), [("CHART_EQUITY", "$SPX"), ("CHART_FUTURES", "/ES")])
def test_bars_have_the_fields_of_production(spx, service, key):
    real = next(row for raw in bars() if service.encode() in raw for row in rows_of([raw]))
    spx.advance(spx.now + timedelta(seconds=61))
    assert set(ChartRows(spx, service).live((key,), ALL)[key]) | {"key"} == set(real)


def test_equity_bars_count_minutes_from_seven(spx):
    spx.advance(spx.now + timedelta(seconds=61))
    row = ChartRows(spx, "CHART_EQUITY").live(("$SPX",), ALL)["$SPX"]
    assert (row["1"], row["7"] % 60_000, row["8"]) == (210, 0, row["7"] // 86_400_000)
