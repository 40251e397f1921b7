"""Which chains can be true."""

import json
from datetime import timedelta

import numpy as np
import pytest

from streaming.chains.judgement import (
    ExpirySize,
    Known,
    are_alike,
    believable,
    doubt,
    known_after,
    sizes_of,
    with_known_interest,
)
from streaming.chains.schwab import merge_chains, read_answer
from streaming.errors import ContractError
from tests.support.chains import ASOF, TODAY, TOMORROW, chain_of
from tests.support.schwab_chains import chain_document


def judged(payload: bytes, *, underlying: str = "SPX", expiry=TODAY):
    return believable(read_answer(payload, ticker=underlying, asof=ASOF), underlying=underlying, expiry=expiry)


def sized(calls=11.0, puts=11.0, calls_oi=1000.0, puts_oi=1000.0, *, day=TODAY) -> tuple[ExpirySize, ...]:
    return (ExpirySize(day, (calls, puts), (calls_oi, puts_oi)),)


def doubted(sizes, known=None, *, strikes=0, known_strikes=0, at=ASOF):
    return doubt(sizes, Known(known or sized(), known_strikes), strikes=strikes, at=at)


def test_a_whole_answer_is_believed():
    assert len(judged(chain_of(TODAY))) == 22


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"{}", "lacks the map"),
        (b'{"errors": [{"status": "500"}]}', "lacks the map"),
        (b'{"callExpDateMap": {}}', "lacks the map"),
        (chain_of(TODAY, status="FAILED"), "FAILED"),
        (chain_of(TODAY, status="FAILED", callExpDateMap={}, putExpDateMap={}), "FAILED"),
        (chain_document(), "no contracts"),
        (chain_of(TODAY, sides="C"), "only calls"),
        (chain_of(TODAY, sides="P"), "only puts"),
        (chain_of(TODAY, putExpDateMap={}), "only calls"),
        (chain_of(TOMORROW), f"about {TOMORROW}, not {TODAY}"),
        (chain_of(TODAY, root="NDXP", symbol="$NDX"), "about NDXP, not SPX"),
    ],
)
def test_an_answer_that_cannot_be_true_is_refused_with_the_reason(payload, why):
    with pytest.raises(ContractError, match=why):
        judged(payload)


def test_rows_of_another_expiry_among_the_asked_ones_are_left_out():
    both = merge_chains([read_answer(chain_of(day), ticker="SPX", asof=ASOF).chain for day in (TODAY, TOMORROW)])
    document = chain_of(TODAY, TOMORROW)
    assert len(both) == 44
    assert set(judged(document).expiry.tolist()) == {TODAY}


def test_an_expiry_of_nothing_but_adjusted_contracts_is_empty_and_no_error():
    assert len(judged(chain_of(TODAY, nonStandard=True))) == 0


def test_a_side_of_nothing_but_adjusted_contracts_is_a_missing_side():
    document = json.loads(chain_of(TODAY))
    for (item,) in document["putExpDateMap"][f"{TODAY}:9"].values():
        item["nonStandard"] = True
    with pytest.raises(ContractError, match="only calls"):
        judged(json.dumps(document).encode())


def test_another_spelling_of_the_same_share_is_no_stranger():
    assert len(judged(chain_of(TODAY, root="BRKB", symbol="BRK/B"), underlying="BRK.B")) == 22


def test_sizes_tell_contracts_and_open_interest_of_each_side_of_each_expiry():
    chain = read_answer(chain_of(TODAY, TOMORROW, openInterest=7), ticker="SPX", asof=ASOF).chain
    assert sizes_of(chain) == (*sized(11, 11, 77, 77), *sized(11, 11, 77, 77, day=TOMORROW))


@pytest.mark.parametrize("kept", [sized(), sized(6, 6), sized(500, 500, 1e6, 1e6), sized(11, 11, 500, 500)])
def test_half_of_what_is_known_and_anything_more_is_believed(kept):
    assert doubted(kept) is None


@pytest.mark.parametrize(
    ("sizes", "why"),
    [
        (sized(11, 1), "It has 1 of 11 puts of 2026-08-20."),
        (sized(2, 11), "It has 2 of 11 calls of 2026-08-20."),
        ((), "It has 0 of 11 calls of 2026-08-20."),
        (sized(day=TOMORROW), "It has 0 of 11 calls of 2026-08-20."),
        (sized(11, 11, 499, 1000), "Its open interest of calls is 499, after 1000."),
        (sized(11, 11, 1000, 10), "Its open interest of puts is 10, after 1000."),
    ],
)
def test_less_than_half_of_a_side_is_doubted_with_the_figures(sizes, why):
    assert doubted(sizes) == why


@pytest.mark.parametrize("sizes", [sized(11, 11, 0, 0), sized(11, 11, 1000, 0)])
def test_a_side_without_any_open_interest_says_nothing_about_it(sizes):
    assert doubted(sizes) is None


def test_an_expiry_that_has_settled_is_not_missed():
    known = (*sized(), *sized(day=TOMORROW))
    assert doubted(sized(day=TOMORROW), known) is not None
    assert doubted(sized(day=TOMORROW), known, at=ASOF + timedelta(hours=5, minutes=1)) is None


def test_a_narrower_window_of_strikes_is_measured_by_itself():
    known = sized(500, 500, 1e6, 1e6)
    assert doubted(sized(40, 40, 900, 900), known, strikes=20) is None
    assert doubted(sized(40, 40, 900, 900), known, strikes=20, known_strikes=60) is None
    assert doubted(sized(3, 3, 900, 900), known, strikes=20) == "It has 3 of 40 calls of 2026-08-20."
    assert doubted(sized(40, 40, 900, 900), known, strikes=20, known_strikes=20) is not None


def test_answers_are_alike_within_a_tenth():
    assert are_alike(sized(), sized(11, 11, 950, 1050))
    assert not are_alike(sized(), sized(11, 5))
    assert not are_alike(sized(), sized(day=TOMORROW))


def chains(*interests):
    return [read_answer(chain_of(TODAY, openInterest=oi), ticker="SPX", asof=ASOF).chain for oi in interests]


def test_open_interest_that_was_not_sent_stays_what_it_was():
    before, silent = chains(9, 0)
    kept, did = with_known_interest(silent, before)
    assert did
    assert set(kept.open_interest) == {9.0}
    assert (silent.quality.calls_without_interest, kept.quality.calls_without_interest) == (1.0, 0.0)
    assert (silent.quality.puts_without_interest, kept.quality.puts_without_interest) == (1.0, 0.0)


def test_one_side_that_was_not_sent_keeps_its_own():
    before, now = chains(9, 5)
    now.open_interest[~now.is_call] = 0.0
    kept, did = with_known_interest(now, before)
    assert did
    assert (set(kept.open_interest[kept.is_call]), set(kept.open_interest[~kept.is_call])) == ({5.0}, {9.0})


def test_open_interest_that_was_sent_is_taken_and_nothing_is_kept_of_nothing():
    before, now, silent = chains(9, 5, 0)
    assert with_known_interest(now, before) == (now, False)
    assert with_known_interest(silent, None) == (silent, False)
    assert not np.any(with_known_interest(silent, silent)[0].open_interest)


def test_what_is_known_does_not_lose_its_open_interest_to_an_answer_without():
    known = known_after(Known(sized()), sized(12, 12, 0, 1100), strikes=30)
    assert known == Known(sized(12, 12, 1000, 1100), 30)
