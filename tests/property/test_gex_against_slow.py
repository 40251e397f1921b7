"""Made-up chains at awkward hours against the definitions worked out slowly and separately."""

import itertools
import math
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from streaming.calendar import session_on, settle_at
from streaming.gex.engine import GexEngine
from streaming.option_chain import OptionChain
from streaming.symbols import parse_ticker
from tests.support.gex_checks import check_everything, check_flow
from tests.support.option_lines import Line, make_chain
from tests.support.slow_calendar import closes_early, is_closed
from tests.support.slow_changes import max_change, traded
from tests.support.slow_gex import NEW_YORK, Contract, SlowChain, SlowScope, settles

SPOT = 4300.0
FEW = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
ASOFS = tuple(
    datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)
    for text in (
        "2023-06-09T13:25",
        "2023-06-16T09:29:30",
        "2023-06-16T09:30",
        "2023-06-15T18:00",
        "2023-06-16T15:59:59",
        "2023-06-16T15:58",
        "2024-07-03T12:59:30",
        "2024-07-03T13:00",
        "2023-11-24T12:30",
        "2024-03-08T16:00",
        "2024-03-08T15:30",
        "2023-11-03T15:30",
        "2024-12-24T12:59",
    )
)
"""A plain Friday, the minutes around AM and PM settlement of a third Friday, half days, and clock changes."""
DAYS = (-1, 0, 1, 7, 30, 90, 91)
STEPS = (85, 92, 96, 98, 99, 100, 101, 102, 104, 108, 115)
"""Strikes in per cent of spot; few, so that calls and puts meet."""


@st.composite
def lines_at(draw: st.DrawFn, asof: datetime) -> list[Line]:
    """Lines of distinct contracts, some expired, some of bad volatility, some quoted on both sides."""
    today = asof.astimezone(NEW_YORK).date()
    keys = draw(
        st.lists(
            st.tuples(
                st.sampled_from(("SPX", "SPXW")),
                st.sampled_from(DAYS),
                st.sampled_from("CP"),
                st.sampled_from(STEPS),
            ),
            min_size=1,
            max_size=24,
            unique=True,
        )
    )
    usable = st.integers(5, 80).map(lambda percent: percent / 100.0)
    sentinel = st.sampled_from([0.0, 0.02, 0.015, 10.0, 26.001, -9.99, math.nan, math.inf])
    lines = []
    for root, days, side, step in keys:
        strike = SPOT * step / 100.0
        fair = max(SPOT * 1.004 - strike if side == "C" else strike - SPOT * 1.004, 0.0) + 20.0
        spread = draw(st.sampled_from((0.5, 0.5, -0.5, math.nan)))
        lines.append(
            Line(
                strike,
                side,
                draw(st.one_of(usable, usable, usable, sentinel)),
                draw(st.sampled_from((0.0, 1.0, 10.0, 500.0, 20_000.0))),
                draw(st.sampled_from((0.0, 3.0, 70.0, 9_000.0))),
                expiry=today + timedelta(days=days),
                root=root,
                bid=fair - spread,
                ask=fair + spread,
            )
        )
    return lines


def contracts(lines: Iterable[Line]) -> list[Contract]:
    return [
        Contract(
            line.root, line.expiry, line.side == "C", line.strike, line.iv, (line.oi, line.volume), line.bid, line.ask
        )
        for line in lines
    ]


def engine_of(chain: OptionChain, **options: object) -> GexEngine:
    engine = GexEngine(parse_ticker("SPX"), scope="full", **options)
    engine.on_chain(chain)
    return engine


@pytest.mark.parametrize("asof", ASOFS, ids=lambda asof: f"{asof.astimezone(NEW_YORK):%Y-%m-%dT%H%M%S}")
def test_every_figure_of_a_random_chain_is_what_the_definitions_give(asof: datetime):
    @settings(FEW, max_examples=40)
    @given(lines_at(asof), st.sampled_from(("quotes", "quotes", "otm", "line", "drop")))
    def check(lines: list[Line], rule: str) -> None:
        bad_iv, rule = ("drop", "line") if rule == "drop" else ("mirror", rule)
        engine = engine_of(make_chain(lines, spot=SPOT, asof=asof), volatility=rule, bad_iv=bad_iv)
        slow = SlowChain(contracts(lines), SPOT, asof, rule=rule, mirror=bad_iv == "mirror")
        check_everything(engine, engine.compute(asof), slow, roots=is_plain(slow))

    check()


def is_plain(slow: SlowChain) -> bool:
    """Whether 60 s bells of one point's width are out of the picture: a bisection of ±2e-5 is then exact enough."""
    return all(item.deviation > 0.002 for item in slow.priced)


