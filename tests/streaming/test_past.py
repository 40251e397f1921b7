import msgspec
import pytest

from streaming.bus.codec import encode_snapshot
from streaming.errors import ContractError
from streaming.model import ExpectedMove, FlowSum, GexSnapshot, ScopeFigures, SignedFlow, StrikeRow, WeightFigures
from streaming.past import (
    PastFigures,
    PastFlow,
    PastFlowSum,
    PastLevels,
    PastMove,
    PastScope,
    PastSnapshot,
    PastStrike,
    decode_past,
    past_of,
)
from tests.support.charts import EXPIRIES, expecting, full_snapshot


def test_what_is_decoded_is_what_the_snapshot_was():
    seen = full_snapshot(basis=2.25, expected_move=expecting(42.5))
    assert decode_past(encode_snapshot(seen), strikes=True) == past_of(seen)
    assert past_of(seen).expected_move == PastMove(EXPIRIES[0], 42.5)
    row = past_of(seen).strikes[3]
    assert (row.strike, row.vol, row.oi) == seen.strikes[3][:3]
    assert past_of(seen).scopes["zero"].oi.zero_gamma == seen.scopes["zero"].oi.zero_gamma


def test_strikes_nobody_wants_are_not_decoded():
    bare = decode_past(encode_snapshot(full_snapshot()), strikes=False)
    assert not isinstance(bare, PastSnapshot)
    assert bare == PastLevels(
        **{name: getattr(past_of(full_snapshot()), name) for name in PastLevels.__struct_fields__}
    )


@pytest.mark.parametrize("payload", [b"", b"{}", b'{"ticker": "SPX"}', b"\xff"])
def test_anything_else_is_a_broken_contract(payload):
    with pytest.raises(ContractError):
        decode_past(payload, strikes=True)


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        (PastSnapshot, GexSnapshot),
        (PastScope, ScopeFigures),
        (PastFigures, WeightFigures),
        (PastMove, ExpectedMove),
        (PastFlow, SignedFlow),
        (PastFlowSum, FlowSum),
    ],
)
def test_every_name_is_one_of_the_models(part, whole):
    assert set(part.__struct_fields__) <= set(whole.__struct_fields__)


def test_a_strike_is_the_beginning_of_a_row():
    row: StrikeRow = (100.0, 1.0, None, (2.0,))
    assert msgspec.convert(row, PastStrike) == PastStrike(100.0, 1.0, None)
