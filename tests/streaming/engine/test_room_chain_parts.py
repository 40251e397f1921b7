"""Parts of a chain and the whole they make."""

from datetime import timedelta

from streaming.chains.schwab import parse_chain
from streaming.engine.room import ChainParts
from streaming.model import OptionChain
from tests.support.chains import ASOF, TODAY, TOMORROW, expiry_body


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
