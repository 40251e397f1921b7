import random

import pytest

from streaming.schwab.stream.bad_keys import BadKeys
from streaming.schwab.stream.subscriptions import Change, SubscriptionLedger
from streaming.schwab.wire.fields import Service
from streaming.schwab.wire.service_table import FIELDS

L1 = Service.LEVELONE_EQUITIES
OPTIONS = Service.LEVELONE_OPTIONS
BOOK = Service.NYSE_BOOK


def ledger(wanted, chunk=2):
    return SubscriptionLedger(wanted, FIELDS, chunk=chunk)


def settle(subscriptions):
    """All changes until it is quiet, each accepted."""
    changes = []
    while (change := subscriptions.next_change()) is not None:
        changes.append((change.command, change.service, change.keys))
        subscriptions.accept(change)
    return changes


def test_a_long_list_goes_out_as_one_subs_and_then_adds():
    assert settle(ledger({L1: ("A", "B", "C", "D", "E"), BOOK: ("A",)})) == [
        ("SUBS", L1, ("A", "B")),
        ("ADD", L1, ("C", "D")),
        ("ADD", L1, ("E",)),
        ("SUBS", BOOK, ("A",)),
    ]


def test_nothing_wanted_is_quiet():
    assert ledger({}).next_change() is None


def test_an_unanswered_change_is_offered_again():
    subscriptions = ledger({L1: ("A",)})
    assert subscriptions.next_change() == subscriptions.next_change()


def test_new_keys_are_added_before_old_ones_go():
    subscriptions = ledger({L1: ("A", "B")})
    settle(subscriptions)
    subscriptions.want({L1: ("B", "C")})
    assert settle(subscriptions) == [("ADD", L1, ("C",)), ("UNSUBS", L1, ("A",))]


def test_a_service_no_longer_wanted_is_emptied_and_may_come_back():
    subscriptions = ledger({L1: ("A", "B")})
    settle(subscriptions)
    subscriptions.want({})
    assert settle(subscriptions) == [("UNSUBS", L1, ("A", "B"))]
    subscriptions.want({L1: ("A",)})
    assert settle(subscriptions) == [("SUBS", L1, ("A",))]


def test_refused_keys_are_left_alone_until_wanted_anew():
    subscriptions = ledger({L1: ("A", "B", "C")})
    first = subscriptions.next_change()
    subscriptions.refuse(first, 0.0)
    assert settle(subscriptions) == [("SUBS", L1, ("C",))]
    subscriptions.want({L1: ("C",)})
    subscriptions.want({L1: ("A", "C")})
    assert settle(subscriptions) == [("ADD", L1, ("A",))]


def test_a_closed_service_is_asked_for_nothing():
    subscriptions = ledger({L1: ("A",), BOOK: ("A",)})
    subscriptions.close(L1, 0.0)
    assert settle(subscriptions) == [("SUBS", BOOK, ("A",))]
    subscriptions.want({L1: ("A", "B"), BOOK: ("A",)})
    assert settle(subscriptions) == []


def test_parameters_have_no_spaces():
    assert Change(L1, "ADD", ("A", "B"), "0,1").parameters() == {"keys": "A,B", "fields": "0,1"}
    assert Change(L1, "UNSUBS", ("A", "B"), "0,1").parameters() == {"keys": "A,B"}


def test_a_repeated_key_is_added_once_more_for_its_image():
    subscriptions = ledger({L1: ("A", "B")})
    settle(subscriptions)
    subscriptions.repeat(L1, ["B", "X"])
    assert settle(subscriptions) == [("ADD", L1, ("B",))]


def test_over_the_limit_half_as_many_are_tried_until_the_last_does_not_fit():
    subscriptions = ledger({L1: ("A", "B", "C", "D")}, chunk=4)
    assert subscriptions.limit(subscriptions.next_change(), 0.0) == ()
    change = subscriptions.next_change()
    assert change.keys == ("A", "B")
    subscriptions.accept(change)
    assert subscriptions.limit(subscriptions.next_change(), 0.0) == ()
    assert subscriptions.next_change().keys == ("C",)
    assert subscriptions.limit(subscriptions.next_change(), 0.0) == ("C", "D")
    assert subscriptions.next_change() is None


def ask(subscriptions, bad, *, now_s=0.0):
    """All requests until it is quiet, from a server that refuses every request with a key of `bad` (code 21)."""
    asked = []
    while (change := subscriptions.next_change()) is not None:
        asked.append((change.command, change.keys))
        if bad.isdisjoint(change.keys):
            subscriptions.accept(change)
        else:
            subscriptions.malformed(change, now_s)
    return asked


