"""When each root settles on each date, and the forward it is priced with."""

from datetime import date, timedelta

import pytest

from streaming.gex.engine import GexEngine
from streaming.symbols import parse_ticker
from tests.support.option_lines import ASOF, TODAY, Line, make_chain

THIRD_FRIDAY = date(2023, 6, 16)
HALF_DAY = date(2023, 7, 3)


def series(*lines: Line) -> dict[tuple[str, str], dict[str, object]]:
    engine = GexEngine(parse_ticker("SPX"), scope="all")
    assert engine.series() == []
    engine.on_chain(make_chain(lines))
    engine.compute(ASOF)
    return {(row["root"], row["expiry"]): row for row in engine.series()}


def test_the_root_decides_between_morning_and_close():
    found = series(
        Line(4300, "C", 0.11, 1, expiry=THIRD_FRIDAY, root="SPX"),
        Line(4300, "C", 0.11, 1, expiry=THIRD_FRIDAY),
        Line(4300, "C", 0.11, 1, expiry=HALF_DAY),
    )
    settles = {key: (row["settlement"], row["settles_at"]) for key, row in found.items()}
    assert settles == {
        ("SPX", "2023-06-16"): ("AM", "2023-06-16T09:30:00-04:00"),
        ("SPXW", "2023-06-16"): ("PM", "2023-06-16T16:00:00-04:00"),
        ("SPXW", "2023-07-03"): ("PM", "2023-07-03T13:00:00-04:00"),
    }
    assert found["SPX", "2023-06-16"]["years"] == pytest.approx(0.018730974124810)
    assert found["SPXW", "2023-06-16"]["years"] == pytest.approx(0.019472983257230)


def test_a_settled_series_is_left_out():
    found = series(Line(4300, "C", 0.11, 1), Line(4300, "C", 0.11, 1, expiry=TODAY - timedelta(days=1)))
    assert list(found) == [("SPXW", "2023-06-09")]


def test_the_forward_is_that_of_parity_where_quotes_allow():
    found = series(
        Line(4300, "C", 0.11, 1, bid=30.0, ask=31.0),
        Line(4300, "P", 0.11, 1, bid=20.0, ask=21.0),
        Line(4300, "C", 0.11, 1, expiry=THIRD_FRIDAY),
    )
    assert (found["SPXW", "2023-06-09"]["forward"], found["SPXW", "2023-06-09"]["forward_mode"]) == (4310.0, "parity")
    assert (found["SPXW", "2023-06-16"]["forward"], found["SPXW", "2023-06-16"]["forward_mode"]) == (4300.0, "spot")
    assert found["SPXW", "2023-06-09"]["contracts"] == 2
