"""Which chains can be true."""

import json

import numpy as np
import pytest

from streaming.chains.expiry_sizes import ExpirySize
from streaming.chains.judgement import believable, sizes_of, with_known_interest
from streaming.chains.schwab import merge_chains, read_answer
from streaming.errors import ContractError
from tests.support.chains import ASOF, TODAY, TOMORROW, chain_of
from tests.support.schwab_chains import chain_document


def judged(payload: bytes, *, underlying: str = "SPX", expiry=TODAY):
    return believable(read_answer(payload, ticker=underlying, asof=ASOF), underlying=underlying, expiry=expiry)


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
    assert sizes_of(chain) == tuple(ExpirySize(day, (11.0, 11.0), (77.0, 77.0)) for day in (TODAY, TOMORROW))


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
