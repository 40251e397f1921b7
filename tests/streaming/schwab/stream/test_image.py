from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from streaming.schwab.stream.image import ANY, ZERO, Image, Instants
from streaming.schwab.wire.rows import EquityRow, OptionRow
from streaming.schwab.wire.values import count, instant_ms, price, signed_price

NUMBERS = st.one_of(st.just(UNSET), st.none(), st.floats(-9e11, 9e11), st.sampled_from([0.0, -999.0, 230.11]))
AT_MS = 1787233769803


@pytest.mark.parametrize(("above", "rule"), [(ZERO, price), (ANY, signed_price)])
@given(values=st.lists(NUMBERS, min_size=3, max_size=3))
def test_prices_follow_the_rule_of_their_kind(above, rule, values):
    image = Image()
    image.bid, image.ask, image.last = known = (1.0, 2.0, 3.0)
    image.overlay(EquityRow(key="SPY", bid=values[0], ask=values[1], last=values[2]), above)
    wanted = [before if value is UNSET else rule(value) for before, value in zip(known, values, strict=True)]
    assert [image.bid, image.ask, image.last] == wanted


COUNTS = st.one_of(
    st.just(UNSET), st.none(), st.integers(-5, 2**60), st.floats(-5, 2**60), st.sampled_from([0, 2**53, AT_MS])
)


@given(values=st.lists(COUNTS, min_size=4, max_size=4), times=st.lists(COUNTS, min_size=2, max_size=2))
def test_sizes_and_times_follow_the_rules_of_all_values(values, times):
    image = Image()
    image.bid_size, image.ask_size, image.volume, image.last_size = known = (1, 2, 3, 4)
    names = ("bid_size", "ask_size", "volume", "last_size")
    row = EquityRow(key="SPY", **dict(zip(names, values, strict=True)), quote_ms=times[0], trade_ms=times[1])
    told = image.overlay(row, ZERO)
    wanted = [before if value is UNSET else count(value) for before, value in zip(known, values, strict=True)]
    assert [image.bid_size, image.ask_size, image.volume, image.last_size] == wanted
    assert told == image.event_ms == max(instant_ms(value) for value in times)


def test_what_a_row_does_not_name_stays():
    image = Image(delayed=True)
    image.overlay(EquityRow(key="SPY", bid_size=5, ask_size=6, volume=7, last_size=8), ZERO)
    image.overlay(EquityRow(key="SPY", volume=9), ZERO)
    assert (image.bid_size, image.ask_size, image.volume, image.last_size, image.delayed) == (5, 6, 9, 8, True)


def test_an_option_keeps_what_only_options_have():
    image = Image()
    image.overlay_option(OptionRow(key="X", volatility=16.0, open_interest=5, underlying_price=700.0))
    image.overlay_option(OptionRow(key="X", bid=0.0))
    image.overlay(OptionRow(key="X", bid=0.0), ANY)
    quote = image.quote("X", AT_MS, AT_MS + 1)
    assert (quote.iv, quote.open_interest, quote.underlying_price, quote.bid) == (0.16, 5, 700.0, 0.0)


@pytest.mark.parametrize(
    ("quote_ms", "trade_ms", "told"),
    [
        (AT_MS + 5, AT_MS + 2, AT_MS + 5),
        (AT_MS - 9, UNSET, AT_MS - 9),
        (UNSET, AT_MS + 7, AT_MS + 7),
        (UNSET, UNSET, AT_MS),
        (0, None, AT_MS),
    ],
)
def test_the_time_is_the_newer_that_changed_else_the_newest_known(quote_ms, trade_ms, told):
    image = Image()
    assert image.overlay(EquityRow(key="SPY"), ZERO) == 0
    image.overlay(EquityRow(key="SPY", trade_ms=AT_MS), ZERO)
    assert image.overlay(EquityRow(key="SPY", quote_ms=quote_ms, trade_ms=trade_ms), ZERO) == told


def test_one_moment_has_one_datetime_and_old_ones_are_forgotten():
    instants = Instants()
    first = instants.at(AT_MS)
    assert first == datetime(2026, 8, 20, 13, 49, 29, 803000, UTC)
    assert instants.at(AT_MS) is first
    assert all(instants.at(AT_MS + n).timestamp() * 1000 == pytest.approx(AT_MS + n) for n in range(10_000))
    assert len(instants.known) < 5_000
