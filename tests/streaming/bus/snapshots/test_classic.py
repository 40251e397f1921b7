"""streaming/bus/snapshots/classic.py"""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.bus.codec import encode_snapshot
from streaming.bus.snapshots.classic import parse_snapshot
from streaming.errors import ContractError
from streaming.model import ScopeFigures
from tests.support.snapshots import snapshot

NOW_MS = 1_787_233_260_000
CLASSIC = {
    "timestamp": 1787233200,
    "ticker": "SPX",
    "min_dte": 0,
    "sec_min_dte": 1,
    "spot": 6400.25,
    "zero_gamma": 6385.5,
    "major_pos_vol": 6450.0,
    "major_pos_oi": 6500.0,
    "major_neg_vol": 6300.0,
    "major_neg_oi": 6200.0,
    "strikes": [[6395.0, 10.5, -3.25, [9.0, 8.0, 7.0, 6.0, 5.0]], [6400.0, 0, 4.5, [0, 0, 0, 0, 0]]],
    "sum_gex_vol": 1250.0,
    "sum_gex_oi": -310.5,
    "delta_risk_reversal": -0.08,
    "max_priors": [[6400.0, 1.5], [6395.0, -2.0], [0, 0], [6405.0, 3.0], [6410.0, 4.0], [6415.0, 5.0]],
}


def _parse(value):
    return parse_snapshot(json.dumps(value).encode(), received_ms=NOW_MS)


def _with(**changes):
    return _parse({**CLASSIC, **changes})


def _without(*names, **changes):
    return _parse({**{name: value for name, value in CLASSIC.items() if name not in names}, **changes})


def test_the_classic_shape_is_read_whole():
    parsed = _parse(CLASSIC)
    assert (parsed.ticker, parsed.timestamp, parsed.asof_ms) == ("SPX", 1787233200, 1787233200000)
    assert (parsed.spot, parsed.ladder_split, parsed.min_dte, parsed.sec_min_dte) == (6400.25, 6385.5, 0, 1)
    assert (parsed.major_pos_vol, parsed.major_neg_vol) == (6450.0, 6300.0)
    assert (parsed.major_pos_oi, parsed.major_neg_oi) == (6500.0, 6200.0)
    assert (parsed.sum_gex_vol, parsed.sum_gex_oi) == (1250.0, -310.5)
    assert parsed.strikes[0] == (6395.0, 10.5, -3.25, (9.0, 8.0, 7.0, 6.0, 5.0))
    assert parsed.max_priors[:4] == ((6400.0, 1.5), (6395.0, -2.0), (None, None), (6405.0, 3.0))
    assert (parsed.source, parsed.seq, parsed.computed_ms, parsed.scopes) == ("redis", 0, NOW_MS, {})


def test_our_own_shape_decodes_to_the_same_snapshot():
    assert parse_snapshot(encode_snapshot(snapshot("NQ_NDX")), received_ms=NOW_MS) == snapshot("NQ_NDX")


def test_a_later_version_of_our_own_shape_is_still_read():
    fields = {**json.loads(encode_snapshot(snapshot())), "v": 2, "state": "halted", "new": 1}
    assert _parse(fields).sum_gex_vol == 1250.0


@pytest.mark.parametrize("name", ["spot", "spot_price", "price"])
def test_spot_has_several_names(name):
    assert _without("spot", **{name: 6400.25}).spot == 6400.25


@pytest.mark.parametrize("name", ["sum_gex_vol", "net_gex_vol", "net_gex"])
def test_net_gex_has_several_names_and_is_the_sum_by_volume(name):
    assert _without("sum_gex_vol", **{name: -12.5}).sum_gex_vol == -12.5


def test_the_short_names_of_the_majors_are_read():
    parsed = _parse({"ticker": "SPX", "mpos_vol": 1, "mneg_vol": 2, "mpos_oi": 3, "mneg_oi": 4, "net_gex_oi": 5})
    assert (parsed.major_pos_vol, parsed.major_neg_vol, parsed.major_pos_oi, parsed.major_neg_oi) == (1, 2, 3, 4)
    assert parsed.sum_gex_oi == 5


@pytest.mark.parametrize(
    "stamp",
    [
        1787233200,
        1787233200.0,
        1787233200000,
        1787233200000000,
        1787233200000000000,
        "1787233200",
        "1787233200000",
        "2026-08-20T13:40:00Z",
        "2026-08-20T13:40:00",
        "2026-08-20T09:40:00-04:00",
        "2026-08-20 13:40:00+00:00",
    ],
)
def test_every_way_to_write_the_time_is_the_same_instant(stamp):
    assert _with(timestamp=stamp).asof_ms == 1787233200000


