"""Chains from files: told by content, refused in one sentence."""

import gzip
import json
import tracemalloc
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from streaming.calendar import NEW_YORK
from streaming.chains.files.chain_files import load_chain
from streaming.errors import RequestError
from streaming.model import ChainQuality
from streaming.option_chain import OptionChain
from tests.data_builders.chains import RECIPES, made, spx_whole
from tests.data_builders.disguises import DISGUISES, before_2021, in_percent, in_zip, plain_csv
from tests.data_builders.market import Market
from tests.data_builders.shapes import cboe_feed, cboe_table
from tests.support.slow_gex import settles

TABLE = (
    b"SPY,Last: 427.92,Change: 1\nDate: 9 June 2023, 1:40 PM EDT,Bid: 1\n"
    b"Expiration Date,Calls,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest,Strike,"
    b"Puts,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest\n"
    b"Fri Jun 16 2023,SPY230616C00427500,1,0,1,1.1,2,0.2,0.5,0.1,3,427.50,"
    b"SPY230616P00427500,1,0,1,1.1,2,0.2,-0.5,0.1,4\n"
)
CLOCK = "Date: 9 June 2023, 1:40 PM EDT"
SCHWAB = {
    "symbol": "$SPX",
    "status": "SUCCESS",
    "underlyingPrice": 5659.91,
    "isDelayed": False,
    "callExpDateMap": {
        "2025-05-20:9": {
            "5660.0": [
                {
                    "putCall": "CALL",
                    "symbol": "SPXW  250520C05660000",
                    "bid": 76.0,
                    "ask": 77.4,
                    "volatility": 18.658,
                    "openInterest": 7,
                    "totalVolume": 35,
                    "strikePrice": 5660.0,
                    "settlementType": "P",
                    "multiplier": 100.0,
                    "quoteTimeInLong": 1746821700000,
                }
            ]
        }
    },
    "putExpDateMap": {},
}


def write(folder: Path, payload: bytes, name: str = "chain") -> Path:
    path = folder / name
    path.write_bytes(payload)
    return path


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", ["chain.csv", "chain.json", "chain"])
def test_content_decides_not_the_name(tmp_path: Path, pack, name: str):
    chain = load_chain(write(tmp_path, pack(TABLE), name))
    assert (chain.ticker, chain.spot, len(chain)) == ("SPY", 427.92, 2)
    assert chain.strike.tolist() == [427.5, 427.5]


def test_schwabs_chain_is_quoted_when_its_newest_contract_was_or_at_the_last_close(tmp_path: Path):
    chain = load_chain(write(tmp_path, json.dumps(SCHWAB).encode()))
    assert (chain.ticker, chain.spot, chain.root.tolist()) == ("SPX", 5659.91, ["SPXW"])
    assert chain.iv[0] == pytest.approx(0.18658)
    assert chain.asof == datetime(2025, 5, 9, 16, 0, tzinfo=NEW_YORK)


def test_a_given_quote_time_wins(tmp_path: Path):
    asof = datetime(2025, 5, 9, 11, 0, tzinfo=NEW_YORK)
    assert load_chain(write(tmp_path, json.dumps(SCHWAB).encode()), asof=asof).asof == asof
    assert load_chain(write(tmp_path, TABLE), asof=asof).asof == asof


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (b"", "is empty"),
        (b" \n ", "is empty"),
        (gzip.compress(b"", mtime=0), "is empty"),
        (b"\x1f\x8bnonsense", "cannot be read"),
        (gzip.compress(TABLE, mtime=0)[:40], "cannot be read"),
        (b"hello, world\n", "is not an option chain"),
        (b'{"a": 1}', "is not an option chain"),
        (b"[1, 2]", "is not an option chain"),
        (b'{"callExpDateMap": 5}', "is not an option chain"),
        (b'{"symbol": "X", "options": [], "last_trade_time": "2023-09-20T16:15:04"}', "lists no options"),
        (b"\x00\xff\x00\xff" * 100, "is not an option chain"),
    ],
)
def test_a_file_that_is_no_chain_is_refused_in_one_sentence(tmp_path: Path, payload: bytes, sentence: str):
    path = write(tmp_path, payload)
    with pytest.raises(RequestError, match=sentence) as caught:
        load_chain(path)
    assert str(path) in caught.value.sentence
    assert caught.value.exit_status == 65
    assert "\n" not in caught.value.sentence


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path):
    with pytest.raises(RequestError, match="There is no file"):
        load_chain(tmp_path / "absent.csv")
    with pytest.raises(RequestError, match="cannot be read"):
        load_chain(tmp_path)


