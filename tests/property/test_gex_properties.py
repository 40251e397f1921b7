"""The ten checks of gex.md §18 on chains that hypothesis makes up."""

import dataclasses
import math
from datetime import date, timedelta

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from streaming.gex.engine import GexEngine
from streaming.gex.pricing import charm, delta, gamma, vanna
from streaming.model import SCOPES, GexSnapshot, ScopeFigures, WeightFigures
from streaming.symbols import parse_ticker
from tests.support.option_lines import ASOF, TODAY, Line, make_chain

SPOT = 4300.0
DAYS = (TODAY, TODAY + timedelta(days=3), date(2023, 6, 16), date(2023, 9, 15), date(2023, 12, 15))
ROOTS = ("SPX", "SPXW")
FEW = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

strikes = st.integers(70, 130).map(lambda step: step * SPOT / 100.0)
lots = st.integers(0, 20_000).map(float)
usable = st.integers(5, 80).map(lambda percent: percent / 100.0)
sentinel = st.sampled_from([0.0, 0.02, 10.0, 26.001, -9.99, float("nan"), float("inf")])
expiries = st.sampled_from(DAYS)


def lines_with(iv: st.SearchStrategy[float]) -> st.SearchStrategy[Line]:
    return st.builds(
        Line, strike=strikes, side=st.sampled_from("CP"), iv=iv, oi=lots, volume=lots, expiry=expiries,
        root=st.sampled_from(ROOTS),
    )  # fmt: skip


chains = st.lists(lines_with(usable), min_size=1, max_size=25)
dirty_chains = st.lists(lines_with(usable | sentinel), min_size=0, max_size=25)


def compute(lines: list[Line], *, spot: float = SPOT) -> GexSnapshot:
    engine = GexEngine(parse_ticker("SPX"), scope="all")
    engine.on_chain(make_chain(lines, spot=spot))
    return engine.compute(ASOF)


def both(figures: ScopeFigures) -> tuple[WeightFigures, WeightFigures]:
    return figures.oi, figures.vol


def pairs(one: GexSnapshot, two: GexSnapshot):
    for scope in SCOPES:
        yield from zip(both(one.scopes[scope]), both(two.scopes[scope]), strict=True)


def close(one: float | None, two: float | None, gross: float | None, rel: float = 1e-9) -> bool:
    if one is None or two is None:
        return one is two
    return math.isclose(one, two, rel_tol=rel, abs_tol=rel * max(gross or 0.0, 1e-300))


def same_roots(one: WeightFigures, two: WeightFigures, factor: float = 1.0) -> bool:
    """Roots where the total is firmly off zero on both sides; a touch may count as two roots or as none."""
    if len(one.zero_gamma_roots) != len(two.zero_gamma_roots):
        return False
    return np.allclose(np.array(one.zero_gamma_roots) * factor, two.zero_gamma_roots, rtol=1e-7, atol=0.0)


@FEW
@given(chains)
def test_1_swapping_calls_and_puts_turns_every_sign(lines: list[Line]):
    swapped = [dataclasses.replace(line, side="P" if line.side == "C" else "C") for line in lines]
    for mine, theirs in pairs(compute(lines), compute(swapped)):
        gross = mine.gross_gex_usd_per_1pct
        if mine.net_gex_usd_per_1pct is None:
            assert theirs.net_gex_usd_per_1pct is None
            continue
        assert close(mine.net_gex_usd_per_1pct, -theirs.net_gex_usd_per_1pct, gross)
        assert (mine.major_pos, mine.major_neg) == (theirs.major_neg, theirs.major_pos)
        assert same_roots(mine, theirs)
        assert mine.zero_gamma_directions == tuple(-direction for direction in theirs.zero_gamma_directions)


@FEW
@given(chains)
def test_2_doubling_weights_doubles_sums_and_leaves_levels(lines: list[Line]):
    doubled = [dataclasses.replace(line, oi=2 * line.oi, volume=2 * line.volume) for line in lines]
    for mine, theirs in pairs(compute(lines), compute(doubled)):
        if mine.net_gex_usd_per_1pct is not None:
            assert close(2 * mine.net_gex_usd_per_1pct, theirs.net_gex_usd_per_1pct, mine.gross_gex_usd_per_1pct)
        assert (mine.major_pos, mine.major_neg) == (theirs.major_pos, theirs.major_neg)
        assert same_roots(mine, theirs)


@FEW
@given(chains, st.sampled_from([0.5, 2.0, 4.0]))
def test_2_scaling_prices_scales_sums_and_levels(lines: list[Line], factor: float):
    scaled = [dataclasses.replace(line, strike=line.strike * factor) for line in lines]
    for mine, theirs in pairs(compute(lines), compute(scaled, spot=SPOT * factor)):
        if mine.net_gex_usd_per_1pct is None:
            continue
        gross = mine.gross_gex_usd_per_1pct
        assert close(mine.net_gex_usd_per_1pct, theirs.net_gex_usd_per_1pct / factor, gross)
        assert mine.major_pos is None or mine.major_pos * factor == theirs.major_pos
        assert same_roots(mine, theirs, factor)


@FEW
@given(chains, st.randoms())
def test_3_order_and_split_lines_change_nothing(lines: list[Line], random):
    distinct = list({line.symbol: line for line in lines}.values())
    halves = [dataclasses.replace(line, oi=line.oi / 2, volume=line.volume / 2) for line in distinct for _ in "ab"]
    random.shuffle(halves)
    for mine, theirs in pairs(compute(distinct), compute(halves)):
        gross = mine.gross_gex_usd_per_1pct
        assert close(mine.net_gex_usd_per_1pct, theirs.net_gex_usd_per_1pct, gross, 1e-12)
        assert (mine.major_pos, mine.major_neg) == (theirs.major_pos, theirs.major_neg)
        assert same_roots(mine, theirs)


