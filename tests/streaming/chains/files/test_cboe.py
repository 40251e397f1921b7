"""CBOE's table and JSON with every trap that real files hold."""

import json
from datetime import date, datetime

import numpy as np
import pytest

from streaming.calendar import NEW_YORK
from streaming.chains.files.cboe import parse_csv, parse_json
from streaming.chains.files.cboe_table import read_table
from streaming.errors import ContractError
from streaming.model import ChainQuality

COLUMNS = (
    "Expiration Date,Calls,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest,Strike,"
    "Puts,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest"
)
ROW = (
    "Fri Jun 09 2023,SPXW230609C04300000,10,-0.5,9.9,10.1,20000,0.11,0.5,0.01,6000,4300.00,"
    "SPXW230609P04300000,9,0,8.9,9.1,26000,0.1105,-0.5,0.01,5000"
)
AM_ROW = ROW.replace("Fri Jun 09 2023", "Fri Jun 16 2023").replace("SPXW230609", "SPX230616")
NAME = "Standard & Poors 500 Index,Last: 4300.0098,Change:  6.0798"
DATE = "Date: 9 June 2023, 1:40 PM EDT,Bid: 4299.3398,Ask: 4300.8301,Size: 1*1,Volume: 0"


def table(*rows: str, name: str = NAME, when: str = DATE, before: str = "\n") -> bytes:
    return (before + "\n".join((name, when, COLUMNS, *rows)) + "\n").encode()


def new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


def test_a_row_is_a_call_and_a_put():
    chain = parse_csv(table(ROW, AM_ROW))
    assert (chain.ticker, chain.spot, chain.source, chain.delayed) == ("SPX", 4300.0098, "cboe", True)
    assert chain.asof == new_york("2023-06-09T13:25")
    assert chain.root.tolist() == ["SPXW", "SPX", "SPXW", "SPX"]
    assert chain.is_call.tolist() == [True, True, False, False]
    assert chain.iv.tolist() == [0.11, 0.11, 0.1105, 0.1105]
    assert chain.open_interest.tolist() == [6000, 6000, 5000, 5000]
    assert chain.volume.tolist() == [20000, 20000, 26000, 26000]
    assert chain.bid.tolist() == [9.9, 9.9, 8.9, 8.9]
    assert chain.ask.tolist() == [10.1, 10.1, 9.1, 9.1]


@pytest.mark.parametrize(
    "payload",
    [
        table(ROW, before=""),
        table(ROW, before="---Example Data---\n"),
        table(ROW, name=NAME + "," * 19, when=DATE + "," * 17, before=""),
        table(ROW).replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + table(ROW, before=""),
        table(ROW) + b"\n\n",
        table(ROW)[:-1],
        table(ROW, name='"PowerShares, Series 1 (ETF)",Last: 4300.0098,Change: 1'),
        table(ROW, name=NAME.replace("4300.0098", '"4,300.0098"')),
        table(ROW, when=DATE.replace("Volume: 0", '"Volume: 28,253,899')),
        table(ROW, when=DATE.replace("Volume: 0", "Volume: 91,391,793")),
        table(ROW.replace("4300.00", "4300")),
        table(ROW, "Fri Jun 09 2023,,,"),
        table(ROW.replace("20000", '"20,000"')),
        table(ROW + ",", ROW.replace("04300000", "04305000") + ",")[: -len(ROW) - 2],
    ],
    ids=[
        "no blank line", "title line", "trailing commas", "CRLF", "BOM", "blank lines at the end", "no last newline",
        "comma in the name", "comma in the price", "unbalanced quote", "commas in the volume", "integer strike",
        "short row", "quoted number", "commas at line ends",
    ],
)  # fmt: skip
def test_every_layout_reads_the_same(payload: bytes):
    chain = parse_csv(payload)
    assert chain.spot == 4300.0098
    assert chain.strike.tolist() == [4300.0, 4300.0]
    assert chain.volume.tolist() == [20000, 26000]
    assert chain.open_interest.tolist() == [6000, 5000]
    assert chain.asof == new_york("2023-06-09T13:25")


def test_a_given_quote_time_wins_and_needs_no_date_in_the_file():
    asof = new_york("2023-06-09T15:00")
    assert parse_csv(table(ROW, when="no clock"), asof=asof).asof == asof
    with pytest.raises(ContractError, match="when it was downloaded"):
        parse_csv(table(ROW, when="no clock"))


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.05", 0.05), ("-12.5", -12.5), (".5", 0.5), ("7", 7.0), ("1e3", 1e3), ("0.123456789012345", 0.123456789012345)],
)  # fmt: skip
def test_numbers_are_read_to_the_last_digit(text: str, value: float):
    assert parse_csv(table(ROW.replace("9.9,", f"{text},"))).bid[0] == value


@pytest.mark.parametrize("text", ["", "--", "n/a", "1.2.3", "-", "."])
def test_what_is_no_number_is_unknown(text: str):
    chain = parse_csv(table(ROW.replace("9.9,", f"{text},").replace(",6000,", f",{text},")))
    assert np.isnan(chain.bid[0])
    assert chain.open_interest[0] == 0.0


