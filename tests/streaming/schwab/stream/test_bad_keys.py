import pytest

from streaming.schwab.stream.bad_keys import BadKeys
from streaming.schwab.wire.fields import Service

L1 = Service.LEVELONE_EQUITIES
BOOK = Service.NYSE_BOOK
HOUR_S = 3600.0


def found(bad, *keys, service=L1, now_s=100.0):
    """Have these keys refused one by one."""
    for key in keys:
        bad.refused(service, (key,), now_s)
    return bad


def test_what_is_refused_together_is_suspected_in_halves():
    bad = BadKeys()
    assert bad.refused(L1, ("A", "B", "C"), 100.0) is False
    assert bad.suspects(L1) == (("A",), ("B", "C"))
    bad.absolve(L1, ("A",))
    assert bad.suspects(L1) == (("B", "C"),)
    bad.refused(L1, ("B", "C"), 100.0)
    assert bad.refused(L1, ("B",), 100.0) is True
    bad.absolve(L1, ("C",))
    assert bad.suspects(L1) == ()
    assert bad.left_out() == {L1: ("B",)}
    assert bad.of(L1) == {"B"}
    assert bad.of(BOOK) == set()


def test_a_bad_key_is_asked_again_after_an_hour_and_then_ever_later_up_to_a_day():
    bad, now_s = BadKeys(), 0.0
    for hours in (1, 2, 4, 8, 16, 24, 24):
        bad.refused(L1, ("A",), now_s)
        assert bad.on_trial(L1, now_s + hours * HOUR_S - 1) == ()
        now_s += hours * HOUR_S
        assert bad.on_trial(L1, now_s) == ("A",)
        assert bad.is_due(now_s)


def test_a_bad_key_is_asked_again_with_the_next_connection():
    bad = found(BadKeys(), "A", "B")
    bad.connection_ended(now_s=200.0)
    assert bad.on_trial(L1, 200.0) == ()
    bad.connection_began()
    assert bad.on_trial(L1, 0.0) == ("A", "B")
    bad.absolve(L1, ("A",))
    assert bad.on_trial(L1, 0.0) == ("B",)


def test_a_key_whose_refusal_ended_the_connection_waits_its_hour():
    bad = found(BadKeys(), "A", now_s=100.0)
    bad.connection_ended(now_s=101.0)
    bad.connection_began()
    assert bad.on_trial(L1, 101.0) == ()
    assert bad.on_trial(L1, 100.0 + HOUR_S) == ("A",)
    found(bad, "A", now_s=100.0 + HOUR_S)
    bad.connection_ended(now_s=9000.0)
    bad.connection_began()
    assert bad.on_trial(L1, 9000.0) == ("A",)  # this time the connection lived on


@pytest.mark.parametrize("heal", [lambda bad: bad.keep({BOOK: ("A",)}), lambda bad: bad.forgive(["A", "X"])])
def test_what_is_unwanted_or_asked_for_anew_is_nobody_s_suspect(heal):
    bad = found(BadKeys(), "A")
    bad.refused(L1, ("A", "X"), 100.0)
    heal(bad)
    assert (bad.of(L1), bad.left_out(), bad.suspects(L1)) == (set(), {}, ())


def test_what_is_still_wanted_stays_known():
    bad = found(BadKeys(), "A", "B")
    bad.refused(L1, ("C", "D", "E", "F"), 100.0)
    bad.keep({L1: ("A", "D", "E")})
    assert (bad.left_out(), bad.of(L1)) == ({L1: ("A",)}, {"A", "D", "E"})
    assert bad.suspects(L1) == (("D",), ("E",))


def test_a_service_that_refuses_one_key_after_another_refuses_them_all():
    bad = found(BadKeys(), *(f"K{number}" for number in range(15)))
    assert not bad.refuses_all(L1)
    found(bad, "K15")
    assert bad.refuses_all(L1)
    assert not bad.refuses_all(BOOK)
    bad.absolve(L1, ("GOOD",))
    assert not bad.refuses_all(L1)