@pytest.mark.parametrize("stamp", [None, 0, -5, "soon", "", [], 12345, True])
def test_a_time_that_makes_no_sense_is_the_time_of_receipt(stamp):
    assert _with(timestamp=stamp).asof_ms == NOW_MS


@pytest.mark.parametrize("ahead_ms", [2001, 60_000, 86_400_000_000])
def test_a_time_in_the_future_is_the_time_of_receipt(ahead_ms):
    parsed = _with(timestamp=NOW_MS + ahead_ms)
    assert (parsed.asof_ms, parsed.timestamp) == (NOW_MS, NOW_MS // 1000)


def test_clocks_may_differ_by_two_seconds():
    assert _with(timestamp=NOW_MS + 2000).asof_ms == NOW_MS + 2000


@pytest.mark.parametrize("nonsense", [0, -6400.25, -1e-9, 1e9 + 1, 1e300, "inf", "-5"])
@pytest.mark.parametrize(
    ("name", "field"),
    [("spot",) * 2, ("zero_gamma", "ladder_split"), ("major_pos_oi",) * 2, ("major_neg_vol",) * 2],
)
def test_a_price_that_cannot_be_is_absent(name, field, nonsense):
    assert getattr(_with(**{name: nonsense}), field) is None


def test_rows_and_changes_at_a_price_that_cannot_be_are_left_out():
    parsed = _with(strikes=[[-5, 1, 2, []], [1e300, 1, 2, []], [10, 1, 2, []]], max_priors=[-6400, 2.5])
    assert [row[0] for row in parsed.strikes] == [10.0]
    assert parsed.max_priors[0] == (None, None)


@pytest.mark.parametrize(
    "wrapped",
    [
        {"data": CLASSIC},
        {"result": CLASSIC},
        {"status": "ok", "data": {"result": CLASSIC}},
        {"data": [CLASSIC]},
        {"data": json.dumps(CLASSIC)},
        [CLASSIC],
    ],
)
def test_wrappers_are_taken_off(wrapped):
    assert _parse(wrapped) == _parse(CLASSIC)


def test_what_only_the_wrapper_says_counts():
    inner = {name: value for name, value in CLASSIC.items() if name not in {"ticker", "timestamp"}}
    parsed = _parse({"symbol": "NDX", "timestamp": 1787233200, "data": inner})
    assert (parsed.ticker, parsed.asof_ms, parsed.spot) == ("NDX", 1787233200000, 6400.25)


@pytest.mark.parametrize(
    "changes",
    [
        {"current": [1, 2], "one": [3, 4], "five": [5, 6], "ten": [7, 8], "fifteen": [9, 10], "thirty": [11, 12]},
        {"current": {"strike": 1, "change": 2}, "1": [3, 4], "5m": [5, 6], "10": [7, 8], "15": [9, 10], "30": [11, 12]},
    ],
)
@pytest.mark.parametrize("name", ["maxchange", "max_change", "max_priors"])
def test_max_change_may_be_a_map(name, changes):
    parsed = _without("max_priors", **{name: changes})
    assert parsed.max_priors == ((1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12))


def test_five_changes_are_the_five_windows_without_the_current_one():
    parsed = _with(max_priors=[[3, 4], [5, 6], [7, 8], [9, 10], [11, 12]])
    assert parsed.max_priors[:2] == ((None, None), (3, 4))
    assert len(parsed.max_priors) == 6


def test_a_single_pair_is_the_current_change():
    assert _with(max_priors=[6400, -2.5]).max_priors == ((6400, -2.5), *[(None, None)] * 5)


def test_zero_means_absent_except_where_zero_is_a_value():
    parsed = _with(zero_gamma=0, major_pos_oi=0.0, spot=0)
    assert (parsed.ladder_split, parsed.major_pos_oi, parsed.spot) == (None, None, None)
    assert parsed.min_dte == 0
    assert parsed.strikes[1][1] == 0.0


def test_numbers_may_be_text_and_what_is_no_number_is_unknown():
    parsed = _with(spot="6,400.25", zero_gamma="n/a", major_pos_vol=[1], major_neg_vol=True)
    assert (parsed.spot, parsed.ladder_split, parsed.major_pos_vol, parsed.major_neg_vol) == (6400.25, None, None, None)


def test_the_nan_that_python_programs_write_is_unknown():
    parsed = parse_snapshot(b'{"ticker": "SPX", "spot": NaN, "net_gex": 5.5}', received_ms=NOW_MS)
    assert (parsed.spot, parsed.sum_gex_vol) == (None, 5.5)


@pytest.mark.parametrize(
    ("name", "canonical"), [("NQ", "NQ_NDX"), ("mnq", "NQ_NDX"), ("ES", "ES_SPX"), ("$SPX", "SPX")]
)
def test_tickers_are_known_by_every_name(name, canonical):
    assert _with(ticker=name).ticker == canonical


@pytest.mark.parametrize(
    ("category", "scope"), [("gex_zero", "zero"), ("gex_one", "one"), ("gex_full", "full"), ("x", None), (None, None)]
)
def test_the_category_says_the_scope(category, scope):
    assert _with(category=category).scope == scope


def test_strikes_may_be_objects_and_bad_rows_are_left_out():
    parsed = _with(strikes=[{"strike": 20, "gex_vol": 1, "gex_oi": 2, "priors": [3]}, [10, 1], "x", [None, 1], []])
    assert parsed.strikes == ((10.0, 1.0, None, ()), (20.0, 1.0, 2.0, (3.0,)))


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"ticker": "SPX"},
        {"ticker": "SPX", "spot": 6400},
        {"ticker": "SPX", "spot": 6400, "sum_gex_vol": 0, "sum_gex_oi": 0, "zero_gamma": 0, "strikes": [[1, 0, 0, []]]},
        {"spot": 6400, "sum_gex_vol": 5},
        {"ticker": "not a ticker", "sum_gex_vol": 5},
        {"ticker": 5, "sum_gex_vol": 5},
        [],
        [CLASSIC, CLASSIC],
        "text",
        5,
        None,
    ],
)
def test_what_cannot_be_used_is_a_contract_error(value):
    with pytest.raises(ContractError):
        _parse(value)


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b'{"data":' * 50 + b"{}" + b"}" * 50])
def test_what_is_no_json_is_a_contract_error(payload):
    with pytest.raises(ContractError):
        parse_snapshot(payload, received_ms=NOW_MS)