def test_one_bad_key_of_many_is_found_in_few_requests_and_the_others_are_streamed():
    keys = tuple(f"K{number}" for number in range(300))
    subscriptions = ledger({L1: (*keys, "LAST")}, chunk=300)
    asked = ask(subscriptions, {"K123"})
    assert asked[:3] == [("SUBS", keys), ("SUBS", ("LAST",)), ("ADD", keys[:150])]
    assert len(asked) < 22
    assert subscriptions.left_out == {L1: ("K123",)}
    assert {key for command, batch in asked for key in batch if "K123" not in batch} == {*keys, "LAST"} - {"K123"}


def test_what_is_suspected_waits_for_every_other_service():
    subscriptions = ledger({L1: ("A", "BAD"), BOOK: ("A",)}, chunk=300)
    assert ask(subscriptions, {"BAD"}) == [
        ("SUBS", ("A", "BAD")),
        ("SUBS", ("A",)),
        ("SUBS", ("A",)),
        ("ADD", ("BAD",)),
    ]


def test_a_refusal_that_was_a_whim_costs_no_key():
    subscriptions = ledger({L1: ("A", "B", "C", "D")}, chunk=300)
    subscriptions.malformed(subscriptions.next_change(), 0.0)
    assert settle(subscriptions) == [("SUBS", L1, ("A", "B")), ("ADD", L1, ("C", "D"))]
    assert subscriptions.left_out == {}


def test_a_key_that_is_subscribed_and_refused_when_repeated_stays_subscribed():
    subscriptions = ledger({L1: ("A", "B")})
    settle(subscriptions)
    subscriptions.repeat(L1, ["B"])
    assert subscriptions.malformed(subscriptions.next_change(), 0.0) == ()
    assert subscriptions.next_change() is None
    assert subscriptions.left_out == {}


def test_the_next_ledger_asks_for_the_bad_key_last_and_alone():
    bad = BadKeys()
    first = SubscriptionLedger({L1: ("BAD", "B")}, FIELDS, chunk=300, bad_keys=bad)
    ask(first, {"BAD"})
    bad.connection_began()
    again = SubscriptionLedger({L1: ("BAD", "B"), BOOK: ("BAD",)}, FIELDS, chunk=300, bad_keys=bad)
    assert settle(again) == [("SUBS", L1, ("B",)), ("SUBS", BOOK, ("BAD",)), ("ADD", L1, ("BAD",))]
    assert again.left_out == {}


def test_a_service_that_refuses_every_key_is_left_alone_for_a_while():
    keys = tuple(f"K{number}" for number in range(100))
    subscriptions = ledger({L1: keys, BOOK: ("A",)}, chunk=300)
    asked = ask(subscriptions, set(keys))
    assert len(asked) < 40
    assert ("SUBS", ("A",)) in asked
    subscriptions.awaken(299.0)
    assert subscriptions.next_change() is None
    subscriptions.awaken(301.0)
    assert subscriptions.next_change().keys[0] not in subscriptions.left_out[L1]


@pytest.mark.parametrize("turn_down", ["refuse", "close"])
def test_what_failed_for_no_fault_of_its_own_is_asked_again_after_five_minutes(turn_down):
    subscriptions = ledger({L1: ("A", "B")})
    getattr(subscriptions, turn_down)(*((subscriptions.next_change(),) if turn_down == "refuse" else (L1,)), 10.0)
    assert subscriptions.left_out == ({L1: ("A", "B")} if turn_down == "refuse" else {})
    subscriptions.awaken(309.0)
    assert subscriptions.next_change() is None
    subscriptions.awaken(310.0)
    assert settle(subscriptions) == [("SUBS", L1, ("A", "B"))]
    assert subscriptions.left_out == {}


def test_what_was_too_much_finds_room_once_others_have_gone():
    subscriptions = ledger({L1: ("A", "B")})
    settle(subscriptions)
    subscriptions.want({L1: ("B", "C", "D")})
    for _ in range(2):
        subscriptions.limit(subscriptions.next_change(), 0.0)
    assert subscriptions.left_out == {L1: ("C", "D")}
    assert settle(subscriptions) == [("UNSUBS", L1, ("A",)), ("ADD", L1, ("C", "D"))]


def test_a_service_with_room_of_its_own_is_asked_for_many_after_the_first_is_taken():
    subscriptions = ledger({L1: ("A", "B"), BOOK: ("A", "B", "C")})
    for _ in range(2):
        subscriptions.limit(subscriptions.next_change(), 0.0)
    assert settle(subscriptions) == [("SUBS", BOOK, ("A",)), ("ADD", BOOK, ("B", "C"))]


