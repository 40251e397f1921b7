import pytest

from streaming.schwab.stream.routing import Subscriptions, book_service, level_one_service, plan
from streaming.schwab.wire.fields import Service

OPTION = "SPXW  251208C06880000"


@pytest.mark.parametrize(
    ("symbol", "service"),
    [
        ("SPY", Service.LEVELONE_EQUITIES),
        ("$SPX", Service.LEVELONE_EQUITIES),
        ("BRK/B", Service.LEVELONE_EQUITIES),
        ("/ES", Service.LEVELONE_FUTURES),
        ("/MNQH26", Service.LEVELONE_FUTURES),
        (OPTION, Service.LEVELONE_OPTIONS),
    ],
)
def test_a_symbol_goes_to_its_service(symbol, service):
    assert level_one_service(symbol) is service


@pytest.mark.parametrize(
    ("symbol", "listing", "service"),
    [
        ("QQQ", "Q", Service.NASDAQ_BOOK),
        ("SPY", "P", Service.NYSE_BOOK),
        ("F", "N", Service.NYSE_BOOK),
        ("XYZ", None, None),
        ("$SPX", "0", None),
        ("VFINX", "3", None),
        ("/ES", "?", None),
        (OPTION, None, Service.OPTIONS_BOOK),
    ],
)
def test_a_book_goes_to_the_listing_exchange(symbol, listing, service):
    assert book_service(symbol, listing) is service


def test_a_plan_names_every_key_once_in_order():
    wanted = plan(Subscriptions(("QQQ", "SPY", "/ES", "$SPX", "ZZZ")), {"ZZZ": "N"}, level2=True)
    assert wanted == {
        Service.LEVELONE_EQUITIES: ("QQQ", "SPY", "$SPX", "ZZZ"),
        Service.LEVELONE_FUTURES: ("/ES",),
        Service.NASDAQ_BOOK: ("QQQ",),
        Service.NYSE_BOOK: ("SPY", "ZZZ"),
    }


def test_what_level_one_told_beats_what_we_thought():
    wanted = plan(Subscriptions(("SPY",)), {"SPY": "Q"}, level2=True)
    assert Service.NASDAQ_BOOK in wanted
    assert Service.NYSE_BOOK not in wanted


def test_without_permission_or_wish_there_are_no_books():
    assert set(plan(Subscriptions(("SPY",)), {}, level2=False)) == {Service.LEVELONE_EQUITIES}
    assert set(plan(Subscriptions(("SPY",), books=False), {}, level2=True)) == {Service.LEVELONE_EQUITIES}


def test_options_for_the_engine_get_no_book():
    wanted = plan(Subscriptions((), (OPTION,)), {}, level2=True)
    assert wanted == {Service.LEVELONE_OPTIONS: (OPTION,)}
    both = plan(Subscriptions((OPTION,), (OPTION,)), {}, level2=True)
    assert both == {Service.LEVELONE_OPTIONS: (OPTION,), Service.OPTIONS_BOOK: (OPTION,)}


def test_options_for_the_engine_are_wanted_more_than_those_that_are_only_published():
    near = OPTION.replace("C", "P")
    wanted = plan(Subscriptions((OPTION,), (near,), books=False), {}, level2=True)
    assert wanted == {Service.LEVELONE_OPTIONS: (near, OPTION)}


def test_an_option_for_the_engine_is_asked_for_once():
    assert Subscriptions(("SPY",)).quoting([OPTION, OPTION]).option_quotes == (OPTION,)


def test_charts_follow_the_kind_of_symbol():
    symbols = Subscriptions(("SPY", "$SPX", "/ES", OPTION), books=False, charts=True)
    wanted = plan(symbols, {}, level2=True)
    assert (wanted[Service.CHART_EQUITY], wanted[Service.CHART_FUTURES]) == (("SPY", "$SPX"), ("/ES",))
    assert Service.CHART_EQUITY not in plan(Subscriptions(("SPY",)), {}, level2=True)


def test_only_the_services_asked_for_are_used_for_symbols_and_the_engines_options_stay():
    services = frozenset({Service.NYSE_BOOK, Service.CHART_EQUITY})
    subscriptions = Subscriptions(("SPY", "/ES"), (OPTION,), services=services)
    assert plan(subscriptions, {}, level2=True) == {
        Service.LEVELONE_OPTIONS: (OPTION,),
        Service.NYSE_BOOK: ("SPY",),
        Service.CHART_EQUITY: ("SPY",),
    }


def test_level_one_comes_before_books_and_books_before_charts():
    wanted = plan(Subscriptions(("/ES", "SPY"), charts=True), {}, level2=True)
    assert list(wanted) == [
        Service.LEVELONE_EQUITIES,
        Service.LEVELONE_FUTURES,
        Service.NYSE_BOOK,
        Service.CHART_EQUITY,
        Service.CHART_FUTURES,
    ]


def test_a_listing_learnt_from_the_wire_wins_over_the_one_known_beforehand():
    assert Service.NASDAQ_BOOK in plan(Subscriptions(("SPY",)), {"SPY": "Q"}, level2=True)
