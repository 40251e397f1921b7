import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from streaming.chains.schwab import merge_chains, osi_symbol, parse_chain, read_answer
from streaming.clock import epoch_ms
from streaming.errors import ContractError
from streaming.model import ChainQuality
from tests.data_builders.chains import made
from tests.data_builders.shapes import schwab_chain
from tests.support.schwab_chains import chain_document, contract
from tests.support.slow_gex import settles

ASOF = datetime(2025, 5, 9, 19, 30, tzinfo=UTC)
CALL = "SPXW  250520C05660000"
PUT = "SPXW  250520P05660000"


def parse(*contracts, **more):
    return parse_chain(chain_document(*contracts, **more), ticker="SPX", asof=ASOF)


def one(name, **more):
    chain = parse(contract(CALL, **more))
    return getattr(chain, name)[0]


def test_a_whole_answer_is_read_row_by_row():
    market = made("spx_schwab.json").market
    chain = parse_chain(made("spx_schwab.json").payload, ticker="SPX", asof=ASOF)
    lines = {line.osi(width=6): line for line in market.standard}
    assert (len(chain), chain.spot, chain.delayed, chain.asof) == (len(lines), 6881.25, False, ASOF)
    assert set(chain.symbol.tolist()) == set(lines)
    own = [lines[symbol] for symbol in chain.symbol.tolist()]
    assert chain.root.tolist() == [line.root for line in own]
    assert chain.expiry.tolist() == [line.expiry for line in own]
    assert chain.settle_s.tolist() == [settles(line.root, line.expiry).timestamp() for line in own]
    assert chain.strike.tolist() == [line.strike for line in own]
    assert chain.is_call.tolist() == [line.call for line in own]
    assert chain.bid.tolist() == [line.bid for line in own]
    assert chain.ask.tolist() == [line.ask for line in own]
    assert chain.volume.tolist() == [line.volume for line in own]
    assert chain.open_interest.tolist() == [line.open_interest for line in own]
    assert np.isnan(chain.iv).tolist() == [line.iv is None for line in own]
    assert chain.iv[~np.isnan(chain.iv)] == pytest.approx([line.iv for line in own if line.iv is not None])


def test_both_sentinels_minis_and_adjusted_lines_are_in_that_answer():
    payload = made("spx_schwab.json").payload
    for trap in (b'"volatility": -999.0', b'"volatility": "NaN"', b'"mini": true', b'"nonStandard": true'):
        assert trap in payload
    assert {line.root for line in made("spx_schwab.json").market.lines if not line.standard} == {"SPX1", "SPXW"}


def test_puts_alone_date_themselves_when_asked():
    market = made("ndx_schwab.json").market
    quoted = datetime(2026, 11, 27, 20, 59, 59, 414000, tzinfo=UTC)
    chain = parse_chain(schwab_chain(market, sides="P", quoted=quoted), ticker="NDX", asof=None)
    puts = [line for line in market.standard if not line.call]
    assert chain.asof == quoted - timedelta(milliseconds=min(line.volume % 900 for line in puts))
    assert (len(chain), len(set(chain.expiry.tolist())), chain.spot) == (len(puts), 4, 25010.5)
    assert chain.open_interest.sum() == sum(line.open_interest for line in puts)
    assert not chain.is_call.any()


def test_a_td_ameritrade_chain_is_read_too():
    market = made("spy_ameritrade.json").market
    chain = parse_chain(made("spy_ameritrade.json").payload, ticker="SPY", asof=None)
    first = market.lines[0]
    assert (len(chain), chain.spot, chain.delayed) == (len(market.lines), 390.655, True)
    assert np.isnan(chain.iv).sum() == sum(line.iv is None for line in market.lines) > 40  # the -999 sentinels
    assert (first.osi(width=6), chain.symbol[0]) == ("SPY   220523C00379000",) * 2
    assert set(chain.root.tolist()) == {"SPY"}
    assert (chain.strike[0], chain.bid[0], chain.open_interest[0], chain.volume[0]) == (
        first.strike,
        first.bid,
        first.open_interest,
        first.volume,
    )
    assert chain.settle_s[0] == datetime(2022, 5, 23, 20, 0, tzinfo=UTC).timestamp()