def _bare(**changes):
    return msgspec.structs.replace(
        snapshot(),
        ladder_split=None,
        sum_gex_vol=None,
        sum_gex_oi=0.0,
        major_pos_vol=None,
        major_pos_oi=None,
        major_neg_vol=None,
        major_neg_oi=None,
        strikes=(),
        **changes,
    )


def test_a_snapshot_of_our_own_with_a_spot_is_shown_though_no_line_could_be_priced():
    bare = _bare(scopes={"full": ScopeFigures(contracts=8000, contracts_unpriced=8000)})
    assert parse_snapshot(encode_snapshot(bare), received_ms=NOW_MS) == bare


def test_a_snapshot_of_our_own_without_spot_and_figures_is_unusable():
    bare = _bare(spot=None)
    with pytest.raises(ContractError, match="no figure"):
        parse_snapshot(encode_snapshot(bare), received_ms=NOW_MS)


def test_text_that_is_no_utf8_is_a_contract_error():
    with pytest.raises(ContractError):
        parse_snapshot(json.dumps(CLASSIC).encode().replace(b"sum_gex_oi", b"sum_gex\xc5oi"), received_ms=NOW_MS)


@pytest.mark.parametrize("source", ["", "x" * 25, "a\nb", "\x1b[31mred", "\ud800", 5, None])
def test_a_source_that_no_board_could_show_is_only_called_redis(source):
    assert _with(source=source).source == "redis"


@pytest.mark.parametrize("huge", [1e300, 10**30, -(10**30), "1e300"])
def test_a_count_beyond_what_json_readers_hold_is_unknown(huge):
    parsed = _with(min_dte=huge, seq=huge, computed_ms=huge)
    assert (parsed.min_dte, parsed.seq, parsed.computed_ms) == (None, 0, NOW_MS)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*CLASSIC, "data", "result", "v", "scopes", "maxchange"]), inner, max_size=6)
    ),
    max_leaves=20,
)


_NAMES = st.sampled_from([*CLASSIC, "seq", "computed_ms", "source", "scope", "maxchange", "v", "scopes", "data"])


@given(_JSON | st.dictionaries(_NAMES, _JSON, max_size=5).map(lambda changes: {**CLASSIC, **changes}))
def test_no_json_raises_anything_but_the_contract_error(value):
    try:
        parsed = _parse(value)
    except ContractError:
        return
    assert parse_snapshot(encode_snapshot(parsed), received_ms=NOW_MS) == parsed


@pytest.mark.parametrize("start", [b'{"v":1,"scopes":', b'{"ticker":"SPX","spot":6400,"zero_gamma":6390,"v":1,"more":'])
def test_a_payload_nested_without_end_is_unusable_and_nothing_worse(start):
    with pytest.raises(ContractError):
        parse_snapshot(start + b"[" * 100_000 + b"]" * 100_000 + b"}", received_ms=NOW_MS)


@pytest.mark.parametrize("asof_ms", [10**17, -(10**17), 2**53])
def test_a_snapshot_of_our_own_shape_from_no_year_of_ours_is_unusable(asof_ms):
    with pytest.raises(ContractError, match="time"):
        parse_snapshot(encode_snapshot(msgspec.structs.replace(snapshot(), asof_ms=asof_ms)), received_ms=NOW_MS)