# Any chain will do; lines of root SPX that expire today have settled at 09:30.
@FEW
@given(chains, strikes, sentinel)
def test_4_lines_that_do_not_count_change_only_the_quality(lines: list[Line], strike: float, iv: float):
    living = [line for line in lines if (line.root, line.expiry) != ("SPX", TODAY)]
    assume(living)
    one = living[0]
    idle = [
        Line(strike, "C", 0.2, 500, 500, expiry=TODAY - timedelta(days=1)),
        dataclasses.replace(one, oi=0.0, volume=0.0),
    ]
    other = "SPX" if one.root == "SPXW" else "SPXW"
    if (one.strike, one.expiry, other) not in {(line.strike, line.expiry, line.root) for line in lines}:
        idle.append(dataclasses.replace(one, iv=iv, root=other))
    before, after = compute(lines), compute([*lines, *idle])
    for mine, theirs in pairs(before, after):
        assert close(mine.net_gex_usd_per_1pct, theirs.net_gex_usd_per_1pct, mine.gross_gex_usd_per_1pct, 1e-12)
        assert (mine.major_pos, mine.major_neg) == (theirs.major_pos, theirs.major_neg)
        assert same_roots(mine, theirs)
    assert after.scopes["all"].contracts > before.scopes["all"].contracts


@FEW
@given(chains)
def test_5_the_sign_beside_each_root_agrees_with_its_direction(lines: list[Line]):
    figures = compute(lines).scopes["all"].oi
    for level, direction in zip(figures.zero_gamma_roots, figures.zero_gamma_directions, strict=True):
        gap = 1e-6 * level
        if min((abs(level - other) for other in figures.zero_gamma_roots if other != level), default=1.0) < 4 * gap:
            continue
        above = compute(lines, spot=level + gap).scopes["all"].oi.net_gex_usd_per_1pct
        below = compute(lines, spot=level - gap).scopes["all"].oi.net_gex_usd_per_1pct
        # Exactly 0 is underflow: two bells so far apart that nothing is left between them.
        assert above * direction >= 0.0 >= below * direction


@FEW
@given(dirty_chains)
def test_6_the_sum_is_the_ladders_and_the_expiries(lines: list[Line]):
    engine = GexEngine(parse_ticker("SPX"), scope="all")
    engine.on_chain(make_chain(lines, spot=SPOT))
    figures = engine.compute(ASOF).scopes["all"]
    for place, mine in ((1, figures.vol), (2, figures.oi)):
        if mine.net_gex_usd_per_1pct is None:
            continue
        gross = mine.gross_gex_usd_per_1pct
        assert close(mine.net_gex_usd_per_1pct, math.fsum(row[place] for row in engine.ladder("all")), gross)
        assert close(mine.net_gex_usd_per_1pct, math.fsum(row[place] for row in figures.by_expiry), gross)


@FEW
@given(usable, st.sampled_from([date(2023, 6, 16), date(2023, 7, 21), date(2023, 12, 15)]))
def test_7_a_morning_line_moved_to_the_close_has_less_gamma_at_the_money(iv: float, expiry: date):
    morning, evening = (
        compute([Line(SPOT, "C", iv, 100, expiry=expiry, root=root)]).scopes["all"].oi.net_gex_usd_per_1pct
        for root in ("SPX", "SPXW")
    )
    assert 0.0 < evening < morning


@FEW
@given(
    moneyness=st.floats(0.8, 1.2), iv=st.floats(0.08, 0.6), years=st.floats(0.02, 2.0), rate=st.floats(-0.02, 0.06),
    dividend=st.floats(0.0, 0.04), call=st.booleans(),
)  # fmt: skip
def test_8_differences_of_delta_are_gamma_vanna_and_charm(
    moneyness: float, iv: float, years: float, *, rate: float, dividend: float, call: bool
):
    strike, step, rates = 100.0 * moneyness, 1e-5, {"rate": rate, "dividend": dividend}

    def at(spot: float = 100.0, own: float = iv, left: float = years) -> float:
        return float(delta(spot, strike, own, left, call, **rates))

    assert (at(spot=100.001) - at(spot=99.999)) / 0.002 == pytest.approx(
        float(gamma(100.0, strike, iv, years, **rates)), abs=1e-6
    )
    assert (at(own=iv + step) - at(own=iv - step)) / (2 * step) == pytest.approx(
        float(vanna(100.0, strike, iv, years, **rates)), abs=1e-6
    )
    assert (at(left=years - step) - at(left=years + step)) / (2 * step) == pytest.approx(
        float(charm(100.0, strike, iv, years, call, **rates)), rel=1e-3, abs=1e-5
    )


@FEW
@given(dirty_chains)
def test_9_bad_volatilities_never_make_a_figure_nan(lines: list[Line]):
    text = msgspec.json.encode(compute(lines)).decode()
    figures = msgspec.json.decode(text)
    assert "NaN" not in text

    def numbers(value: object):
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            for item in value:
                yield from numbers(item)
        elif isinstance(value, float):
            yield value

    assert all(math.isfinite(number) for number in numbers(figures))


@FEW
@given(dirty_chains)
def test_10_the_same_input_twice_is_the_same_to_the_bit(lines: list[Line]):
    assert msgspec.json.encode(compute(lines)) == msgspec.json.encode(compute(lines))