def test_both_spellings_of_the_fields_are_read():
    item = contract(CALL)
    item["bidPrice"], item["askPrice"] = item.pop("bid"), item.pop("ask")
    chain = parse(item)
    assert (chain.bid[0], chain.ask[0]) == (1.0, 1.2)
    assert len(parse(contract(CALL, isNonStandard=True), contract(PUT, isMini=True))) == 0


@pytest.mark.parametrize("odd", [-999.0, -999, "NaN", 0.0, None, "x", float("nan"), [1]])
def test_an_unusable_volatility_is_nan(odd):
    chain = parse(contract(CALL, volatility=odd), contract(PUT))
    assert np.isnan(chain.iv[0])
    assert chain.iv[1] == pytest.approx(0.165)


def test_absurd_but_valid_volatilities_stay():
    assert one("iv", volatility=6305.0) == pytest.approx(63.05)


@pytest.mark.parametrize(("odd", "known"), [(None, 0.0), (-1, 0.0), ("NaN", 0.0), (7, 7.0), (-999.0, 0.0)])
def test_unknown_open_interest_and_volume_count_as_zero(odd, known):
    chain = parse(contract(CALL, openInterest=odd, totalVolume=odd))
    assert (chain.open_interest[0], chain.volume[0]) == (known, known)


def test_a_missing_bid_is_nan_and_a_zero_bid_is_zero():
    assert np.isnan(one("bid", bid=None))
    assert np.isnan(one("ask", ask=-999.0))
    assert one("bid", bid=0) == 0.0


def test_two_contracts_at_one_strike_are_kept_apart():
    monthly = contract("SPX   250620C05660000", settlementType="A")
    weekly = contract("SPXW  250620C05660000", settlementType="P")
    document = json.loads(chain_document(monthly, weekly))
    assert [len(items) for items in document["callExpDateMap"]["2025-06-20:9"].values()] == [2]
    chain = parse(monthly, weekly)
    assert chain.root.tolist() == ["SPX", "SPXW"]
    assert chain.settle_s.tolist() == [
        datetime(2025, 6, 20, 13, 30, tzinfo=UTC).timestamp(),
        datetime(2025, 6, 20, 20, 0, tzinfo=UTC).timestamp(),
    ]


@pytest.mark.parametrize(
    ("flag", "root", "hour"), [(" ", "SPX", 13), (None, "SPXW", 20), ("P", "SPX", 20), ("A", "SPXW", 13)]
)
def test_the_settlement_flag_wins_over_the_root(flag, root, hour):
    settle_s = one("settle_s", settlementType=flag, optionRoot=root)
    assert datetime.fromtimestamp(settle_s, UTC).hour == hour


def test_a_half_day_settles_at_its_close():
    chain = parse(contract("SPXW  251128C06000000"))
    assert chain.settle_s[0] == datetime(2025, 11, 28, 18, 0, tzinfo=UTC).timestamp()


def test_adjusted_contracts_and_minis_are_left_out():
    chain = parse(
        contract(CALL),
        contract("SPXW  250520C05665000", nonStandard=True),
        contract("SPXW  250520C05670000", mini=True),
        contract("SPXW  250520C05675000", multiplier=10.0),
    )
    assert chain.symbol.tolist() == [CALL]


@pytest.mark.parametrize("odd", [None, 0, -999.0, "NaN", "x"])
def test_a_contract_without_a_strike_is_left_out(odd):
    assert parse(contract(CALL, strikePrice=odd), contract(PUT)).symbol.tolist() == [PUT]


def test_a_contract_listed_twice_counts_once():
    assert len(parse(contract(CALL), contract(CALL))) == 1


def test_an_answer_without_contracts_is_an_empty_chain():
    chain = parse(status="FAILED", underlyingPrice=0.0)
    assert len(chain) == 0
    assert np.isnan(chain.spot)
    assert chain.symbol.dtype.kind == "U"


def test_the_spot_comes_from_the_underlying_when_the_head_has_none():
    assert parse(underlyingPrice=None, underlying={"last": 5660.5, "mark": 5661.0}).spot == 5660.5
    assert parse(underlyingPrice="NaN", underlying={"last": -999.0, "mark": 5661.0}).spot == 5661.0


