"""Shares of the weight priced, mirrored and left out, and why."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from streaming.gex.engine import GexEngine
from streaming.gex.pricing.lines import sort_lines
from streaming.gex.pricing.quality import Shares
from streaming.gex.pricing.scopes import slice_scopes
from streaming.gex.pricing.volatility import by_line
from streaming.model import IvFault, ScopeFigures
from streaming.symbols import parse_ticker
from tests.support.option_lines import ASOF, TODAY, Line, make_chain

LATER = date(2023, 6, 16)
NAN = float("nan")
LINES = (
    Line(4300, "C", 0.11, oi=400, volume=10),
    Line(4300, "P", 0.0, oi=300, volume=30),
    Line(4310, "C", NAN, oi=100, volume=0),
    Line(4320, "C", 0.02, oi=50, volume=20),
    Line(4320, "P", 26.001, oi=150, volume=40),
    Line(4330, "C", 0.12, oi=0, volume=0, expiry=LATER),
    Line(4330, "P", -9.99, oi=0, volume=100, expiry=LATER),
)


def quality(*lines: Line, scope: str = "zero", rule: str = "line", bad_iv: str = "mirror") -> ScopeFigures:
    engine = GexEngine(parse_ticker("SPX"), scope="all", volatility=rule, bad_iv=bad_iv)
    engine.on_chain(make_chain(lines or LINES))
    return engine.compute(ASOF).scopes[scope]


def reasons(found: ScopeFigures) -> dict[tuple[str, str], tuple[int, float | None, float | None]]:
    return {(item.fault, item.outcome): (item.contracts, item.weight_oi, item.weight_vol) for item in found.iv_faults}


def test_every_bad_volatility_has_its_fault_and_its_outcome():
    assert reasons(quality()) == {
        ("zero", "mirrored"): (1, 0.3, 0.3),
        ("missing", "no other side"): (1, 0.1, 0.0),
        ("too low", "other side unusable"): (1, 0.05, 0.2),
        ("too high", "other side unusable"): (1, 0.15, 0.4),
    }


def test_a_negative_volatility_is_a_mark_for_none():
    assert reasons(quality(scope="one")) == {("missing", "mirrored"): (1, None, 1.0)}


def test_the_shares_priced_mirrored_and_unpriced_make_one():
    found = quality()
    assert (found.weight_priced_oi, found.weight_mirrored_oi) == pytest.approx((0.4, 0.3))
    assert found.weight_unpriced_oi == pytest.approx(0.3)
    assert (found.weight_priced_vol, found.weight_mirrored_vol) == pytest.approx((0.1, 0.3))
    assert found.weight_unpriced_vol == pytest.approx(0.6)
    assert (found.contracts, found.contracts_mirrored, found.contracts_unpriced) == (5, 1, 3)


def test_shares_of_no_weight_are_unknown():
    found = quality(scope="one")
    assert found.weight_priced_oi is found.weight_mirrored_oi is None
    assert (found.weight_priced_vol, found.weight_mirrored_vol) == (0.0, 1.0)


def test_what_is_not_to_be_mirrored_says_so():
    found = quality(bad_iv="drop")
    assert {outcome for _, outcome in reasons(found)} == {"not mirrored"}
    assert (found.contracts_mirrored, found.contracts_unpriced) == (0, 4)
    assert found.weight_mirrored_oi == 0.0


def test_the_commonest_fault_comes_first():
    more = [Line(4000 + step, "P", 26.001, oi=1) for step in range(5)]
    assert quality(*LINES, *more).iv_faults[0] == IvFault(
        fault="too high", outcome="no other side", contracts=5, weight_oi=5 / 1005, weight_vol=0.0
    )


def test_settled_contracts_are_in_no_count():
    gone = Line(4300, "C", 0.0, oi=1e6, volume=1e6, expiry=TODAY - timedelta(days=1))
    assert quality(*LINES, gone, scope="all") == quality(scope="all")


def test_a_clean_chain_has_no_fault():
    found = quality(LINES[0])
    assert found.iv_faults == ()
    assert (found.weight_priced_oi, found.weight_mirrored_oi, found.weight_unpriced_oi) == (1.0, 0.0, 0.0)


def quoted(strike: float, side: str, iv: float, middle: float, oi: float) -> Line:
    return Line(strike, side, iv, oi=oi, bid=middle - 0.05, ask=middle + 0.05)


STRIKES = (
    quoted(4280, "P", 0.12, 2.0, 100),
    quoted(4280, "C", 0.0, 22.0, 100),
    quoted(4300, "C", 0.11, 5.0, 200),
    quoted(4300, "P", 0.125, 5.0, 0),
    Line(4310, "C", 0.10, oi=50),
    Line(4310, "P", 0.13, oi=50),
    Line(4320, "C", 0.0, oi=150),
    Line(4320, "P", 0.12, oi=50),
    Line(4330, "C", 0.0, oi=200),
    Line(4330, "P", 0.0, oi=50),
    Line(4340, "P", 0.0, oi=50),
)
"""Spot and forward are 4300: two strikes with prices, one where the call has a volatility, one a put, two without."""


def test_the_shares_by_method_are_those_of_the_strikes():
    found = quality(*STRIKES, rule="quotes")
    assert (found.contracts, found.contracts_quoted, found.contracts_mirrored, found.contracts_unpriced) == (
        11,
        4,
        2,
        3,
    )
    shares = (found.weight_quoted_oi, found.weight_priced_oi, found.weight_mirrored_oi, found.weight_unpriced_oi)
    assert shares == pytest.approx((0.4, 0.5, 0.2, 0.3))
    assert found.weight_quoted_vol is found.weight_apart_vol is None


def test_the_share_of_strikes_whose_two_sides_disagree_is_told_by_every_rule():
    for rule in ("quotes", "otm", "line"):
        assert quality(*STRIKES, rule=rule).weight_apart_oi == pytest.approx(0.3)


def test_a_strike_is_judged_by_the_side_that_counts():
    assert reasons(quality(*STRIKES, rule="otm")) == {
        ("zero", "mirrored"): (2, 0.2, None),
        ("zero", "other side unusable"): (2, 0.25, None),
        ("missing", "other side unusable"): (1, 0.05, None),
    }


def test_shares_of_what_did_not_change_are_kept_and_the_others_are_those_of_a_fresh_look():
    lines = sort_lines(make_chain(LINES))
    cut, weight = slice_scopes(lines, ASOF), np.stack((lines.open_interest, lines.volume))
    clean = by_line(lines, lines.iv, "mirror")
    kept = Shares()
    changes = (
        {}, {"apart": ~clean.apart}, {"quoted": ~clean.quoted}, {"quoted": ~clean.quoted, "apart": ~clean.apart},
    )  # fmt: skip
    for change, amount in zip((*changes, {}), (weight, weight, weight, weight, weight + 1.0), strict=True):
        of = replace(clean, **change)
        assert kept.of(of, amount, cut).tolist() == Shares().of(of, amount, cut).tolist()
