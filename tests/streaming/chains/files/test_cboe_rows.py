"""The feed's rows as columns: what they say when all are alike, and nothing where one is not."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from streaming.chains.files import cboe
from streaming.chains.files.cboe_rows import FIGURES, read_rows
from streaming.errors import ContractError

Row = dict[str, Any]
STYLES: dict[str, dict[str, Any]] = {"compact": {"separators": (",", ":")}, "spaced": {}, "indented": {"indent": 2}}


def row(strike: int, **changes: object) -> Row:
    return {
        "option": f"SPXW240105C{strike:05d}000", "bid": 86.1, "bid_size": 7.0, "ask": 87.25, "iv": 0.1437,
        "open_interest": 1234567.0, "volume": 0, "delta": -0.5, "gamma": 1e-05, "vega": 812.0703123456, "tick": "up",
    } | changes  # fmt: skip


def feed(*rows: Row, **style: Any) -> bytes:
    data = {"symbol": "^SPX", "options": rows, "current_price": 4697.5}
    return json.dumps({"timestamp": "2024-01-05 15:15:00", "data": data}, **style).encode()


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_rows_that_are_alike_are_columns_however_they_are_written(style: str, count: int):
    rows = [row(4600 + 5 * number, bid=float(number), ask=None, gamma=-0.25) for number in range(count)]
    found = read_rows(feed(*rows, **STYLES[style]))
    for name, column in zip(FIGURES, found.figures, strict=True):
        expected = [np.nan if one[name] is None else float(one[name]) for one in rows]
        np.testing.assert_array_equal(column, expected, name)
    assert ["".join(map(chr, one)).replace(" ", "") for one in found.grid.T] == [one["option"] for one in rows]
    assert json.loads(found.frame)["data"] == {"symbol": "^SPX", "options": [], "current_price": 4697.5}


def without(name: str) -> Callable[[Row], Row]:
    return lambda one: {key: value for key, value in one.items() if key != name}


ODD: dict[str, Callable[[Row], Row]] = {
    "a field too few": without("delta"),
    "another field in its place": lambda one: {"bud" if key == "bid" else key: value for key, value in one.items()},
    "fields in another order": lambda one: dict(sorted(one.items())),
    "a number in words": lambda one: one | {"bid": "86.1"},
    "no number": lambda one: one | {"iv": "NaN"},
    "a number for a name": lambda one: one | {"option": 7},
    "a list within": lambda one: one | {"tick": [1, 2]},
    "commas in a text": lambda one: one | {"tick": "up, up"},
}


@pytest.mark.parametrize("oddity", ODD)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_row_that_is_not_like_the_others_leaves_all_to_the_slower_reader(oddity: str, place: int):
    rows = [row(strike) for strike in (4600, 4605, 4610)]
    rows[place] = ODD[oddity](rows[place])
    assert read_rows(feed(*rows)) is None


def test_a_feed_without_a_field_that_counts_is_left_to_it_too():
    assert read_rows(feed(*map(without("vega"), [row(4600), row(4605)]))) is None
    assert read_rows(feed()) is None
    assert read_rows(b"{}") is None


def test_every_byte_at_which_the_feed_may_be_cut_off_is_noticed():
    whole = feed(row(4600), row(4605))
    for end in range(whole.index(b"[") + 1, len(whole)):
        with pytest.raises(ContractError):
            cboe.parse_json(whole[:end])
    assert len(cboe.parse_json(whole)) == 2


def test_both_readers_make_the_same_chain(monkeypatch: pytest.MonkeyPatch):
    payload = feed(*(row(4600 + 5 * number, volume=number, iv=0.001 * number) for number in range(40)))
    fast = cboe.parse_json(payload)
    monkeypatch.setattr(cboe, "read_rows", lambda _: None)
    slow = cboe.parse_json(payload)
    assert (fast.asof, fast.spot, fast.vendor_end_s, fast.quality) == (
        slow.asof, slow.spot, slow.vendor_end_s, slow.quality,
    )  # fmt: skip
    for name in ("symbol", "strike", "iv", "open_interest", "volume", "bid", "ask", "settle_s"):
        np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name), name)
