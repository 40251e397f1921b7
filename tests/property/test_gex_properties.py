"""The checks of specs/gex-method.md §18 on chains that hypothesis makes up: a test for each demand of its ten.

1 a sums, b majors, c roots under a swap of calls and puts; 2 a doubled weights, b scaled prices; 3 a split lines,
b order; 4 a expired, b weightless, c unpriceable lines; 5 signs beside roots; 6 a ladder, b dates; 7 morning and
evening; 8 a gamma, b vanna, c charm by differences; 9 a NaN, b negative volatility; 10 the same twice.
"""

import dataclasses
import math
from collections.abc import Iterator
from datetime import date, timedelta

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from streaming.gex.engine import GexEngine
from streaming.model import SCOPES, GexSnapshot, ScopeFigures, VolatilityRule, WeightFigures
from streaming.symbols import parse_ticker
from tests.support.black_scholes import charm, delta, gamma, vanna
from tests.support.option_lines import ASOF, TODAY, Line, make_chain

SPOT = 4300.0
DAYS = (TODAY, TODAY + timedelta(days=3), date(2023, 6, 16), date(2023, 9, 15), date(2023, 12, 15))
ROOTS = ("SPX", "SPXW")
FEW = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
SUMS = (
    "net_gex_usd_per_1pct", "net_gex_usd_per_point", "vex_usd_per_vol_point", "chex_usd_per_day", "dex_usd",
    "dex_dealer_usd", "chex_usd_to_close", "gross_gex_usd_per_1pct", "hedge_usd_per_1pct",
)  # fmt: skip
WALLS = ("call_wall", "put_wall", "call_wall_gross", "put_wall_gross", "call_wall_above", "put_wall_below")

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


def distinct(lines: list[Line]) -> list[Line]:
    return list({line.symbol: line for line in lines}.values())


chains = st.lists(lines_with(usable), min_size=1, max_size=25)
dirty_chains = st.lists(lines_with(usable | sentinel), min_size=0, max_size=25)


def compute(lines: list[Line], *, spot: float = SPOT, rule: VolatilityRule = "quotes") -> GexSnapshot:
    engine = GexEngine(parse_ticker("SPX"), scope="all", volatility=rule)
    engine.on_chain(make_chain(lines, spot=spot))
    return engine.compute(ASOF)


def both(figures: ScopeFigures) -> tuple[WeightFigures, WeightFigures]:
    return figures.oi, figures.vol


def pairs(one: GexSnapshot, two: GexSnapshot) -> Iterator[tuple[WeightFigures, WeightFigures]]:
    for scope in SCOPES:
        yield from zip(both(one.scopes[scope]), both(two.scopes[scope]), strict=True)


def size_of(figures: WeightFigures) -> float:
    """What a difference is small against: the largest of a scope's sums without signs."""
    return max(abs(getattr(figures, name) or 0.0) for name in SUMS)


def close(one: float | None, two: float | None, size: float, rel: float = 1e-9) -> bool:
    if one is None or two is None:
        return one is two
    return math.isclose(one, two, rel_tol=rel, abs_tol=rel * max(size, 1e-300))


def same_roots(one: WeightFigures, two: WeightFigures, factor: float = 1.0) -> bool:
    """Roots where the total is firmly off zero on both sides; a touch may count as two roots or as none."""
    if len(one.zero_gamma_roots) != len(two.zero_gamma_roots):
        return False
    return np.allclose(np.array(one.zero_gamma_roots) * factor, two.zero_gamma_roots, rtol=1e-7, atol=0.0)


def same_split(one: WeightFigures, two: WeightFigures, factor: float = 1.0) -> bool:
    mine = one.ladder_split
    return close(None if mine is None else mine * factor, two.ladder_split, SPOT)


