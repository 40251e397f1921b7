"""What is kept of chains outside the process that computes."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from streaming.chains.expiry_sizes import ExpirySize, Known
from streaming.engine.kept_chains import ChainDelivery, ChainRecord, KeptChains
from streaming.engine.protocol import ChainReceipt, Doubtful
from streaming.errors import ContractError
from tests.support.chains import ASOF, TODAY

DAYS = tuple(TODAY + timedelta(days=n) for n in range(4))


def part(day=0, payload=b"x", *, underlying="SPX", planned=DAYS, required=DAYS) -> ChainDelivery:
    return ChainDelivery(
        underlying=underlying,
        kind="schwab",
        payload=payload,
        asof=ASOF,
        expiry=DAYS[day],
        planned=planned,
        required=required,
    )


def payloads(kept: KeptChains) -> list[bytes]:
    return sorted(body.payload for body in kept.take())


def test_the_newest_part_of_each_expiry_is_kept():
    kept = KeptChains()
    for body in (part(0, b"a"), part(1, b"b"), part(0, b"c"), part(0, b"d", underlying="NDX")):
        kept.keep(body)
    assert len(kept) == 3
    assert payloads(kept) == [b"b", b"c", b"d"]
    assert len(kept) == 0


def test_what_is_no_longer_planned_goes():
    kept = KeptChains()
    for body in (part(0, b"a"), part(1, b"b"), part(2, b"c", planned=DAYS[1:])):
        kept.keep(body)
    assert payloads(kept) == [b"b", b"c"]


def test_all_parts_come_back_with_the_newest_plan_of_their_underlying():
    kept = KeptChains()
    for body in (part(0), part(0, underlying="NDX"), part(1, required=DAYS[:2])):
        kept.keep(body)
    assert {(body.underlying, body.required) for body in kept.take()} == {("SPX", DAYS[:2]), ("NDX", DAYS)}


def test_beyond_its_bound_nothing_is_kept_until_it_begins_anew():
    kept = KeptChains(most_bytes=10)
    kept.keep(part(0, b"12345"))
    kept.keep(part(0, b"1234567890"))
    assert len(kept) == 1, "a newer part takes the place of the older"
    kept.keep(part(1, b"x"))
    kept.keep(part(2, b"x"))
    assert len(kept) == 0
    kept.clear()
    kept.keep(part(2, b"x"))
    assert len(kept) == 1


def test_whole_chains_are_not_kept():
    kept = KeptChains()
    kept.keep(replace(part(), expiry=None))
    assert len(kept) == 0


def test_with_a_part_without_open_interest_the_last_one_with_it_is_kept_too():
    kept = KeptChains()
    kept.keep(part(0, b"with"))
    for payload in (b"without", b"again without"):
        kept.keep(part(0, payload), leans=True)
    assert [body.payload for body in kept.take()] == [b"with", b"again without"]
    kept.keep(part(0, b"without"), leans=True)
    kept.keep(part(0, b"with"))
    assert [body.payload for body in kept.take()] == [b"with"]


def receipt(contracts=22.0, *, day=0) -> ChainReceipt:
    sizes = (ExpirySize(DAYS[day], (contracts, contracts), (1000.0, 1000.0)),)
    return ChainReceipt(int(contracts), ("SPXW",), True, 5660.0, ASOF, False, sizes)


def few(contracts=3.0) -> Doubtful:
    return Doubtful("It has 3 of 22 calls.", (ExpirySize(DAYS[0], (contracts, contracts), (10.0, 10.0)),))


def later(seconds: float) -> ChainDelivery:
    return replace(part(), asof=ASOF + timedelta(seconds=seconds))


def test_the_next_answer_is_measured_by_the_last_that_was_believed():
    record = ChainRecord()
    assert record.order(part()).known is None
    record.believe(part(), receipt())
    assert record.order(part()).known == Known(receipt().sizes)
    assert record.order(part(1)).known is None
    assert record.order(part(underlying="NDX")).known is None


def test_what_is_no_longer_planned_is_no_longer_known():
    record = ChainRecord()
    record.believe(part(0), receipt())
    record.believe(part(1, planned=DAYS[1:]), receipt(day=1))
    assert record.order(part(0)).known is None


def test_the_same_doubt_three_times_over_a_minute_is_believed_and_not_before():
    record = ChainRecord()
    for after_s in (0, 20, 40):
        with pytest.raises(ContractError, match="3 of 22"):
            record.hear(later(after_s), few())
    record.hear(later(60), few())


def test_a_good_answer_in_between_and_another_doubt_begin_anew():
    record = ChainRecord()
    for after_s, answer in ((0, few()), (30, few()), (60, few(1.0)), (90, few(1.0))):
        with pytest.raises(ContractError):
            record.hear(later(after_s), answer)
    record.believe(later(100), receipt())
    with pytest.raises(ContractError):
        record.hear(later(130), few(1.0))


def test_what_is_kept_may_be_packed_as_long_as_it_is_the_same():
    kept, body = KeptChains(), part(0, b"[1, 2]" * 1000)
    kept.keep(body)
    kept.swap(body, body.packed())
    kept.swap(part(0, b"another"), part(0, b"another").packed())
    (only,) = kept.take()
    assert only.body == body.payload
    assert len(only.payload) < len(body.payload) / 10
    kept.swap(body, body.packed())
    assert len(kept) == 0