@pytest.mark.parametrize(
    "payload",
    [
        b"hello",
        table(),
        table("Fri Jun 09 2023" + "," * 21),
        table(ROW).replace(b"Open Interest", b"Interest"),
        table(ROW.replace("26000", '"' + "9" * 200_000 + '"')),
    ],
)
def test_what_is_no_chain_is_refused(payload: bytes):
    with pytest.raises(ContractError):
        parse_csv(payload)


def test_a_table_without_a_price_has_no_spot():
    assert np.isnan(parse_csv(table(ROW, name="no price here")).spot)


def test_rows_that_break_off_are_counted_and_a_cut_is_told_from_a_short_line():
    cut = parse_csv(table(ROW, AM_ROW)[:-40]).quality
    assert (cut.cut_off, cut.unreadable) == (True, 1)
    short = parse_csv(table(ROW, "Fri Jun 09 2023,SPXW230609C04305000,1")).quality
    assert (short.cut_off, short.unreadable) == (False, 1)
    odd = parse_csv(table(ROW, AM_ROW.replace("SPX230616P", "SPX231316P"))).quality
    assert (odd.cut_off, odd.unreadable) == (False, 1)
    assert parse_csv(table(ROW)[:-1]).quality == parse_csv(table(ROW)).quality == ChainQuality()


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_spreadsheets_separate_otherwise_and_write_decimal_commas(separator: str):
    assert parse_csv(table(ROW).replace(b",", separator.encode())).bid.tolist() == [9.9, 8.9]
    cells = ROW.replace(".", "_").replace(",", separator).replace("_", ",").replace("20000", "20.000")
    head = "\n".join((NAME, DATE, COLUMNS.replace(",", separator)))
    chain = parse_csv(f"{head}\n{cells}\n".encode())
    assert chain.bid.tolist() == [9.9, 8.9]
    assert chain.iv.tolist() == [0.11, 0.1105]
    assert (chain.volume.tolist(), chain.spot) == ([20000, 26000], 4300.0098)


def test_thousands_between_tabs_are_no_decimals():
    cells = ROW.replace(",", "\t").replace("20000", "20,000")
    head = "\n".join((NAME, DATE, COLUMNS.replace(",", "\t")))
    assert parse_csv(f"{head}\n{cells}\n".encode()).volume.tolist() == [20000, 26000]


def test_a_table_of_the_years_before_2021_is_read():
    head = "SPX (S&P 500 INDEX),4300.01,+1.00,\nJun 09 2023 @ 13:40 ET,Bid,4300,Ask,4301\n"
    columns = COLUMNS.replace("Volume", "Vol").replace("Open Interest", "Open Int")
    chain = parse_csv(f"{head}{columns}\n{ROW}\n".encode())
    assert (chain.ticker, chain.spot, chain.asof) == ("SPX", 4300.01, new_york("2023-06-09T13:25"))
    assert chain.open_interest.tolist() == [6000, 5000]


def test_a_table_that_pandas_wrote_again_is_read():
    twice = ",".join(f"{name}.1" if place > 11 else name for place, name in enumerate(COLUMNS.split(",")))
    text = table(ROW).decode().replace(COLUMNS, f",{twice}").replace(ROW, f"0,{ROW}")
    assert parse_csv(text.encode()).open_interest.tolist() == [6000, 5000]


def option(symbol: str, **fields: object) -> dict[str, object]:
    return {"option": symbol, "iv": 0.2, "open_interest": 10.0, "volume": 5.0, "bid": 1.0, "ask": 1.2} | fields


def feed(*options: dict[str, object], **data: object) -> dict[str, object]:
    return {"symbol": "^RUT", "current_price": 1806.1193, "options": list(options)} | data


RUT = option("RUTW230921C01800000")


def test_the_feeds_wrapper_is_read_with_its_clock():
    chain = parse_json(json.dumps({"timestamp": "2023-09-20 18:00:00", "data": feed(RUT)}).encode())
    assert (chain.ticker, chain.spot, chain.root.tolist()) == ("RUT", 1806.1193, ["RUTW"])
    assert chain.asof == new_york("2023-09-20T13:45")


def test_the_inner_object_alone_falls_back_on_its_last_trade_then_on_its_first_expiry():
    traded = json.dumps(feed(RUT, last_trade_time="2023-09-20T16:15:04")).encode()
    assert parse_json(traded).asof == new_york("2023-09-20T16:00")
    assert parse_json(json.dumps(feed(RUT)).encode()).asof == new_york("2023-09-21T16:00")


def test_without_bid_and_ask_the_quotes_are_unknown():
    bare = {"option": "SPY220401C00200000", "iv": 0.02, "open_interest": 0.0, "volume": 0.0}
    chain = parse_json(json.dumps({"symbol": "SPY", "current_price": 0, "close": 452.92, "options": [bare]}).encode())
    assert np.isnan(chain.bid[0])
    assert chain.spot == 452.92