def nothing_changed(before: GexSnapshot, after: GexSnapshot) -> None:
    """Every figure but the counts of quality."""
    for mine, theirs in pairs(before, after):
        size = size_of(mine)
        for name in SUMS:
            assert close(getattr(mine, name), getattr(theirs, name), size, 1e-12), name
        assert [getattr(mine, name) for name in WALLS] == [getattr(theirs, name) for name in WALLS]
        assert same_roots(mine, theirs)
        assert same_split(mine, theirs)
        assert mine.zero_gamma_note == theirs.zero_gamma_note
    for scope in SCOPES:
        assert before.scopes[scope].expiries == after.scopes[scope].expiries
        assert before.scopes[scope].rr25 == after.scopes[scope].rr25


def swapped(lines: list[Line]) -> list[Line]:
    return [dataclasses.replace(line, side="P" if line.side == "C" else "C") for line in lines]


@FEW
@given(chains)
def test_1a_swapping_calls_and_puts_turns_the_sign_of_every_sum(lines: list[Line]):
    for mine, theirs in pairs(compute(lines, rule="line"), compute(swapped(lines), rule="line")):
        size = size_of(mine)
        for name in ("net_gex_usd_per_1pct", "net_gex_usd_per_point", "vex_usd_per_vol_point", "chex_usd_per_day"):
            one, two = getattr(mine, name), getattr(theirs, name)
            assert close(one, None if two is None else -two, size), name
        deltas = [figures.dex_dealer_usd or 0.0 for figures in (mine, theirs)]
        gains = [figures.chex_usd_to_close for figures in (mine, theirs)]
        assert close(gains[0], None if gains[1] is None else -gains[1], max(size, *deltas), 1e-12), "of deltas to 1e-14"
        assert close(mine.gross_gex_usd_per_1pct, theirs.gross_gex_usd_per_1pct, size)


@FEW
@given(chains)
def test_1b_swapping_calls_and_puts_swaps_the_majors_and_the_gross_walls(lines: list[Line]):
    for mine, theirs in pairs(compute(lines, rule="line"), compute(swapped(lines), rule="line")):
        assert (mine.call_wall, mine.put_wall) == (theirs.put_wall, theirs.call_wall)
        assert (mine.call_wall_gross, mine.put_wall_gross) == (theirs.put_wall_gross, theirs.call_wall_gross)


@FEW
@given(chains)
def test_1c_swapping_calls_and_puts_leaves_the_roots_and_turns_their_directions(lines: list[Line]):
    for mine, theirs in pairs(compute(lines, rule="line"), compute(swapped(lines), rule="line")):
        assert same_roots(mine, theirs)
        assert mine.zero_gamma_directions == tuple(-direction for direction in theirs.zero_gamma_directions)


@FEW
@given(chains)
def test_2a_doubling_weights_doubles_sums_and_leaves_levels(lines: list[Line]):
    doubled = [dataclasses.replace(line, oi=2 * line.oi, volume=2 * line.volume) for line in lines]
    for mine, theirs in pairs(compute(lines), compute(doubled)):
        for name in SUMS:
            one = getattr(mine, name)
            assert close(None if one is None else 2 * one, getattr(theirs, name), size_of(theirs)), name
        assert [getattr(mine, name) for name in WALLS] == [getattr(theirs, name) for name in WALLS]
        assert same_roots(mine, theirs) and same_split(mine, theirs)


@FEW
@given(chains, st.sampled_from([0.5, 2.0, 4.0]))
def test_2b_scaling_prices_scales_sums_and_levels(lines: list[Line], factor: float):
    scaled = [dataclasses.replace(line, strike=line.strike * factor) for line in lines]
    for mine, theirs in pairs(compute(lines), compute(scaled, spot=SPOT * factor)):
        if mine.net_gex_usd_per_1pct is None:
            assert theirs.net_gex_usd_per_1pct is None
            continue
        size = mine.gross_gex_usd_per_1pct
        assert close(mine.net_gex_usd_per_1pct, theirs.net_gex_usd_per_1pct / factor, size)
        assert close(mine.net_gex_usd_per_point, theirs.net_gex_usd_per_point, size / SPOT)
        for name in WALLS:
            one = getattr(mine, name)
            assert getattr(theirs, name) == (None if one is None else one * factor), name
        assert same_roots(mine, theirs, factor) and same_split(mine, theirs, factor)


