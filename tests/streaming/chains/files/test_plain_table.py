"""The plain CSV that anybody can make."""

from datetime import datetime

import numpy as np
import pytest

from streaming.calendar import NEW_YORK
from streaming.chains.files import plain_table
from streaming.chains.files.plain_table import is_plain, parse_plain
from streaming.errors import ContractError
from streaming.model import ChainQuality

HEAD = "root,expiry,strike,type,bid,ask,iv,open interest,volume,spot,time"
CALL = "SPXW,2024-06-21,5000,C,40,40.4,0.12,300,20,5001.5,2024-06-03 12:00:00"
PUT = "SPXW,2024-06-21,5000,P,38,38.4,0.13,200,10,5001.5,2024-06-03 12:00:00"


def csv(*rows: str, head: str = HEAD) -> bytes:
    return "\n".join((head, *rows, "")).encode()


def new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


def test_a_row_is_a_contract():
    chain = parse_plain(csv(CALL, PUT, CALL.replace("SPXW", "SPX")))
    assert (chain.ticker, chain.spot, chain.source, chain.asof) == ("SPX", 5001.5, "file", new_york("2024-06-03T12:00"))
    assert chain.symbol.tolist()[:2] == ["SPXW  240621C05000000", "SPXW  240621P05000000"]
    assert (chain.bid[0], chain.ask[0], chain.iv[0]) == (40.0, 40.4, 0.12)
    assert (chain.open_interest.tolist(), chain.volume.tolist()) == ([300, 200, 300], [20, 10, 20])
    assert np.diff(chain.settle_s[[2, 0]]).tolist() == [6.5 * 3600]


@pytest.mark.parametrize(
    "payload",
    [
        csv(CALL, PUT, head=HEAD.replace("open interest", "openInterest").replace("iv", "IV")),
        csv(CALL, PUT, head=HEAD.replace("open interest", "open_interest").upper()),
        csv(CALL, PUT).replace(b"\n", b"\r\n"),
        csv(CALL, PUT).replace(b"\n", b"\r"),
        csv(CALL, PUT).replace(b",", b";"),
        csv(CALL, PUT).replace(b",", b";").replace(b".", b","),
        csv(CALL.replace(",C,", ",call,"), PUT.replace(",P,", ",Put,")),
        csv(CALL.replace("2024-06-21", "2024-06-21 00:00:00"), PUT),
        csv(f"0,{CALL},x", f"1,{PUT},y", head=f",{HEAD},anything"),
        csv(*(row.replace("2024-06-03 12:00:00", "2024-06-03T18:00:00+02:00") for row in (CALL, PUT))),
        csv(*(row.replace("2024-06-03 12:00:00", "1717430400") for row in (CALL, PUT))),
        csv(CALL.replace("SPXW", '"^SPXW"'), PUT),
        csv(CALL, PUT)[:-1],
    ],
    ids=[
        "yfinance's spelling",
        "capitals", "CRLF", "lines of an old Mac", "semicolons", "decimal commas", "words for the side", "a timestamp",
        "more columns", "a zone", "seconds", "a caret", "no last newline",
    ],
)  # fmt: skip
def test_every_way_to_write_it_reads_the_same(payload: bytes):
    assert is_plain(payload)
    chain = parse_plain(payload)
    assert chain.symbol.tolist() == ["SPXW  240621C05000000", "SPXW  240621P05000000"]
    assert (chain.iv.tolist(), chain.open_interest.tolist(), chain.spot) == ([0.12, 0.13], [300, 200], 5001.5)
    assert chain.asof == new_york("2024-06-03T12:00")
    assert chain.quality == ChainQuality()


def test_figures_that_are_no_columns_are_unknown():
    chain = parse_plain(b"expiry,strike,type,root\n2024-06-21,5000,C,SPY\n", asof=new_york("2024-06-03T12:00"))
    assert np.isnan([chain.iv[0], chain.bid[0], chain.spot]).all()
    assert chain.quality.calls_without_interest == 1.0


def test_quotes_of_an_evening_are_those_of_the_close():
    late = CALL.replace("12:00:00", "20:31:00")
    assert parse_plain(csv(late)).asof == new_york("2024-06-03T16:00")


def test_rows_that_are_no_contracts_are_counted():
    bad = (
        CALL.replace("2024-06-21", "06/21/2024"),
        CALL.replace("5000,C", "-1,C"),
        CALL.replace(",C,", ",X,"),
        "SPXW,1",
    )
    quality = parse_plain(csv(CALL, *bad)).quality
    assert (quality.unreadable, quality.cut_off) == (4, False)
    cut = parse_plain(csv(CALL, PUT)[:-30]).quality
    assert (cut.unreadable, cut.cut_off) == (1, True)


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (csv(), "no row below its columns"),
        (csv(CALL.replace("2024-06-21", "06/21/2024")), r"expiry '06/21/2024' \(2024-06-21 is one\)"),
        (csv(CALL.replace("2024-06-03 12:00:00", "")), "does not say when its quotes were live"),
        (csv(CALL, PUT.replace("06-03 12", "06-04 12")), "of 2 days, 2024-06-03 to 2024-06-04"),
        (csv(CALL, '"' + "9" * 200_000), "The CSV is broken"),
        (csv(CALL, '"' + PUT, CALL), "The CSV is broken"),
    ],
)
def test_what_is_no_chain_of_one_moment_is_refused_with_the_reason(payload: bytes, sentence: str):
    with pytest.raises(ContractError, match=sentence) as caught:
        parse_plain(payload)
    assert caught.value.remedy


def test_more_rows_than_any_chain_has_are_refused_before_they_are_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(plain_table, "_MOST_ROWS", 2)
    with pytest.raises(ContractError, match="It has 3 rows"):
        parse_plain(csv(CALL, PUT))


@pytest.mark.parametrize("text", [b"", b"hello", b"expiry,strike,type\n", b"\xff\xfe\x00"])
def test_other_text_is_none(text: bytes):
    assert not is_plain(text)