def test_odd_types_cost_the_value_and_not_the_chain():
    chain = parse(contract(CALL, strikePrice="5660.0", bid=[1]), contract(PUT, nonStandard="no"), isDelayed="maybe")
    assert len(chain) == 2
    assert np.isnan(chain.bid[0])


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'{"fault":{}}', b"\xff\xfe", b"<html>"])
def test_what_is_no_chain_is_a_contract_error(raw):
    with pytest.raises(ContractError):
        parse_chain(raw, ticker="SPX", asof=None)


def read(*contracts, **more):
    return read_answer(chain_document(*contracts, **more), ticker="SPX", asof=ASOF)


@pytest.mark.parametrize("key", ["someday", "", "0001-01-01:0", "2025-13-40:3"])
def test_a_map_key_that_is_no_date_costs_its_own_rows_and_is_counted(key):
    document = json.loads(chain_document(contract(CALL), contract(PUT)))
    document["callExpDateMap"][key] = {"5660.0": [contract(CALL)]}
    answer = read_answer(json.dumps(document).encode(), ticker="SPX", asof=ASOF)
    assert answer.chain.symbol.tolist() == [CALL, PUT]
    assert answer.odd_rows == 1


@pytest.mark.parametrize("text", ["100.0", "100", " 100 "])
def test_a_multiplier_written_as_text_counts_like_the_number(text):
    assert parse(contract(CALL, multiplier=text), contract(PUT)).symbol.tolist() == [CALL, PUT]


@pytest.mark.parametrize(
    "odd", [{"strikePrice": 100_000.0}, {"strikePrice": 1e300}, {"strikePrice": "x"}, {"multiplier": "x"}]
)
@pytest.mark.parametrize("symbol", ["XYZ_052025C100000", CALL])
def test_a_row_with_a_strike_or_multiplier_that_cannot_be_costs_itself(odd, symbol):
    answer = read(contract(CALL) | odd | {"symbol": symbol}, contract(PUT)) if symbol == CALL else _filed(symbol, odd)
    assert answer.chain.symbol.tolist() == [PUT]
    assert answer.odd_rows == 1


def _filed(symbol, odd):
    """An answer with a row of another spelling in its call map."""
    document = json.loads(chain_document(contract(CALL), contract(PUT)))
    document["callExpDateMap"]["2025-05-20:9"] = {"x": [contract(CALL) | odd | {"symbol": symbol}]}
    return read_answer(json.dumps(document).encode(), ticker="SPX", asof=ASOF)


def test_entries_that_are_no_contracts_are_counted_and_the_rest_is_read():
    document = json.loads(chain_document(contract(CALL), contract(PUT)))
    document["putExpDateMap"]["2025-05-20:9"]["5670.0"] = [5, {"no": "symbol"}]
    document["putExpDateMap"]["2025-05-21:9"] = "gone"
    answer = read_answer(json.dumps(document).encode(), ticker="SPX", asof=ASOF)
    assert (len(answer.chain), answer.odd_rows) == (2, 3)


def test_contracts_of_another_kind_are_left_out_without_being_odd():
    answer = read(contract(CALL, mini=True), contract(PUT, multiplier=10.0), contract(PUT[:-1] + "1", nonStandard=True))
    assert (len(answer.chain), answer.odd_rows, answer.calls_listed, answer.puts_listed) == (0, 0, 1, 2)


def test_an_answer_tells_what_it_takes_to_judge_it():
    whole = read(contract(CALL), contract(PUT))
    assert (whole.symbol, whole.failed, whole.has_both_maps) == ("$SPX", False, True)
    nothing = read_answer(b"{}", ticker="SPX", asof=ASOF)
    assert (len(nothing.chain), nothing.failed, nothing.has_both_maps) == (0, False, False)
    assert not read(contract(CALL), callExpDateMap=None).has_both_maps
    assert read(status="FAILED").failed


def test_a_name_that_belongs_to_another_day_is_made_from_its_place():
    document = json.loads(chain_document(contract(CALL), contract(PUT)))
    document["callExpDateMap"]["2025-05-20:9"]["5660.0"][0]["symbol"] = "SPXW  259999C05660000"
    assert parse_chain(json.dumps(document).encode(), ticker="SPX", asof=ASOF).symbol.tolist() == [CALL, PUT]


def test_osi_symbols_are_padded_and_keep_half_points():
    assert osi_symbol("SPY", date(2025, 12, 19), 600.5, call=True) == "SPY   251219C00600500"
    assert osi_symbol("SPXW", date(2025, 12, 8), 6880.0, call=False) == "SPXW  251208P06880000"


