"""Captured chains are read whole."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from streaming.calendar import NEW_YORK
from streaming.chains.files.chain_files import load_chain


def test_settled_lines_stay_in_the_chain(captured_data: Path):
    chain = load_chain(captured_data / "gex" / "spx_20230820.csv.gz")
    assert chain.asof == datetime(2023, 8, 18, 16, 0, tzinfo=NEW_YORK)
    assert np.count_nonzero(chain.settle_s <= chain.asof.timestamp()) > 500


@pytest.mark.parametrize(
    ("name", "ticker", "asof", "contracts"),
    [
        ("spx_20220712.csv.gz", "SPX", "2022-07-12T11:40", 2 * 9689),
        ("spx_20230609.csv.gz", "SPX", "2023-06-09T13:25", 2 * 8894),
        ("spy_20230605.csv.gz", "SPY", "2023-06-02T16:00", 2 * 3843),
        ("qqq_20240322.csv.gz", "QQQ", "2024-03-22T16:00", 2 * 4920),
        ("rut_20221212.csv.gz", "RUT", "2022-12-12T16:00", 2 * 3667),
        ("ndx_20230526.csv.gz", "NDX", "2023-05-26T16:00", 2 * 10926),
        ("cboe_rut_20230920.json.gz", "RUT", "2023-09-20T16:00", 6680),
        ("cboe_spy_20220401.json.gz", "SPY", "2022-04-01T16:00", 9798),
        ("tda_spy_20220520.json.gz", "SPY", "2022-05-20T16:00", 1024),
    ],
)
def test_real_files_are_read_whole(captured_data: Path, name: str, ticker: str, asof: str, contracts: int):
    chain = load_chain(captured_data / "gex" / name)
    assert (chain.ticker, len(chain)) == (ticker, contracts)
    assert chain.asof == datetime.fromisoformat(asof).replace(tzinfo=NEW_YORK)
