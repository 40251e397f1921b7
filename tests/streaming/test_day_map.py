"""A map as it is stored and read, and what is refused."""

import json
import math
from array import array

import msgspec
import pytest

from streaming.day_map import decode_map, encode_map
from streaming.errors import ContractError
from tests.support.day_maps import made_map


def test_what_was_stored_is_read_again():
    made = made_map()
    assert decode_map(encode_map(made)) == made


def test_a_scope_is_the_sum_of_its_parts_and_one_without_parts_is_nothing():
    made = made_map(scopes={"zero": (0,), "one": (), "all": (0, 1)})
    first, second = (list(array("f", part.gamma_oi)) for part in made.parts)
    assert list(made.gamma("zero", "oi")) == first
    assert list(made.gamma("all", "oi")) == [a + b for a, b in zip(first, second, strict=True)]
    assert set(made.flow("one", "vol")) == set(made.flow("full", "vol")) == {0.0}


@pytest.mark.parametrize(
    "wrong",
    [
        {"prices": [1.0, 3.0]},
        {"prices": []},
        {"prices": [3.0, 2.0, 1.0]},
        {"times_ms": [1, 2, 3]},
        {"times_ms": [2, 1]},
        {"ends_ms": 5},
        {"scopes": {"all": [2]}},
        {"scopes": {"all": [-1]}},
        {"scopes": {"every": [0]}},
        {"parts": None},
        {"spot": "4300"},
        {"spot": 20_000.0},
        {"prices": [-1.0, 25_000.0, 26_000.0]},
        {"prices": [1.0, 2.0, 1e10]},
    ],
)
def test_a_map_whose_pieces_do_not_fit_is_refused(wrong):
    stored = json.loads(encode_map(made_map()))
    with pytest.raises(ContractError):
        decode_map(json.dumps(stored | wrong).encode())


def test_a_cell_that_is_no_number_is_refused():
    first, second = made_map().parts
    for odd in (math.nan, math.inf):
        cells = array("f", [*array("f", first.flow_vol)[:-1], odd]).tobytes()
        made = made_map(parts=(msgspec.structs.replace(first, flow_vol=cells), second))
        with pytest.raises(ContractError):
            decode_map(encode_map(made))


def test_nonsense_is_refused():
    for payload in (b"", b"{}", b"[1]", b"\xff", msgspec.json.encode({"ticker": "SPX"})):
        with pytest.raises(ContractError):
            decode_map(payload)