@FEW
@given(st.integers(0, 365 * 12), st.booleans())
@example(day=(date(2024, 7, 3) - date(2019, 1, 1)).days, am=False)
@example(day=(date(2023, 7, 3) - date(2019, 1, 1)).days, am=False)
@example(day=(date(2021, 12, 24) - date(2019, 1, 1)).days, am=False)
def test_settlement_instants_are_those_of_a_calendar_of_our_own(day: int, am: bool):
    expiry = date(2019, 1, 1) + timedelta(days=day)
    if session_on(expiry) is not None:
        assert settle_at(expiry, am=am) == settles("SPX" if am else "SPXW", expiry)


def test_every_day_of_twelve_years_has_a_session_or_none_by_a_calendar_of_our_own():
    days = [date(2019, 1, 1) + timedelta(days=day) for day in range(365 * 12)]
    assert [day for day in days if (session_on(day) is None) != is_closed(day)] == []


def test_every_session_of_twelve_years_closes_when_it_should():
    days = [date(2019, 1, 1) + timedelta(days=day) for day in range(365 * 12)]
    wrong = [day for day in days if (s := session_on(day)) and (s.close_at.hour == 13) != closes_early(day)]
    assert wrong == []


gaps = st.lists(st.sampled_from((5, 10, 55, 60, 61, 119, 300, 370, 900, 1300)), min_size=1, max_size=14)


@settings(FEW, max_examples=25)
@given(gaps, st.randoms(use_true_random=False))
def test_max_change_over_any_gaps_is_what_the_rule_gives(seconds: list[int], random):
    start = datetime(2023, 6, 9, 14, 0, tzinfo=UTC)
    strikes = (4200.0, 4250.0, 4300.0, 4350.0)
    volumes = {(strike, side): 100.0 for strike in strikes for side in "CP"}
    engine = GexEngine(parse_ticker("SPX"), scope="full")
    past: list[tuple[datetime, dict[float, float]]] = []
    for passed in itertools.accumulate(seconds, initial=0):
        asof = start + timedelta(seconds=passed)
        volumes = {key: value + random.choice((0, 0, 5, 50)) for key, value in volumes.items()}
        lines = [Line(k, side, 0.15, 10, volume) for (k, side), volume in volumes.items()]
        engine.on_chain(make_chain(lines, spot=SPOT, asof=asof))
        snapshot = engine.compute(asof)
        slow = SlowChain(contracts(lines), SPOT, asof)
        ladder = SlowScope(slow, slow.scopes()["full"], 1).ladder()
        for found, expected in zip(snapshot.max_priors, max_change((asof, ladder), past), strict=True):
            if expected is None:
                assert found == (None, None)
            elif expected[1] == 0.0:
                assert found == (None, 0.0), "where nothing changed we name no strike"
            else:
                assert found == (expected[0], pytest.approx(expected[1] / 1e6, rel=1e-6, abs=1e-9))
        past.append((asof, ladder))


@settings(FEW, max_examples=40)
@given(gaps, st.randoms(use_true_random=False))
def test_flow_over_any_gaps_is_what_the_rule_gives(seconds: list[int], random):
    start = datetime(2023, 6, 9, 14, 0, tzinfo=UTC)
    volumes = {(strike, side): 100.0 for strike in (4200.0, 4250.0, 4300.0, 4350.0) for side in "CP"}
    engine = GexEngine(parse_ticker("SPX"), scope="full")
    heard: list[tuple[datetime, dict[tuple[float, str], float]]] = []
    for passed in itertools.accumulate(seconds, initial=0):
        asof, spot = start + timedelta(seconds=passed), SPOT + random.choice((-2, 0, 3))
        volumes = {key: max(value + random.choice((0, 0, 5, 50, -20)), 0.0) for key, value in volumes.items()}
        listed = {key: value for key, value in volumes.items() if key[0] != 4350.0 or random.random() < 0.8}
        heard.append((asof, listed))
        lines = [Line(k, side, 0.15, 10, volume) for (k, side), volume in listed.items()]
        engine.on_chain(make_chain(lines, spot=spot, asof=asof))
        snapshot = engine.compute(asof)
        slow = SlowScope(SlowChain(contracts(lines), spot, asof), [asof.date()], 1)
        expected = [*traded(asof, heard), listed]
        for place, (found, counts) in enumerate(zip(snapshot.flow, expected, strict=True)):
            check_flow(found, slow, counts)
            for strike, values in snapshot.flow_strikes:
                own = None if counts is None else pytest.approx(slow.flow(counts).get(strike, 0.0), abs=0.51)
                assert values[place] == own
