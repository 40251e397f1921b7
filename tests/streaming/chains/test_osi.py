"""Option symbols read as columns."""

import numpy as np
import pytest

from streaming.calendar import NEW_YORK
from streaming.chains.osi import is_symbol, listing_of, read_symbols, symbol_grid


def grid_of(*symbols: str):
    data = np.frombuffer("".join(f"{symbol}," for symbol in symbols).encode(), np.uint8)
    end = np.flatnonzero(data == ord(","))
    return symbol_grid(data, np.concatenate(([0], end[:-1] + 1)), end)


def test_root_expiry_side_and_strike_come_from_the_symbol():
    columns = read_symbols(grid_of("SPXW230616C04300000", "SPX230616P04300000", "SPY230616C00427500"))
    assert columns.root.tolist() == ["SPXW", "SPX", "SPY"]
    assert columns.symbol.tolist() == ["SPXW  230616C04300000", "SPX   230616P04300000", "SPY   230616C00427500"]
    assert columns.strike.tolist() == [4300.0, 4300.0, 427.5]
    assert columns.is_call.tolist() == [True, False, True]
    assert columns.expiry.astype(str).tolist() == ["2023-06-16"] * 3


def test_the_same_friday_settles_in_the_morning_or_at_the_close_by_its_root():
    import datetime as dt

    settles = read_symbols(grid_of("SPX230616C04300000", "SPXW230616C04300000")).settle_s
    hours = [dt.datetime.fromtimestamp(value, NEW_YORK).strftime("%H:%M") for value in settles]
    assert hours == ["09:30", "16:00"]


def test_what_is_no_symbol_is_seen():
    grid = grid_of("SPXW230616C04300000", "", "CALLS", "SPXW231316C04300000", "SPXW230616X04300000", "A230616C0430000x")
    assert is_symbol(grid).tolist() == [True, False, False, False, False, False]


def test_nothing_is_nothing():
    empty = read_symbols(grid_of("SPX230616C04300000")[:, :0])
    assert empty.strike.size == empty.settle_s.size == empty.symbol.size == 0


def test_what_is_listed_again_is_read_once_and_nobody_can_change_it():
    first, again, other = (
        listing_of(grid_of(*names))
        for names in (("SPX230616C04300000", "x"), ("SPX230616C04300000", "x"), ("SPX230616P04300000", "x"))
    )
    assert again.symbols is first.symbols
    assert first.valid.tolist() == [True, False]
    assert [found.symbols.is_call.tolist() for found in (first, other)] == [[True], [False]]
    with pytest.raises(ValueError, match="read-only"):
        first.symbols.strike[0] = 1.0