def test_merging_takes_each_contract_once_from_the_newest_part():
    old = parse(contract(CALL, bid=1.0), contract(PUT, bid=2.0))
    raw = chain_document(contract(CALL, bid=5.0), underlyingPrice=5700.0)
    new = parse_chain(raw, ticker="SPX", asof=ASOF + timedelta(seconds=9))
    merged = merge_chains([old, new])
    bids = dict(zip(merged.symbol.tolist(), merged.bid.tolist(), strict=True))
    assert bids == {CALL: 5.0, PUT: 2.0}
    assert (merged.spot, merged.asof) == (5700.0, ASOF + timedelta(seconds=9))
    assert merged.expiry.dtype == new.expiry.dtype


def test_what_was_left_out_doubled_or_not_sent_is_counted_and_added_up():
    part = parse(
        contract(CALL), contract(CALL), contract(PUT, openInterest=None), contract("SPXW  250520P05670000"),
        contract("SPXW  250520P05680000", mini=True), contract("SPXW  250520P05690000", strikePrice=0),
    )  # fmt: skip
    quality = part.quality
    assert (quality.doubled, quality.foreign, quality.unreadable) == (1, 1, 1)
    assert (quality.calls_without_interest, quality.puts_without_interest) == (0.0, 0.5)
    whole = parse(contract(CALL), contract(PUT))
    assert whole.quality == ChainQuality()
    merged = merge_chains([part, whole]).quality
    assert (merged.doubled, merged.foreign, merged.unreadable) == (1, 1, 1)
    assert merged.puts_without_interest == pytest.approx(0.5 * 3 / 5)


def test_merging_does_not_take_a_spot_that_is_unknown():
    raw = chain_document(contract(PUT), underlyingPrice=0.0)
    blind = parse_chain(raw, ticker="SPX", asof=ASOF + timedelta(seconds=9))
    assert merge_chains([blind, parse(contract(CALL))]).spot == 5659.91


def test_a_merged_chain_knows_when_each_expiry_was_polled():
    later = timedelta(seconds=9)
    near = parse_chain(chain_document(contract(CALL)), ticker="SPX", asof=ASOF)
    other = CALL.replace("250520", "250620")
    far = parse_chain(chain_document(contract(other)), ticker="SPX", asof=ASOF + later)
    merged = merge_chains([near, far])
    assert merged.polled_ms == {date(2025, 5, 20): epoch_ms(ASOF), date(2025, 6, 20): epoch_ms(ASOF + later)}
    assert merged.oldest_ms == epoch_ms(ASOF)
    assert near.oldest_ms == epoch_ms(ASOF)


def test_merging_nothing_is_refused():
    with pytest.raises(ValueError, match="no chains"):
        merge_chains([])


def clocked(expiry: str, late_s: float) -> list[dict[str, object]]:
    """Three contracts whose gamma and vega say when the time ends that their volatility was solved with."""
    close = settles("SPXW", date.fromisoformat(f"20{expiry}"))
    years = ((close - ASOF).total_seconds() + late_s) / (365 * 86_400)
    vega = round(years * 0.125 * 5659.91**2 * 0.165 / 100.0, 3)
    return [contract(f"SPXW  {expiry}C{strike}000", gamma=0.125, vega=vega) for strike in ("05660", "05665", "05670")]


def test_the_greeks_of_an_expiry_tell_the_clock_of_its_volatilities():
    chain = parse(*clocked("250520", 900.0))
    assert chain.vendor_end_s == {
        ("SPXW", date(2025, 5, 20)): pytest.approx(settles("SPXW", date(2025, 5, 20)).timestamp() + 900.0, abs=2.0)
    }
    assert parse(contract(CALL), contract(CALL, gamma=-999.0, vega="NaN")).vendor_end_s == {}


def test_a_merged_chain_knows_the_newest_clock_of_every_expiry():
    parts = [parse(*clocked("250520", 900.0)), parse(*clocked("250520", 600.0)), parse(*clocked("250620", 0.0))]
    merged = merge_chains(
        [replace(part, asof=ASOF + timedelta(seconds=s)) for s, part in zip((0, 9, 5), parts, strict=True)]
    )
    assert merged.vendor_end_s == parts[1].vendor_end_s | parts[2].vendor_end_s
