"""streaming/schwab/wire/service_table.py"""

from typing import get_args

import msgspec

from streaming.schwab.stream.merge import Merger
from streaming.schwab.wire.fields import Service
from streaming.schwab.wire.frames import decode_data
from streaming.schwab.wire.rows import DataBlock
from streaming.schwab.wire.service_table import LEVEL_ONE, SERVICE, SERVICES, Shape


def test_every_service_has_one_record_and_every_block_one_service():
    assert [one.service for one in SERVICES] == [service for service in Service if service is not Service.ADMIN]
    assert {one.block for one in SERVICES} == set(get_args(DataBlock))


def test_the_first_row_of_every_service_that_is_read_becomes_an_event():
    bar = {str(number): 1.5 for number in range(1, 9)} | {"1": 1787000000000, "7": 1787000000000}
    rows = {Shape.MINUTES: bar, Shape.BOOK: {"1": 1787000000000, "2": [], "3": []}}
    for one in SERVICES:
        block = {
            "service": one.service,
            "timestamp": 1787000000000,
            "content": [{"key": "SPY"} | rows.get(one.shape, {"1": 1.5})],
        }
        blocks = decode_data(msgspec.json.encode({"data": [block]}))
        assert blocks is not None, one.service
        assert Merger().apply(blocks, 1787000000000), one.service


def test_level_one_asks_for_all_that_its_rows_hold_and_the_rest_for_everything():
    assert {one.service for one in SERVICES if one.is_level_one} == LEVEL_ONE
    for one in SERVICES:
        asked = [one.table[int(number)] for number in one.asked_for.split(",")]
        held = {item.name for item in msgspec.structs.fields(_row_of(one.block))} & set(one.table)
        assert held <= set(asked), one.service
        assert one.is_level_one or asked == list(one.table), one.service


def _row_of(block):
    [content] = [item.type for item in msgspec.structs.fields(block) if item.name == "content"]
    return get_args(content)[0]


def test_only_level_one_and_no_two_of_them_cover_a_symbol():
    symbols = ("SPY", "$SPX", "BRK/B", "/ES", "SPXW  251208C06880000")
    for symbol in symbols:
        assert sum(one.covers is not None and one.covers(symbol) for one in SERVICES) <= 1, symbol
    assert all(one.is_level_one for one in SERVICES if one.covers is not None or one.reopens is not None)
    assert {one.beside for one in SERVICES} - {None} <= LEVEL_ONE
    assert SERVICE[Service.NYSE_BOOK].takes("P")
    assert not SERVICE[Service.NYSE_BOOK].takes(None)
