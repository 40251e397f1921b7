"""Tables of several tickers: width, signs, and what is not current."""

from datetime import timedelta

import msgspec

from bot.render.compare_text import book_text, compare_text
from streaming.gex.results.one_book import one_book
from tests.streaming.gex.results.test_one_book import SPX, SPY
from tests.support.snapshots import ASOF, snapshot

NOW = ASOF + timedelta(seconds=1)


def test_a_row_a_ticker_in_forty_columns():
    nasdaq = msgspec.structs.replace(snapshot("NDX", spot=23_456.75), scopes={})
    text = compare_text([snapshot(), nasdaq], ["QQQ"], scope=None, weight="oi", now=NOW)
    lines = text.splitlines()
    assert lines[3] == "SPX      6400.25  +0.23%   +1.25   67% ↓"
    assert lines[4].startswith("NDX      23456.8 ")
    assert "no current snapshot of QQQ" in lines
    assert max(map(len, lines)) <= 40


def test_what_is_unknown_is_a_dash_and_what_is_stale_or_made_up_is_called_so():
    bare = msgspec.structs.replace(
        snapshot(), scopes={}, ladder_split=None, sum_gex_oi=None, major_pos_oi=None, source="simulated"
    )
    text = compare_text([bare], [], scope=None, weight="oi", now=NOW + timedelta(seconds=60))
    assert "SPX      6400.25       —       —     —" in text.splitlines()
    assert "SPX: SIMULATED · old 1m" in text.splitlines()


def test_a_book_tells_its_parts_its_strongest_strikes_and_where_levels_meet():
    book = one_book([SPX, SPY], scope=None, weight="oi")
    text = book_text(book, [SPX, SPY], scope=None, weight="oi", now=NOW)
    assert "net GEX         +0.500Bn per 1 %" in text
    assert f"  {'SPY':<10}{'+0.300Bn':>12}" in text
    assert "call wall           6410    +0.500Bn" in text
    assert "levels within 5 points of each other:" in text
    assert max(map(len, text.splitlines())) <= 40
