"""Put/call ratios and max pain, against sums written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.gex.engine import GexEngine
from streaming.gex.pricing.selection import max_pain
from streaming.symbols import parse_ticker
from tests.support.option_lines import ASOF, Line, make_chain

COUNTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=12)


def figures_of(lines, scope="all"):
    engine = GexEngine(parse_ticker("SPX"), scope="all")
    engine.on_chain(make_chain(lines))
    return engine.compute(ASOF).scopes[scope]


def pain(strikes, puts, calls, level):
    paid = zip(strikes, puts, calls, strict=True)
    return sum(call * max(level - strike, 0.0) + put * max(strike - level, 0.0) for strike, put, call in paid)


@given(COUNTS)
def test_max_pain_pays_no_more_than_any_other_held_strike(counts):
    strikes = np.arange(100.0, 100.0 + 5.0 * len(counts), 5.0)
    puts, calls = (np.array(side, np.float64) for side in zip(*counts, strict=True))
    found = max_pain(strikes, puts, calls)
    held = [level for level, *sides in zip(strikes, puts, calls, strict=True) if any(sides)]
    if not held:
        assert found is None
        return
    paid = {level: pain(strikes, puts, calls, level) for level in held}
    assert found == min(level for level, value in paid.items() if value == min(paid.values()))


def test_ratios_count_every_living_contract_of_the_scope_priced_or_not():
    lines = [
        Line(4300, "C", 0.11, oi=100, volume=40),
        Line(4300, "P", 0.12, oi=50, volume=10),
        Line(4200, "P", 0.0, oi=75, volume=20),
        Line(4300, "P", 0.12, oi=999, volume=9, expiry=ASOF.date().replace(day=12)),
    ]
    nearest = figures_of(lines, "zero")
    assert (nearest.put_call_oi, nearest.put_call_vol) == (1.25, 0.75)
    everything = figures_of(lines, "all")
    assert (everything.put_call_oi, everything.put_call_vol) == (11.24, 0.975)
    assert everything.max_pain == 4300.0


def test_without_calls_there_is_no_ratio_and_without_holders_no_pain():
    figures = figures_of([Line(4300, "P", 0.12, oi=0, volume=10)])
    assert (figures.put_call_oi, figures.put_call_vol, figures.max_pain) == (None, None, None)


def test_levels_of_a_futures_ticker_are_in_futures_points():
    engine = GexEngine(parse_ticker("ES_SPX"), scope="all")
    engine.on_chain(make_chain([Line(4300, "C", 0.11, oi=10, volume=5), Line(4290, "P", 0.11, oi=10, volume=5)]))
    assert engine.compute(ASOF).scopes["all"].max_pain is None
    at_ms = int(ASOF.timestamp() * 1000)
    engine.on_spot(4300.0, at_ms)
    engine.on_relative("future", 4310.5, at_ms)
    figures = engine.compute(ASOF).scopes["all"]
    assert figures.max_pain == pytest.approx(4300.5)
    assert [row[0] for row in figures.oi.top_strikes] == [4310.5, 4300.5]
