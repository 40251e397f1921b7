import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from streaming.errors import ContractError
from streaming.schwab.stream.merge import Merger
from streaming.schwab.stream.session import StreamSession
from streaming.schwab.wire.fields import Service
from streaming.schwab.wire.frames import StreamerInfo, decode_data, decode_frame, encode_login, encode_request
from tests.data_builders.frames import START_MS, bars, equities, every_frame
from tests.support.frames import data_frame, notice, response

INFO = StreamerInfo("wss://streamer.example/ws", "customer-1", "correl-1", "N9", "APIAPP")


def test_the_short_way_reads_what_the_long_way_reads():
    for raw in every_frame():
        assert decode_data(raw) == decode_frame(raw).blocks


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b"rubbish",
        b'{"data":[],"notify":[]}',
        b'{"notify":[{"heartbeat":"1"}]}',
        b'{"data":[{"service":"NOBODY","content":[]}]}',
        b'{"data":[{"service":"NYSE_BOOK","content":[{"key":"A","2":[{"0":1.0,"1":-5}]}]}]}',
    ],
)
def test_what_is_not_plain_data_goes_the_long_way(raw):
    assert decode_data(raw) is None


def test_a_frame_of_every_service_decodes_strictly():
    frames = [decode_frame(raw) for raw in every_frame()]
    assert not any(frame.tolerant or frame.dropped for frame in frames)
    assert {block.service for frame in frames for block in frame.blocks} == set(Service) - {"ADMIN"}


def test_the_numbers_of_a_share_arrive_under_their_names():
    image, delta, _ = [decode_frame(raw) for raw in equities()]
    qqq = image.blocks[0].content[0]
    assert (qqq.key, qqq.bid, qqq.ask, qqq.last) == ("QQQ", 712.4, 712.5, 712.45)
    assert (qqq.bid_size, qqq.ask_size, qqq.volume, qqq.last_size) == (280, 400, 4640000, 79)
    assert (qqq.quote_ms, qqq.trade_ms, qqq.listing, qqq.delayed) == (START_MS + 120, START_MS + 80, "Q", False)
    assert delta.blocks[0].content[1].bid is UNSET
    assert delta.blocks[0].content[1].ask == 767.0


def test_charts_follow_the_order_that_is_sent():
    blocks = {block.service: block.content[0] for raw in bars() for block in decode_frame(raw).blocks}
    equity, future = blocks["CHART_EQUITY"], blocks["CHART_FUTURES"]
    assert (equity.key, equity.open, equity.high, equity.low, equity.close) == ("AMD", 221.125, 221.25, 221.0, 221.0625)
    assert (equity.volume, equity.bar_ms, equity.seq) == (11730, START_MS - 60_000, 202)
    assert (future.key, future.open, future.volume, future.bar_ms) == ("/ES", 6858.25, 897, START_MS - 60_000)


def test_a_login_answer_is_read():
    frame = decode_frame(response("0", "LOGIN", 0, msg="server=s0166bdv-1;status=NP"))
    assert frame.responses[0].content.code == 0
    assert frame.responses[0].requestid == "0"


def test_heartbeats_and_notices_are_read():
    assert decode_frame(b'{"notify":[{"heartbeat":"1668715930582"}]}').notices[0].heartbeat == "1668715930582"
    assert decode_frame(notice(30, "Stop")).notices[0].content.code == 30


def test_one_odd_value_costs_that_value_only():
    raw = b'{"data":[{"service":"LEVELONE_EQUITIES","content":[{"key":"SPY","1":"NaN","2":"3.5","3":4}]}]}'
    frame = decode_frame(raw)
    row = frame.blocks[0].content[0]
    assert frame.tolerant
    assert (row.bid, row.ask, row.last) == (None, 3.5, 4.0)


def test_an_unknown_service_leaves_the_others_alone():
    raw = (
        b'{"data":[{"service":"WEATHER","content":[{}]},'
        b'{"service":"LEVELONE_FUTURES","content":[{"key":"/ES","3":1}]}]}'
    )
    frame = decode_frame(raw)
    assert [block.service for block in frame.blocks] == ["LEVELONE_FUTURES"]
    assert frame.dropped == 1


TICK = b'{"data":[{"service":"LEVELONE_EQUITIES","timestamp":1787000000000,"content":[{"key":"SPY","3":%d}]}]}'


@pytest.mark.parametrize("between", [b"", b"\n", b"\r\n ", b"\0"])
def test_two_documents_in_one_frame_are_both_read_in_order(between):
    frame = decode_frame((TICK % 501) + between + (TICK % 502))
    assert [block.content[0].last for block in frame.blocks] == [501, 502]
    assert (frame.tolerant, frame.dropped) == (True, 0)


def test_a_document_cut_short_costs_itself_only():
    frame = decode_frame((TICK % 501) + (TICK % 502)[:-9])
    assert [block.content[0].last for block in frame.blocks] == [501]
    assert frame.dropped == 1


def test_a_byte_order_mark_is_no_part_of_a_frame():
    frame = decode_frame(b"\xef\xbb\xbf" + (TICK % 501))
    assert [block.content[0].last for block in frame.blocks] == [501]
    assert (frame.tolerant, frame.dropped) == (True, 0)