def test_settled_lines_stay_in_the_chain(tmp_path: Path):
    weekend = made("spx_weekend.csv")
    chain = load_chain(weekend.write(tmp_path / "chain"))
    assert chain.asof == datetime(2023, 8, 18, 16, 0, tzinfo=NEW_YORK)
    settled = sum(settles(line.root, line.expiry) <= chain.asof for line in weekend.market.lines)
    assert np.count_nonzero(chain.settle_s <= chain.asof.timestamp()) == settled > 500


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", [*RECIPES, "whole"])
def test_whole_files_are_read_to_the_last_contract(tmp_path: Path, name: str, pack):
    from_file = made(name) if name in RECIPES else spx_whole()
    market = from_file.market
    chain = load_chain(write(tmp_path, pack(from_file.payload)))
    assert (chain.ticker, chain.spot, chain.asof) == (market.ticker, market.spot, market.asof)
    found = {
        (str(root), day, bool(call), float(strike)): row
        for *row, root, day, call, strike in zip(
            chain.open_interest.tolist(), chain.volume.tolist(), chain.settle_s.tolist(), chain.root,
            chain.expiry.tolist(), chain.is_call, chain.strike, strict=True,
        )
    }  # fmt: skip
    assert len(found) == len(chain)
    assert found == {
        (line.root, line.expiry, line.call, line.strike): [
            line.open_interest, line.volume, settles(line.root, line.expiry).timestamp()
        ]
        for line in market.standard
    }  # fmt: skip


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "spy_bare.json"])
def test_quotes_and_volatilities_are_those_of_the_file(tmp_path: Path, name: str):
    chain = load_chain(made(name).write(tmp_path / "chain"))
    lines = {line.osi(width=6): line for line in made(name).market.standard}
    own = [lines[symbol] for symbol in chain.symbol.tolist()]
    assert chain.bid.tolist() == [line.bid for line in own]
    assert chain.ask.tolist() == [line.ask for line in own]
    usable = np.isfinite(chain.iv) & (chain.iv > 0.0)
    assert usable.tolist() == [line.iv is not None for line in own]
    assert chain.iv[usable] == pytest.approx([line.iv for line in own if line.iv is not None], rel=1e-12)


def same(one: OptionChain, other: OptionChain) -> bool:
    """Whether two chains hold the same contracts with the same figures, whoever sent them."""
    head = (one.ticker, one.spot, one.asof) == (other.ticker, other.spot, other.asof)
    names = ("symbol", "settle_s", "iv", "open_interest", "volume", "bid", "ask")
    rows = [np.argsort(chain.symbol, kind="stable") for chain in (one, other)]
    columns = ((getattr(one, name)[rows[0]], getattr(other, name)[rows[1]]) for name in names)
    return head and all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in columns)


@pytest.mark.parametrize("name", ["spx_intraday.csv", "xsp_untraded.csv"])
@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_table_that_went_through_other_programs_is_the_same_chain(tmp_path: Path, name: str, disguise: str):
    plain = made(name).payload
    chain = load_chain(write(tmp_path, DISGUISES[disguise](plain)))
    assert same(chain, load_chain(write(tmp_path, plain)))


