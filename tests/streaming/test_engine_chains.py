from datetime import timedelta

from msgspec.structs import replace

from streaming.engine_chains import ChainBody, KeptChains
from tests.support.chains import ASOF, TODAY

DAYS = tuple(TODAY + timedelta(days=n) for n in range(4))


def part(day=0, payload=b"x", *, underlying="SPX", planned=DAYS, required=DAYS) -> ChainBody:
    return ChainBody(
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
