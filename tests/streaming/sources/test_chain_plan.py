"""What is asked for next, and how often."""

from datetime import date, timedelta

from streaming.sources.chain_plan import NEAREST_INTERVAL_S, ChainPlan, ChainRequest

TODAY = date(2026, 8, 20)
DATES = [TODAY + timedelta(days=days) for days in range(12)]


def plan_of(count: int = 4, *, per_minute: int = 100) -> ChainPlan:
    plan = ChainPlan(per_minute)
    plan.update("$SPX", DATES[:count])
    return plan


def test_expiries_never_loaded_come_nearest_first_and_each_once():
    plan = plan_of(3)
    taken = [plan.take(0.0) for _ in range(4)]
    assert taken == [ChainRequest("$SPX", day) for day in DATES[:3]] + [None]


def test_the_nearest_expiry_comes_back_first_and_a_far_one_much_later():
    plan = plan_of(12)
    while (request := plan.take(0.0)) is not None:
        plan.loaded(request, 0.0)
    assert plan.take(NEAREST_INTERVAL_S - 0.1) is None
    assert plan.take(NEAREST_INTERVAL_S) == ChainRequest("$SPX", DATES[0])
    assert plan.take(NEAREST_INTERVAL_S) is None
    far = {plan.take(100.0 * NEAREST_INTERVAL_S) for _ in range(11)}
    assert ChainRequest("$SPX", DATES[11]) in far


def test_an_hour_of_polling_stays_within_the_budget():
    plan = ChainPlan(30)
    for symbol in ("$SPX", "$NDX", "SPY"):
        plan.update(symbol, DATES)
    asked, now_s = 0, 0.0
    while now_s < 3600.0:
        while (request := plan.take(now_s)) is not None:
            plan.loaded(request, now_s)
            asked += 1
        now_s += 0.25
    assert asked <= 30 * 60
    assert asked >= 30 * 60 * 0.8


def test_a_failed_request_comes_again_later_each_time():
    plan = plan_of(1)
    waits, now_s = [], 0.0
    for _ in range(7):
        request = plan.take(now_s)
        assert request is not None
        plan.failed(request, now_s)
        began_s = now_s
        while plan.take(now_s) is None:
            now_s += 1.0
        waits.append(now_s - began_s)
        plan.failed(request, now_s)
        now_s += 1000.0
    assert waits[0] >= NEAREST_INTERVAL_S
    assert waits[-1] == 16 * NEAREST_INTERVAL_S


def test_the_other_sides_wish_to_wait_is_kept_for_everybody():
    plan = plan_of(2)
    plan.postpone(0.0, 30.0)
    assert plan.take(29.9) is None
    assert plan.take(30.0) is not None


def test_every_planned_expiry_is_required_for_the_whole():
    plan = plan_of(2)
    first, second = plan.take(0.0), plan.take(0.0)
    assert first and second
    plan.loaded(first, 1.0)
    assert plan.required("$SPX") == plan.planned("$SPX") == tuple(DATES[:2])
    assert plan.ages_s("$SPX", 5.0) == {DATES[0]: 4.0, DATES[1]: None}
    plan.loaded(second, 2.0)
    assert plan.ages_s("$SPX", 5.0) == {DATES[0]: 4.0, DATES[1]: 3.0}


def test_an_expiry_refused_three_times_does_not_hold_up_the_others():
    plan = plan_of(2)
    first, second = plan.take(0.0), plan.take(0.0)
    assert first and second
    plan.loaded(first, 0.0)
    for attempt in range(3):
        assert plan.required("$SPX") == tuple(DATES[:2])
        plan.failed(second, 100.0 * attempt)
    assert plan.required("$SPX") == (DATES[0],)
    assert plan.ages_s("$SPX", 10.0)[DATES[1]] is None


def test_an_expiry_that_was_loaded_stays_required_however_often_it_fails_later():
    plan = plan_of(1)
    request = plan.take(0.0)
    assert request
    plan.loaded(request, 0.0)
    for attempt in range(5):
        plan.failed(request, 100.0 * attempt)
    assert plan.required("$SPX") == (DATES[0],)


def test_what_was_put_back_is_due_at_once():
    plan = plan_of(1)
    request = plan.take(0.0)
    assert request
    assert plan.take(0.0) is None
    plan.put_back(request)
    assert plan.take(0.0) == request


def test_what_was_loaded_and_is_forgotten_is_due_at_once_and_what_failed_waits_on():
    plan = plan_of(2)
    first, second = plan.take(0.0), plan.take(0.0)
    assert first and second
    plan.loaded(first, 1.0)
    plan.failed(second, 1.0)
    plan.forget_loaded()
    assert plan.take(1.0) == first
    assert plan.take(1.0) is None
    assert plan.ages_s("$SPX", 1.0) == {DATES[0]: None, DATES[1]: None}


def test_an_expiry_that_was_loaded_once_is_required_again_by_engines_that_lost_it():
    plan = plan_of(1)
    request = plan.take(0.0)
    assert request
    plan.loaded(request, 0.0)
    for attempt in range(5):
        plan.failed(request, 100.0 * attempt)
    plan.forget_loaded()
    assert plan.required("$SPX") == (DATES[0],)


def test_an_expiry_that_is_over_is_asked_for_no_more():
    plan = plan_of(2)
    request = plan.take(0.0)
    assert request
    plan.forget(request)
    assert plan.planned("$SPX") == (DATES[1],)


def test_an_expiry_that_vanished_is_forgotten_and_the_others_keep_their_age():
    plan = plan_of(2)
    while (request := plan.take(0.0)) is not None:
        plan.loaded(request, 0.0)
    plan.update("$SPX", DATES[1:3])
    assert plan.ages_s("$SPX", 7.0) == {DATES[1]: 7.0, DATES[2]: None}
