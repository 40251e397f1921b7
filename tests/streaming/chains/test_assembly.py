"""Rows into one underlying's chain: whose they are, each once, and what was not sent."""

from datetime import datetime

import numpy as np
import pytest

from streaming.calendar import NEW_YORK
from streaming.chains.assembly import ContractRows, Quoted, assemble, grid_of, ticker_name, without_interest
from streaming.chains.osi import read_symbols
from streaming.errors import ContractError
from streaming.model import ChainQuality
from streaming.option_chain import OptionChain

ASOF = datetime(2024, 6, 3, 12, 0, tzinfo=NEW_YORK)
NAN = float("nan")


def chain_of(*symbols: str, ticker: str = "", **columns: list[float]) -> OptionChain:
    def column(name: str, usual: float) -> np.ndarray:
        return np.array(columns.get(name, [usual] * len(symbols)))

    rows = ContractRows(
        read_symbols(grid_of(list(symbols))), column("iv", 0.2), column("open_interest", 10.0), column("volume", 5.0),
        column("bid", NAN), column("ask", NAN),
    )  # fmt: skip
    return assemble(rows, Quoted("cboe", ticker, 100.0, ASOF), ChainQuality())


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("BRK.B", "BRK.B"), ("BRK/B", "BRK.B"), ("BRK-B", "BRK.B"), ("brk b", "BRK.B"), ("BRKB", "BRKB"),
        ("^SPX", "SPX"),
        ("_SPX", "SPX"), ("$SPX.X", "SPX"), ("SPXW", "SPX"), ("SPY", "SPY"),
    ],
)  # fmt: skip
def test_an_underlying_has_one_name_however_it_is_written(written: str, name: str):
    assert ticker_name(written) == name


@pytest.mark.parametrize("written", ["BRK.B", "BRK/B", "BRK-B", "BRK B", "BRKB"])
def test_a_share_of_a_class_keeps_its_contracts(written: str):
    chain = chain_of("BRKB240621C00400000", "BRKB240621P00400000", "BRKB1240621P00400000", ticker=written)
    assert chain.root.tolist() == ["BRKB", "BRKB"]
    assert chain.quality.foreign == 1


def test_without_a_ticker_most_contracts_decide():
    assert chain_of("SPXW240621C05000000", "SPX240621C05000000", "XSP240621C00500000").ticker == "SPX"


def test_contracts_of_one_unit_are_no_part_of_a_chain_and_a_chain_of_them_is_refused():
    assert chain_of("SPX240621C05000000", "NANOS240621C00500000", ticker="_SPX").root.tolist() == ["SPX"]
    with pytest.raises(ContractError, match=r"None of its 1 contracts \(NANOS\) is on 100 of its underlying"):
        chain_of("NANOS240621C00500000", ticker="_NANOS")


def test_the_last_row_of_a_contract_counts_and_its_neighbours_stay():
    call, put, other = "SPXW240621C05000000", "SPXW240621P05000000", "SPX240621C05000000"
    chain = chain_of(call, put, other, call, iv=[0.1, 0.2, 0.3, 0.4])
    assert chain.quality == ChainQuality(doubled=1)
    assert list(zip(chain.root.tolist(), chain.is_call.tolist(), chain.iv.tolist(), strict=True)) == [
        ("SPXW", False, 0.2), ("SPX", True, 0.3), ("SPXW", True, 0.4)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("interest", "shares"),
    [
        ([1.0, 2.0, 3.0, 4.0], (0.0, 0.0)),
        ([NAN, 2.0, 3.0, 4.0], (0.5, 0.0)),
        ([1.0, 2.0, -5.0, NAN], (0.0, 1.0)),
        ([0.0, 0.0, 3.0, 0.0], (1.0, 0.0)),
        ([NAN, NAN, NAN, NAN], (1.0, 1.0)),
    ],
)
def test_open_interest_that_was_not_sent_is_counted_by_side(interest: list[float], shares: tuple[float, float]):
    is_call = np.array([True, True, False, False])
    assert without_interest(np.array(interest), is_call) == shares
    assert without_interest(np.array(interest)[:0], is_call[:0]) == (0.0, 0.0)


CALLS = [f"SPXW240621C0{strike}000" for strike in range(4900, 5100, 10)]


@pytest.mark.parametrize(
    ("iv", "bid", "is_percent"),
    [
        (16.0, NAN, True), (0.16, NAN, False), (16.0, 70.5, True), (8.0, 35.0, True), (4.0, 1_700.0, False),
        (4.0, NAN, False), (26.001, NAN, False),
    ],
    ids=[
        "a percentage", "a fraction", "by its prices", "by its prices, calm", "a share gone wild", "no prices to tell",
        "CBOE's sign for none",
    ],
)  # fmt: skip
def test_percentages_are_told_from_a_market_gone_wild(iv: float, bid: float, is_percent: bool):
    many = len(CALLS)
    rows = ContractRows(
        read_symbols(grid_of(CALLS)), np.full(many, iv), np.ones(many), np.ones(many), np.full(many, bid),
        np.full(many, bid),
    )  # fmt: skip
    chain = assemble(rows, Quoted("cboe", "SPX", 5000.0, ASOF), ChainQuality())
    assert chain.quality.iv_in_percent is is_percent
    assert chain.iv[0] == pytest.approx(iv / 100 if is_percent else iv)