def test_objects_where_arrays_belong_are_read():
    frame = decode_frame(b'{"response":{"command":"LOGIN","content":{"code":0,"msg":null}},"notify":{"heartbeat":5}}')
    assert [(item.command, item.content.code) for item in frame.responses] == [("LOGIN", 0)]
    assert [item.heartbeat for item in frame.notices] == [5]
    frame = decode_frame(b'{"data":{"service":"LEVELONE_FUTURES","content":{"key":"/ES","1":1.1}}}')
    assert [row.bid for row in frame.blocks[0].content] == [1.1]


def test_rows_without_a_key_are_dropped_and_counted():
    frame = decode_frame(b'{"data":[{"service":"LEVELONE_FUTURES","content":[{"1":1},{"key":"/ES","1":1.1},7]}]}')
    assert [row.key for row in frame.blocks[0].content] == ["/ES"]
    assert frame.dropped == 2


def test_control_bytes_inside_a_text_are_survived():
    raw = b'{"data":[{"service":"LEVELONE_FUTURES","content":[{"key":"/ES","22":"Nor\x01mal","3":5}]}]}'
    assert decode_frame(raw).blocks[0].content[0].last == 5.0


@pytest.mark.parametrize(
    "raw",
    [b"", b"\x00\x01", b"[]", b"null", b"{}", b'{"data":7}', b'{"snapshot":[]}', b'{"data":[', b"[" * 200_000, b"\xff"],
)
def test_rubbish_is_a_contract_error(raw):
    with pytest.raises(ContractError):
        decode_frame(raw)


def test_a_request_has_schwabs_shape():
    text = encode_request(
        INFO,
        service=Service.LEVELONE_EQUITIES,
        command="SUBS",
        requestid=1,
        parameters={"keys": "SPY,QQQ", "fields": "0,1,2"},
    )
    assert json.loads(text) == {
        "requests": [
            {
                "service": "LEVELONE_EQUITIES",
                "requestid": "1",
                "command": "SUBS",
                "SchwabClientCustomerId": "customer-1",
                "SchwabClientCorrelId": "correl-1",
                "parameters": {"keys": "SPY,QQQ", "fields": "0,1,2"},
            }
        ]
    }


def test_login_sends_the_bare_token():
    request = json.loads(encode_login(INFO, "abc", 0))["requests"][0]
    assert request["parameters"] == {
        "Authorization": "abc",
        "SchwabClientChannel": "N9",
        "SchwabClientFunctionId": "APIAPP",
    }
    assert (request["service"], request["command"]) == ("ADMIN", "LOGIN")


def test_the_ids_stay_out_of_the_repr():
    assert "customer-1" not in repr(INFO)
    assert "correl-1" not in repr(INFO)


FRAMES = [
    data_frame(
        "LEVELONE_EQUITIES",
        {"key": "SPY", "delayed": False, "assetMainType": "EQUITY", "1": 1.5, "4": 100, "13": "P", "34": 1787233769803},
        {"key": "QQQ", "3": 2, "8": 5, "35": 1787233769803},
    ),
    data_frame("LEVELONE_OPTIONS", {"key": "SPY   260820C00767000", "2": 1.26, "9": 2097, "10": 16.5, "35": 766.8}),
    data_frame("LEVELONE_FUTURES", {"key": "/ES", "1": 6879.25, "2": 6879.5, "4": 11, "5": 4, "34": "/ESZ25"}),
    data_frame(
        "NYSE_BOOK",
        {
            "key": "F",
            "1": 1765306322349,
            "2": [{"0": 13.1, "1": 9, "2": 1, "3": [{"0": "NYSE", "1": 9, "2": 49786299}]}],
        },
    ),
    response("0", "LOGIN", 0, msg="server=x"),
    notice(12, "CLOSE_CONNECTION"),
    b'{"notify":[{"heartbeat":"1668715930582"}]}',
]
ODD_VALUES = st.sampled_from(
    [b"null", b"-999", b'"NaN"', b"1e999", b"-1", b"NaN", b"[]", b"{}", b"true", b'""', b"1" * 40, b'"x"', b"0.5"]
)


@st.composite
def mutated_frames(draw):
    raw = bytearray(draw(st.sampled_from(FRAMES)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, max(len(raw) - 1, 0)))
        end = min(start + draw(st.integers(0, 12)), len(raw))
        raw[start:end] = draw(st.one_of(st.binary(max_size=6), ODD_VALUES))
    return bytes(raw)


@st.composite
def frames_with_odd_values(draw):
    """Valid JSON in which one value was exchanged: the ones that get past the first gate."""
    tree = json.loads(draw(st.sampled_from(FRAMES)))
    node = tree
    while True:
        key = draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        child = node[key]
        if isinstance(child, (dict, list)) and child and draw(st.booleans()):
            node = child
            continue
        node[key] = draw(
            st.one_of(
                st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.just([]), st.just({})
            )
        )
        return json.dumps(tree).encode()


@settings(max_examples=400, deadline=None)
@given(st.one_of(mutated_frames(), frames_with_odd_values()))
def test_a_mutated_frame_raises_nothing_but_contract_errors(raw):
    session = StreamSession(INFO, {})
    session.login("token")
    session.to_send(0.0)
    try:
        session.receive(raw)
        msgspec.json.encode(Merger().apply(decode_frame(raw).blocks, 1787233769963))
    except ContractError:
        pass