def test_adjusted_and_foreign_roots_are_left_out():
    chain = parse_json(json.dumps(feed(RUT, option("RUT1230921C01800000"), option("MRUT230921C00180000"))).encode())
    assert chain.root.tolist() == ["RUTW"]


def test_what_was_left_out_is_counted_and_a_chain_of_strangers_is_refused():
    stranger = option("MRUT230921C00180000")
    chain = parse_json(json.dumps(feed(RUT, option("RUT1230921C01800000"), stranger, option("no option"))).encode())
    assert (chain.quality.foreign, chain.quality.unreadable) == (2, 1)
    with pytest.raises(ContractError, match=r"None of its 1 contracts \(MRUT\) is a standard one of RUT"):
        parse_json(json.dumps(feed(stranger)).encode())


def test_a_name_that_breaks_its_line_shifts_no_other_row():
    chain = parse_json(json.dumps(feed(option("RUT\nW", iv=9.0), RUT | {"iv": 0.3})).encode())
    assert (chain.symbol.tolist(), chain.iv.tolist()) == (["RUTW  230921C01800000"], [0.3])


@pytest.mark.parametrize(
    "timestamp",
    [
        "2023-09-20 18:00:00", "2023-09-20T18:00:00Z", "2023-09-20T14:00:00-04:00", "2023-09-20 14:00:00 EDT",
        "2023-09-20 20:00:00 CEST", "Wed, 20 Sep 2023 18:00:00 GMT",
    ],
)  # fmt: skip
def test_a_zone_in_the_timestamp_is_honoured(timestamp: str):
    chain = parse_json(json.dumps({"timestamp": timestamp, "data": feed(RUT)}).encode())
    assert chain.asof == new_york("2023-09-20T13:45")


def test_json_that_breaks_off_is_called_so():
    whole = json.dumps(feed(RUT)).encode()
    for length in (len(whole) - 1, len(whole) - 30, len(whole) // 2):
        with pytest.raises(ContractError, match="cut off"):
            parse_json(whole[:length])


def test_odd_values_become_unknown():
    odd = option("RUTW230921P01800000", iv=None, open_interest=None, volume=-5, bid="NaN", ask="x")
    chain = parse_json(json.dumps(feed(odd)).encode())
    assert np.isnan([chain.iv[0], chain.bid[0], chain.ask[0]]).all()
    assert (chain.open_interest[0], chain.volume[0]) == (0.0, 0.0)
    lenient = json.dumps(feed(option("RUTW230921P01800000", iv=float("nan")))).encode()
    assert np.isnan(parse_json(lenient).iv[0])


@pytest.mark.parametrize(
    "payload", [b"{}", b'{"data": 5}', b'{"options": [', b'{"data": {"symbol": "X"}}', b"\xff\xfe"]
)
def test_json_without_options_is_refused(payload: bytes):
    with pytest.raises(ContractError):
        parse_json(payload)


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html>", b"\r\n <html lang='en'>", b"<?xml version='1.0'?>"])
def test_a_web_page_in_the_tables_place_is_called_one(page):
    with pytest.raises(ContractError, match="This is a web page") as caught:
        read_table(page)
    assert caught.value.remedy


def test_the_greeks_of_each_series_tell_the_clock_of_its_volatilities():
    quoted = new_york("2023-09-20T13:45")
    options = []
    for root, day, close in (("RUTW", "230921", "2023-09-21T16:00"), ("RUT", "231020", "2023-10-20T09:30")):
        years = ((new_york(close) - quoted).total_seconds() + 900.0) / (365 * 86_400)
        vega = years * 0.02 * 1806.1193**2 * 0.1 / 100.0
        options += [option(f"{root}{day}C0{strike}000", iv=0.1, gamma=0.02, vega=vega) for strike in (1800, 1805, 1810)]
    chain = parse_json(json.dumps({"timestamp": "2023-09-20 18:00:00", "data": feed(*options)}).encode())
    late = {name: end_s - chain.settle_s[chain.root == name[0]][0] for name, end_s in chain.vendor_end_s.items()}
    assert late == {
        ("RUTW", date(2023, 9, 21)): pytest.approx(900.0, abs=1.0),
        ("RUT", date(2023, 10, 20)): pytest.approx(900.0, abs=1.0),
    }
    assert parse_json(json.dumps(feed(RUT)).encode()).vendor_end_s == {}


def test_a_feed_that_lists_the_same_again_has_the_same_listing_and_its_own_figures():
    first, second = (
        parse_json(
            b'{"timestamp": "2026-08-20 15:15:00", "data": {"symbol": "^SPX", "options": ['
            b'{"option": "SPXW260820C05660000", "iv": %s}, {"option": "SPX7260820C05660000", "iv": 0.9}]}}' % iv
        )
        for iv in (b"0.2", b"0.3")
    )
    assert second.symbol is first.symbol
    assert second.lists_like(first)
    assert (first.iv.tolist(), second.iv.tolist()) == ([0.2], [0.3])
