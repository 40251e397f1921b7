"""Choices between the lines of one date."""

from datetime import date

import pytest

from streaming.gex.engine import GexEngine
from streaming.model import ScopeFigures
from streaming.symbols import parse_ticker
from tests.support.option_lines import ASOF, Line, make_chain

THIRD_FRIDAY = date(2023, 6, 16)
WINGS = (
    (4200, "P", 0.2),
    (4250, "P", 0.18),
    (4290, "P", 0.17),
    (4310, "C", 0.16),
    (4350, "C", 0.15),
    (4400, "C", 0.14),
)


def figures(*lines: Line) -> ScopeFigures:
    engine = GexEngine(parse_ticker("SPX"), scope="all")
    engine.on_chain(make_chain(lines))
    return engine.compute(ASOF).scopes["all"]


def wings(root: str, shift: float = 0.0) -> list[Line]:
    """Out-of-the-money lines of both sides; `shift` is added to puts and twice to calls."""
    return [
        Line(strike, side, iv + shift * (1 if side == "P" else 2), 1, expiry=THIRD_FRIDAY, root=root)
        for strike, side, iv in WINGS
    ]


def test_the_risk_reversal_of_a_third_friday_is_that_of_its_pm_contracts():
    evening = figures(*wings("SPXW")).rr25
    assert evening < 0.0
    assert figures(*wings("SPXW"), *wings("SPX", -0.02)).rr25 == evening


def test_the_risk_reversal_is_that_of_the_am_contracts_when_no_pm_one_can_be_priced():
    morning = figures(*wings("SPX")).rr25
    bad = Line(4300, "C", 0.0, 1, expiry=THIRD_FRIDAY)
    assert morning < 0.0
    assert figures(*wings("SPX"), bad).rr25 == morning


def test_charm_per_day_is_unknown_where_a_line_that_counts_settles_within_a_day():
    friday, monday = Line(4300, "C", 0.12, 10, 0), Line(4320, "C", 0.12, 10, 70, expiry=date(2023, 6, 12))
    both, later = figures(friday, monday), figures(monday)
    assert (both.oi.chex_usd_per_day, both.oi.chex_usd_to_close != 0.0) == (None, True)
    assert both.vol.chex_usd_per_day == pytest.approx(later.vol.chex_usd_per_day)
    assert later.oi.chex_usd_per_day != 0.0


def test_a_line_that_settles_in_just_a_day_still_has_a_charm_per_day():
    def per_day(left_s: float) -> float | None:
        engine = GexEngine(parse_ticker("SPX"), scope="all")
        engine.on_chain(make_chain([Line(4320, "C", 0.12, 10)], settle_s=[ASOF.timestamp() + left_s]))
        return engine.compute(ASOF).scopes["all"].oi.chex_usd_per_day

    assert (per_day(86_400.0) is None, per_day(86_399.0) is None) == (False, True)


def test_walls_are_published_with_their_values():
    found = figures(Line(4350, "C", 0.15, 7), Line(4250, "P", 0.15, 5), Line(4250, "C", 0.15, 3)).oi
    assert (found.call_wall, found.put_wall) == (4350.0, 4250.0)
    assert found.call_wall_gross_usd_per_1pct == found.call_wall_above_usd_per_1pct == found.call_wall_usd_per_1pct
    assert found.put_wall_gross_usd_per_1pct == found.put_wall_below_usd_per_1pct
    assert found.put_wall_usd_per_1pct == pytest.approx(0.4 * found.put_wall_gross_usd_per_1pct)


def test_a_wall_that_does_not_exist_has_no_value():
    found = figures(Line(4350, "P", 0.15, 7)).oi
    assert found.put_wall_gross == 4350.0
    assert found.put_wall_below is found.put_wall_below_usd_per_1pct is None
    assert found.call_wall is found.call_wall_usd_per_1pct is found.call_wall_gross_usd_per_1pct is None
