import pytest

from streaming.schwab.wire.frames import Response
from streaming.schwab.wire.rows import DAY_MS, BookRow, EquityRow
from streaming.schwab.wire.tolerant import block_from, lenient_documents, lenient_json, mappings_in, record_from


@pytest.mark.parametrize("odd", ["NaN", "nan", " -Infinity ", float("nan"), float("inf")])
def test_not_a_number_in_any_spelling_is_unknown(odd):
    row = record_from({"key": "SPY", "1": odd}, EquityRow)
    assert row is not None
    assert row.bid is None


def test_numbers_written_as_text_are_numbers():
    row = record_from({"key": "SPY", "1": "1.25", "4": "300"}, EquityRow)
    assert (row.bid, row.bid_size) == (1.25, 300)


@pytest.mark.parametrize("odd", ["", "-", "N/A", "5,001.25", "many", True, [], {}, [1.5], "1e999", 10**400])
def test_a_value_that_cannot_be_read_is_unknown_and_not_unsaid(odd):
    row = record_from({"key": "SPY", "1": odd, "4": odd if odd != 10**400 else "x"}, EquityRow)
    assert (row.bid, row.bid_size) == (None, None)


@pytest.mark.parametrize("content", [{"code": 0, "msg": None}, {"code": "0", "msg": 5}, [{"code": 0}]])
def test_a_record_within_a_record_is_read_as_far_as_it_goes(content):
    answer = record_from({"command": "LOGIN", "requestid": None, "service": None, "content": content}, Response)
    assert (answer.command, answer.requestid, answer.service) == ("LOGIN", "", "")
    assert (answer.content.code, answer.content.msg) == (0, "")


def test_a_record_within_a_record_that_says_nothing_is_none():
    assert record_from({"command": "LOGIN", "content": {"msg": "x"}}, Response) is None
    assert record_from({"command": "LOGIN", "content": "SUCCESS"}, Response) is None


def test_an_object_where_a_list_belongs_is_its_only_element():
    row = record_from({"key": "F", "2": {"0": 13, "1": 4, "3": {"0": "NYSE", "1": 4}}}, BookRow)
    assert [(level.price, [entry.venue for entry in level.entries]) for level in row.bids] == [(13.0, ["NYSE"])]
    block, dropped = block_from({"service": "LEVELONE_EQUITIES", "content": {"key": "SPY", "1": 5}})
    assert ([row.key for row in block.content], dropped) == (["SPY"], 0)


def test_a_record_without_a_required_field_is_none():
    assert record_from({"1": 1.0}, EquityRow) is None
    assert record_from({"key": None}, EquityRow) is None


def test_levels_that_cannot_be_read_leave_the_other_levels():
    row = record_from({"key": "F", "2": [{"0": "NaN", "1": 4}, {"0": 13, "1": 4, "3": [{"0": "NYSE"}, 5]}]}, BookRow)
    assert [level.price for level in row.bids] == [13.0]
    assert row.bids[0].entries == []


@pytest.mark.parametrize("size", [-1, 2**60, None, "many"])
def test_a_size_that_is_none_costs_its_venue_or_level(size):
    entries = [{"0": "NYSE", "1": 4}, {"0": "ARCX", "1": size}]
    row = record_from({"key": "F", "2": [{"0": 13, "1": 4, "3": entries}, {"0": 12, "1": size}]}, BookRow)
    assert [(level.price, [entry.venue for entry in level.entries]) for level in row.bids] == [(13.0, ["NYSE"])]


@pytest.mark.parametrize(("told", "kept"), [(5.0, 5), (-1, DAY_MS), (None, DAY_MS), (DAY_MS, DAY_MS)])
def test_a_venue_with_an_odd_time_stays_without_a_time(told, kept):
    row = record_from({"key": "F", "2": [{"0": 13, "1": 4.0, "3": [{"0": "NYSE", "1": 4, "2": told}]}]}, BookRow)
    assert (row.bids[0].size, row.bids[0].entries[0].day_ms) == (4, kept)


def test_a_block_of_an_unknown_service_is_none():
    assert block_from({"service": "FUTURES_BOOK", "content": []}) == (None, 0)
    assert block_from({"service": ["x"], "content": []}) == (None, 0)


def test_a_block_without_rows_counts_as_dropped():
    block, dropped = block_from({"service": "NYSE_BOOK", "content": "none", "timestamp": "NaN"})
    assert (list(block.content), dropped, block.timestamp) == ([], 1, 0)


def test_lenient_json_reads_what_strict_json_refuses():
    assert lenient_json(b'{"a": NaN, "b": "x\x02"}')["b"] == "x\x02"
    assert lenient_json(b'{"a": "\xff"}') == {"a": "\N{REPLACEMENT CHARACTER}"}
    assert lenient_json(b"{") is None


@pytest.mark.parametrize("around", ["\ufeff%s", "\n%s\n", "%s\0", "\x1e%s\n"])
def test_what_stands_around_a_document_is_passed_over(around):
    assert lenient_json((around % '{"a": 1}').encode()) == {"a": 1}


def test_several_documents_are_told_from_one_that_is_cut():
    assert lenient_documents(b'{"a":1}\n{"b":2}') == ([{"a": 1}, {"b": 2}], True)
    assert lenient_documents(b'{"a":1}{"b":') == ([{"a": 1}], False)
    assert lenient_documents(b"1 " * 1000)[1] is False
    assert lenient_documents(b"[" * 200_000) == ([], False)
    assert lenient_documents(b"") == ([], True)
    assert lenient_json(b'{"a":1}{"b":2}') is lenient_json(b'{"a":1} and so on') is None


def test_the_objects_of_an_array_are_taken_and_one_alone_as_well():
    assert mappings_in([1, {"a": 1}, None]) == [{"a": 1}]
    assert mappings_in({"a": 1}) == [{"a": 1}]
    assert mappings_in({}) == mappings_in(None) == mappings_in("x") == []


def test_half_a_surrogate_pair_is_replaced_and_stays_out_of_every_encoder():
    tree = lenient_json(b'{"key": "SP\\ud800Y", "32": ["\\udfff"], "1": 5}')
    row = record_from(tree, EquityRow)
    assert (row.key, row.bid) == ("SP\N{REPLACEMENT CHARACTER}Y", 5)
    row.key.encode()