def settle_within(subscriptions, held, most):
    """All requests until it is quiet, from a server that takes `most` keys in all; what it holds then and how many."""
    for number in range(1_000):
        if (change := subscriptions.next_change()) is None:
            return number
        mine = held.setdefault(change.service, {})
        if change.command == "UNSUBS":
            for key in change.keys:
                del mine[key]
            subscriptions.accept(change)
            continue
        after = len(set(change.keys).union(mine if change.command == "ADD" else ()))
        if sum(map(len, held.values())) - len(mine) + after > most:
            subscriptions.limit(change, 0.0)
        else:
            held[change.service] = (mine if change.command == "ADD" else {}) | dict.fromkeys(change.keys)
            subscriptions.accept(change)
    raise AssertionError("it never ends")


def test_what_is_wanted_more_takes_the_place_of_what_is_held_and_wanted_less():
    held: dict = {}
    subscriptions = ledger({OPTIONS: ("P1", "P2", "P3")})
    settle_within(subscriptions, held, 3)
    subscriptions.want({OPTIONS: ("NEAR", "P1", "P2", "P3", "P4")})
    settle_within(subscriptions, held, 3)
    assert set(held[OPTIONS]) == {"NEAR", "P1", "P2"}
    assert subscriptions.left_out == {OPTIONS: ("P3", "P4")}
    subscriptions.awaken(300.0)
    assert settle_within(subscriptions, held, 3) <= 4
    assert set(held[OPTIONS]) == {"NEAR", "P1", "P2"}


def test_wishes_that_change_again_and_again_always_leave_the_most_wanted_of_each_service_subscribed():
    rng = random.Random(12)
    names = [f"K{number}" for number in range(400)]
    for most in (40, 150, 1_000):
        held: dict = {}
        subscriptions = SubscriptionLedger({}, FIELDS, chunk=30)
        for _ in range(25):
            wanted = {service: tuple(rng.sample(names, rng.choice((0, 5, 60, 200)))) for service in (L1, OPTIONS, BOOK)}
            subscriptions.want(wanted)
            assert settle_within(subscriptions, held, most) < 150
            for service, keys in wanted.items():
                assert set(held.get(service, ())) == set(keys[: len(held.get(service, ()))])
                assert subscriptions.left_out.get(service, ()) == keys[len(held.get(service, ())) :]
            assert sum(map(len, held.values())) == min(most, sum(map(len, wanted.values())))


def test_a_server_that_takes_nothing_more_whatever_goes_loses_one_key_and_no_second():
    subscriptions = ledger({L1: ("B", "C", "D")}, chunk=4)
    settle(subscriptions)
    subscriptions.want({L1: ("A", "B", "C", "D")})
    assert subscriptions.limit(subscriptions.next_change(), 0.0) == ()
    room = subscriptions.next_change()
    assert (room.command, room.keys) == ("UNSUBS", ("D",))
    subscriptions.accept(room)
    while (change := subscriptions.next_change()) is not None:
        subscriptions.limit(change, 0.0)
    assert subscriptions.left_out == {L1: ("A", "D")}


class Thousands(tuple):
    """Keys that nobody may search one after another: of thousands that are left out, each would cost thousands."""

    __slots__ = ()

    def __contains__(self, key):
        raise AssertionError(f"{key} is searched for among {len(self)}")


def test_a_new_wish_is_not_searched_for_each_of_thousands_that_are_left_out():
    keys = tuple(f"K{number}" for number in range(3_000))
    subscriptions = ledger({L1: Thousands(keys)}, chunk=1)
    subscriptions.limit(subscriptions.next_change(), 0.0)
    subscriptions.want({L1: Thousands(keys[1:])})
    assert subscriptions.left_out == {L1: keys[1:]}
    assert subscriptions.next_change() is None


def test_a_symbol_asked_for_anew_is_tried_at_once():
    subscriptions = ledger({L1: ("BAD", "TIRED")})
    subscriptions.malformed(Change(L1, "SUBS", ("BAD",), ""), 0.0)
    subscriptions.refuse(Change(L1, "SUBS", ("TIRED",), ""), 0.0)
    assert subscriptions.next_change() is None
    subscriptions.forgive(["BAD", "TIRED"])
    assert settle(subscriptions) == [("SUBS", L1, ("BAD", "TIRED"))]


@pytest.mark.parametrize("turn_down", ["refuse", "limit"])
def test_a_suspect_that_fails_otherwise_rests_and_holds_nobody_up(turn_down):
    subscriptions = ledger({L1: ("A", "B", "C")}, chunk=3)
    subscriptions.malformed(subscriptions.next_change(), 0.0)
    suspect = subscriptions.next_change()
    assert suspect.keys == ("A",)
    getattr(subscriptions, turn_down)(suspect, 0.0)
    assert settle(subscriptions) == [("SUBS", L1, ("B", "C"))]
    subscriptions.awaken(300.0)
    assert settle(subscriptions) == [("ADD", L1, ("A",))]