@FEW
@given(chains)
def test_3a_lines_split_into_halves_change_nothing(lines: list[Line]):
    whole = distinct(lines)
    halves = [dataclasses.replace(line, oi=line.oi / 2, volume=line.volume / 2) for line in whole for _ in "ab"]
    nothing_changed(compute(whole), compute(halves))


@FEW
@given(chains, st.randoms())
def test_3b_the_order_of_lines_changes_nothing(lines: list[Line], random):
    shuffled = random.sample(distinct(lines), len(distinct(lines)))
    nothing_changed(compute(distinct(lines)), compute(shuffled))


@FEW
@given(chains, strikes)
def test_4a_an_expired_line_changes_nothing(lines: list[Line], strike: float):
    expired = Line(strike, "C", 0.2, 500, 500, expiry=TODAY - timedelta(days=1))
    before, after = compute(lines), compute([*lines, expired])
    nothing_changed(before, after)
    assert after.contracts_settled == before.contracts_settled + 1


# Any chain will do; lines of root SPX that expire today have settled at 09:30.
def living(lines: list[Line]) -> Line:
    found = [line for line in distinct(lines) if (line.root, line.expiry) != ("SPX", TODAY)]
    assume(found)
    return found[0]


@FEW
@given(chains)
def test_4b_a_line_without_weight_changes_nothing(lines: list[Line]):
    idle = dataclasses.replace(living(lines), oi=0.0, volume=0.0)
    before, after = compute(lines), compute([*lines, idle])
    nothing_changed(before, after)
    assert after.scopes["all"].contracts == before.scopes["all"].contracts + 1


@FEW
@given(chains, sentinel)
def test_4c_a_line_that_cannot_be_priced_changes_only_the_quality(lines: list[Line], iv: float):
    one = living(lines)
    other = "SPX" if one.root == "SPXW" else "SPXW"
    assume((one.strike, one.expiry, other) not in {(line.strike, line.expiry, line.root) for line in lines})
    assume((other, one.expiry) != ("SPX", TODAY))
    before, after = compute(lines), compute([*lines, dataclasses.replace(one, iv=iv, root=other)])
    nothing_changed(before, after)
    assert after.scopes["all"].contracts_unpriced == before.scopes["all"].contracts_unpriced + 1


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
def test_6a_the_sum_is_the_ladders_in_every_scope(lines: list[Line]):
    engine = GexEngine(parse_ticker("SPX"), scope="all")
    engine.on_chain(make_chain(lines, spot=SPOT))
    snapshot = engine.compute(ASOF)
    for scope in SCOPES:
        for place, mine in ((1, snapshot.scopes[scope].vol), (2, snapshot.scopes[scope].oi)):
            if mine.net_gex_usd_per_1pct is not None:
                ladder = math.fsum(row[place] for row in engine.ladder(scope))
                assert close(mine.net_gex_usd_per_1pct, ladder, mine.gross_gex_usd_per_1pct)


@FEW
@given(dirty_chains)
def test_6b_the_sum_is_that_of_the_scopes_own_dates(lines: list[Line]):
    scopes = compute(lines).scopes
    for scope in SCOPES:
        for place, mine in ((1, scopes[scope].vol), (2, scopes[scope].oi)):
            if mine.net_gex_usd_per_1pct is not None:
                own = math.fsum(row[place] for row in scopes["all"].by_expiry if row[0] in scopes[scope].expiries)
                assert close(mine.net_gex_usd_per_1pct, own, mine.gross_gex_usd_per_1pct)


