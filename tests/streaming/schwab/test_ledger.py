from streaming.schwab.fields import FIELDS, Service
from streaming.schwab.ledger import Change, SubscriptionLedger

L1 = Service.LEVELONE_EQUITIES
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


def test_other_fields_are_asked_for_by_view():
    subscriptions = ledger({L1: ("A",)})
    settle(subscriptions)
    subscriptions.view(L1, "0,1")
    change = subscriptions.next_change()
    assert (change.command, change.parameters()) == ("VIEW", {"fields": "0,1"})
    settle(subscriptions)
    assert subscriptions.next_change() is None


def test_refused_keys_are_left_alone_until_wanted_anew():
    subscriptions = ledger({L1: ("A", "B", "C")})
    first = subscriptions.next_change()
    subscriptions.refuse(first)
    assert settle(subscriptions) == [("SUBS", L1, ("C",))]
    subscriptions.want({L1: ("C",)})
    subscriptions.want({L1: ("A", "C")})
    assert settle(subscriptions) == [("ADD", L1, ("A",))]


def test_a_closed_service_is_asked_for_nothing():
    subscriptions = ledger({L1: ("A",), BOOK: ("A",)})
    subscriptions.close(L1)
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
    assert subscriptions.limit(subscriptions.next_change()) == ()
    change = subscriptions.next_change()
    assert change.keys == ("A", "B")
    subscriptions.accept(change)
    assert subscriptions.limit(subscriptions.next_change()) == ()
    assert subscriptions.next_change().keys == ("C",)
    assert subscriptions.limit(subscriptions.next_change()) == ("C", "D")
    assert subscriptions.next_change() is None
