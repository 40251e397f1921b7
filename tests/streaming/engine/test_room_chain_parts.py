"""Parts of a chain and the whole they make."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from streaming.chains.schwab import merge_chains, parse_chain
from streaming.engine.room import ChainParts
from streaming.option_chain import OptionChain
from tests.support.chains import ASOF, TODAY, TOMORROW, chain_of, expiry_body


def part(expiry, *, interest: int = 100, later_s: float = 0.0) -> OptionChain:
    asof = ASOF + timedelta(seconds=later_s)
    chain = parse_chain(expiry_body(expiry).payload, ticker="SPX", asof=asof)
    chain.open_interest[:] = interest
    return chain


def test_there_is_no_whole_before_every_required_expiry_is_there():
    parts = ChainParts()
    parts.add(TODAY, part(TODAY))
    assert parts.whole([TODAY, TOMORROW]) is None
    parts.add(TOMORROW, part(TOMORROW))
    whole = parts.whole([TODAY, TOMORROW])
    assert whole is not None and len(whole) == 44


def test_an_expiry_that_is_not_required_may_be_missing():
    parts = ChainParts()
    parts.add(TODAY, part(TODAY))
    assert len(parts.whole([TODAY])) == 22


def test_nothing_at_all_is_no_whole():
    assert ChainParts().whole([]) is None


def test_what_is_no_longer_planned_is_forgotten():
    parts = ChainParts()
    parts.add(TODAY, part(TODAY))
    parts.add(TOMORROW, part(TOMORROW))
    parts.keep_only([TOMORROW])
    assert set(parts.whole([]).expiry.tolist()) == {TOMORROW}


def test_each_expiry_keeps_its_own_quote_time():
    parts = ChainParts()
    parts.add(TODAY, part(TODAY, later_s=60))
    parts.add(TOMORROW, part(TOMORROW))
    whole = parts.whole([])
    assert whole.polled_ms[TODAY] - whole.polled_ms[TOMORROW] == 60_000
    assert whole.oldest_ms == whole.polled_ms[TOMORROW]


COLUMNS = ("symbol", "root", "expiry", "settle_s", "strike", "is_call", "iv", "open_interest", "volume", "bid", "ask")


def same_content(one: OptionChain, two: OptionChain) -> bool:
    """Whether two chains say the same of each contract and of themselves, in whatever order."""
    left, right = (np.argsort(chain.symbol) for chain in (one, two))
    columns = all(np.array_equal(getattr(one, name)[left], getattr(two, name)[right]) for name in COLUMNS)
    facts = ("ticker", "spot", "asof", "source", "delayed", "polled_ms")
    return columns and all(getattr(one, name) == getattr(two, name) for name in facts)


def newer(expiry: date, *, later_s: float, spot: float = 5661.0, sides: str = "CP") -> OptionChain:
    """The same contracts with other figures in all columns that change."""
    raw = chain_of(
        expiry, sides=sides, bid=2.5, ask=2.75, totalVolume=77, openInterest=55, volatility=21.5, underlyingPrice=spot
    )
    return parse_chain(raw, ticker="SPX", asof=ASOF + timedelta(seconds=later_s))


def filled() -> ChainParts:
    parts = ChainParts()
    for expiry in (TODAY, TOMORROW):
        parts.add(expiry, part(expiry))
    parts.whole([])
    return parts


@pytest.mark.parametrize("expiries", [[TODAY], [TOMORROW], [TODAY, TOMORROW]])
def test_a_newer_part_takes_its_old_rows_as_if_all_were_merged_anew(expiries: list[date]):
    parts = filled()
    before = parts.whole([])
    for number, expiry in enumerate(expiries):
        parts.add(expiry, newer(expiry, later_s=5.0 + number, spot=5661.0 + number))
    whole = parts.whole([])
    assert same_content(whole, merge_chains([parts.get(expiry) for expiry in (TODAY, TOMORROW)]))
    assert whole.symbol is before.symbol


def test_a_whole_handed_out_before_stays_as_it_was():
    parts = filled()
    before = parts.whole([])
    bids = before.bid.copy()
    parts.add(TODAY, newer(TODAY, later_s=5.0))
    assert not np.array_equal(parts.whole([]).bid, bids)
    assert np.array_equal(before.bid, bids)


def test_a_part_that_lists_other_contracts_has_all_merged_anew():
    parts = filled()
    shorter = newer(TODAY, later_s=5.0, sides="C")
    parts.add(TODAY, shorter)
    assert same_content(parts.whole([]), merge_chains([shorter, parts.get(TOMORROW)]))
    parts.add(TODAY, newer(TODAY, later_s=9.0))
    assert same_content(parts.whole([]), merge_chains([parts.get(TODAY), parts.get(TOMORROW)]))


def test_contracts_that_settle_at_another_hour_than_before_are_merged_anew():
    parts = filled()
    morning = newer(TODAY, later_s=5.0)
    parts.add(TODAY, replace(morning, settle_s=morning.settle_s - 23_400.0))
    assert same_content(parts.whole([]), merge_chains([parts.get(TODAY), parts.get(TOMORROW)]))


def test_parts_that_share_contracts_are_merged_anew_each_time():
    both = parse_chain(chain_of(TODAY, TOMORROW), ticker="SPX", asof=ASOF)
    parts = ChainParts()
    parts.add(TODAY, both)
    parts.add(TOMORROW, newer(TOMORROW, later_s=1.0))
    parts.whole([])
    parts.add(TODAY, replace(both, asof=ASOF + timedelta(seconds=2), bid=both.bid + 1.0))
    assert same_content(parts.whole([]), merge_chains([parts.get(TODAY), parts.get(TOMORROW)]))


def test_a_part_without_contracts_is_renewed_too():
    parts = filled()
    nothing = parse_chain(chain_of(), ticker="SPX", asof=ASOF)
    later = date(2026, 8, 24)
    parts.add(later, nothing)
    parts.whole([])
    parts.add(later, replace(nothing, asof=ASOF + timedelta(seconds=5)))
    whole = parts.whole([])
    assert len(whole) == 44
    assert whole.asof == ASOF + timedelta(seconds=5)