@FEW
@given(usable, st.sampled_from([date(2023, 6, 16), date(2023, 7, 21), date(2023, 12, 15)]))
def test_7_a_morning_line_moved_to_the_close_has_less_gamma_at_the_money(iv: float, expiry: date):
    morning, evening = (
        compute([Line(SPOT, "C", iv, 100, expiry=expiry, root=root)]).scopes["all"].oi.net_gex_usd_per_1pct
        for root in ("SPX", "SPXW")
    )
    assert 0.0 < evening < morning


options = {
    "moneyness": st.floats(0.8, 1.2),
    "iv": st.floats(0.08, 0.6),
    "years": st.floats(0.02, 2.0),
    "rate": st.floats(-0.02, 0.06),
    "dividend": st.floats(0.0, 0.04),
    "call": st.booleans(),
    "parity": st.booleans(),
}


@dataclasses.dataclass(frozen=True)
class Option:
    """One option on a spot of 100, by rate and dividend or by the forward they make."""

    moneyness: float
    iv: float
    years: float
    rate: float
    dividend: float
    call: bool
    parity: bool

    def terms(self, years: float) -> dict[str, float]:
        if self.parity:
            return {"ratio": math.exp((self.rate - self.dividend) * years)}
        return {"rate": self.rate, "dividend": self.dividend}

    def delta(self, *, spot: float = 100.0, iv: float | None = None, years: float | None = None) -> float:
        left = self.years if years is None else years
        own = self.iv if iv is None else iv
        return float(delta(spot, 100.0 * self.moneyness, own, left, self.call, **self.terms(left)))


@FEW
@given(**options)
def test_8a_a_difference_of_delta_by_spot_is_gamma(**given_option):
    option = Option(**given_option)
    found = float(gamma(100.0, 100.0 * option.moneyness, option.iv, option.years, **option.terms(option.years)))
    assert (option.delta(spot=100.001) - option.delta(spot=99.999)) / 0.002 == pytest.approx(found, abs=1e-6)


@FEW
@given(**options)
def test_8b_a_difference_of_delta_by_volatility_is_vanna(**given_option):
    option, step = Option(**given_option), 1e-5
    found = float(vanna(100.0, 100.0 * option.moneyness, option.iv, option.years, **option.terms(option.years)))
    up, down = option.delta(iv=option.iv + step), option.delta(iv=option.iv - step)
    assert (up - down) / (2 * step) == pytest.approx(found, abs=1e-6, rel=1e-6)


@FEW
@given(**options)
def test_8c_a_difference_of_delta_by_time_is_charm(**given_option):
    option = Option(**given_option)
    step = 1e-4 * option.years
    terms = option.terms(option.years)
    found = float(charm(100.0, 100.0 * option.moneyness, option.iv, option.years, option.call, **terms))
    later, earlier = option.delta(years=option.years - step), option.delta(years=option.years + step)
    assert (later - earlier) / (2 * step) == pytest.approx(found, abs=1e-6, rel=1e-6)


def numbers(value: object) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from numbers(item)
    elif isinstance(value, float):
        yield value


def all_finite(snapshot: GexSnapshot) -> bool:
    return all(math.isfinite(number) for number in numbers(msgspec.to_builtins(snapshot)))


@FEW
@given(dirty_chains, lines_with(st.just(float("nan"))))
def test_9a_a_missing_volatility_never_makes_a_figure_nan(lines: list[Line], bad: Line):
    assert all_finite(compute([*lines, bad]))


@FEW
@given(dirty_chains, lines_with(st.floats(-100.0, -1e-9)))
def test_9b_a_negative_volatility_never_makes_a_figure_nan(lines: list[Line], bad: Line):
    assert all_finite(compute([*lines, bad]))


@FEW
@given(dirty_chains)
def test_10_the_same_input_twice_is_the_same_to_the_bit(lines: list[Line]):
    assert msgspec.json.encode(compute(lines)) == msgspec.json.encode(compute(lines))