def test_the_layout_of_before_2021_and_percentages_are_the_same_chain(tmp_path: Path):
    market = made("spx_intraday.csv").market
    plain = load_chain(write(tmp_path, made("spx_intraday.csv").payload))
    assert same(load_chain(write(tmp_path, before_2021(market, clock="Jun 09 2023 @ 13:40 ET,Bid,1"))), plain)
    percent = load_chain(write(tmp_path, cboe_table(in_percent(market), name="X", clock=CLOCK)))
    assert percent.quality == ChainQuality(iv_in_percent=True)
    assert percent.iv == pytest.approx(plain.iv, rel=1e-5, nan_ok=True)


def test_a_plain_csv_is_the_same_chain_as_the_vendors_file(tmp_path: Path):
    for name in ("spx_intraday.csv", "ndx_evening.csv", "spy_yearless.csv"):
        market = made(name).market
        vendors = load_chain(write(tmp_path, made(name).payload))
        own = load_chain(write(tmp_path, plain_csv(market)))
        unread = np.where(vendors.iv == 0.0, np.nan, vendors.iv)
        assert same(own, replace(vendors, iv=unread))
        given = load_chain(write(tmp_path, plain_csv(market, columns=False)), asof=market.asof, spot=market.spot)
        assert same(given, own)


def test_contracts_that_are_listed_twice_count_once(tmp_path: Path):
    market = made("spx_intraday.csv").market
    plain = load_chain(write(tmp_path, made("spx_intraday.csv").payload))
    twice = Market(market.ticker, market.spot, market.asof, market.lines * 2)
    for payload in (
        cboe_table(twice, name="X", clock=CLOCK), cboe_feed(twice, fetched="2023-06-09 17:40:00"), plain_csv(twice),
    ):  # fmt: skip
        chain = load_chain(write(tmp_path, payload))
        assert len(chain) == len(plain)
        assert chain.quality.doubled == len(plain)
        assert chain.open_interest.sum() == plain.open_interest.sum()


def test_without_a_price_the_quotes_imply_it_and_a_given_one_wins(tmp_path: Path):
    market = made("spx_intraday.csv").market
    table = cboe_table(market, name="X", clock=CLOCK).replace(b"Last: 4301.25", b"Last: 0")
    chain = load_chain(write(tmp_path, table))
    assert chain.quality.spot_implied
    assert chain.spot == pytest.approx(market.spot, abs=1.0)
    given = load_chain(write(tmp_path, table), spot=4301.25)
    assert (given.spot, given.quality.spot_implied) == (4301.25, False)
    silent = load_chain(made("ndx_evening.csv").write(tmp_path / "ndx"), spot=None)
    assert not silent.quality.spot_implied


@pytest.mark.parametrize(
    ("payload", "sentence", "help_"),
    [
        (b"<!DOCTYPE html><title>Access denied</title>", "a web page titled 'Access denied'", "Download the table"),
        (TABLE.replace(b"Date: 9 June 2023, 1:40 PM EDT", b"Date:"), "when it was downloaded", "--asof"),
        (TABLE.replace(b"EDT", b"IST"), "the zone IST", "--asof"),
        (b"expiry,strike,type,root\n2023-06-16,430,C,SPY\n", "when its quotes were live", "--asof"),
        (b"a,b\n1,2\n", "columns with Calls and Puts", "specs/chain-files.md"),
        (b"%PDF-1.7", "a PDF", "Download the table"),
    ],
)
def test_a_refusal_says_what_the_file_is_and_what_helps(tmp_path: Path, payload: bytes, sentence: str, help_: str):
    with pytest.raises(RequestError, match=sentence) as caught:
        load_chain(write(tmp_path, payload))
    assert help_ in caught.value.remedy


@pytest.mark.parametrize("pack", [bytes, gzip.compress, in_zip], ids=["plain", "gzip", "zip"])
def test_a_file_that_is_or_unpacks_to_more_than_any_chain_is_refused_before_it_fills_the_memory(tmp_path: Path, pack):
    path = write(tmp_path, pack(b"\0" * 70_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(RequestError, match="64 MB"):
            load_chain(path)
        assert tracemalloc.get_traced_memory()[1] < 140_000_000
    finally:
        tracemalloc.stop()
