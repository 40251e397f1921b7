"""Trades read off the day's volumes: when they count, when a span is known, and what falls and comes late."""

import numpy as np
import pytest

from streaming.gex.results.trades import SPANS_S, TradeLog

SYMBOLS = np.array(["call", "put"])


def log_of(*heard: tuple[float, tuple[float, ...]], symbols=SYMBOLS) -> TradeLog:
    """A log that has heard these volumes at these seconds."""
    log = TradeLog()
    log.start_epoch("today")
    for at_s, volumes in heard:
        log.note(at_s, symbols, np.array(volumes))
    return log


def minute(log: TradeLog, rows=(0, 1)) -> list[float]:
    return log.traded(np.array(rows))[1].tolist()


def test_what_is_heard_first_is_no_trade_and_no_span_is_known():
    log = log_of((0, (500.0, 70.0)))
    assert minute(log) == [0.0, 0.0]
    assert not any(map(log.knows, range(len(SPANS_S))))


def test_a_rise_counts_in_every_span_it_lies_in_from_the_instant_it_was_heard():
    log = log_of((0, (500.0, 70.0)), (60, (500.0, 90.0)), (119, (530.0, 90.0)), (121, (530.0, 90.0)))
    assert log.traded(np.array([0, 1])).T.tolist() == [[0.0] + [30.0] * 5, [0.0, 0.0] + [20.0] * 4]
    assert [log.knows(span) for span in range(3)] == [True, True, False]


@pytest.mark.parametrize(("now_s", "busy"), [(61, [1]), (1800, [1]), (1860, []), (5000, [])])
def test_a_line_is_busy_as_long_as_any_span_holds_a_trade_of_it(now_s: float, busy: list[int]):
    log = log_of((0, (500.0, 70.0)), (60, (500.0, 90.0)), (now_s, (500.0, 90.0)))
    assert log.busy().tolist() == busy
    assert np.flatnonzero(log.traded(np.array([0, 1])).any(axis=0)).tolist() == busy


@pytest.mark.parametrize(("age_s", "known"), [(59, False), (60, True), (120, True), (121, False)])
def test_a_minute_is_known_where_volumes_were_heard_one_to_two_minutes_ago(age_s: float, known: bool):
    assert log_of((0, (5.0, 5.0)), (age_s, (6.0, 5.0))).knows(1) is known


def test_since_the_volumes_before_is_known_after_any_gap():
    log = log_of((0, (5.0, 5.0)), (5000, (9.0, 5.0)))
    assert log.knows(0)
    assert log.traded(np.array([0]))[0].tolist() == [4.0]


def test_volumes_of_the_same_instant_are_one_hearing():
    log = log_of((0, (5.0, 5.0)), (100, (6.0, 5.0)), (100, (6.0, 8.0)))
    assert log.traded(np.array([0, 1]))[0].tolist() == [1.0, 3.0]


def test_a_volume_that_falls_for_a_moment_is_no_trade_and_its_return_is_none():
    log = log_of((0, (500.0, 70.0)), (10, (0.0, 0.0)), (15, (500.0, 70.0)), (20, (503.0, 70.0)))
    assert minute(log) == [3.0, 0.0]


def test_a_volume_that_stays_lower_for_a_minute_counts_from_there():
    log = log_of((0, (500.0, 0.0)), (10, (20.0, 0.0)), (69, (25.0, 0.0)), (70, (30.0, 0.0)), (75, (34.0, 0.0)))
    assert minute(log) == [4.0, 0.0]


def test_one_that_begins_anew_needs_another_minute_to_do_so_again():
    log = log_of((0, (500.0, 0.0)), (10, (90.0, 0.0)), (70, (80.0, 0.0)), (75, (60.0, 0.0)), (80, (85.0, 0.0)))
    assert minute(log) == [5.0, 0.0]


def test_a_contract_newly_listed_has_traded_nothing_yet_and_the_others_keep_what_they_have():
    log = log_of((0, (500.0, 70.0)), (60, (510.0, 70.0)))
    log.note(70, np.array(["new", "put", "call"]), np.array([4000.0, 70.0, 511.0]))
    assert minute(log, (0, 1, 2)) == [0.0, 0.0, 11.0]
    log.note(80, np.array(["new", "put", "call"]), np.array([4001.0, 70.0, 511.0]))
    assert minute(log, (0, 1, 2)) == [1.0, 0.0, 11.0]


def test_a_contract_that_comes_back_has_traded_nothing_while_it_was_away():
    log = log_of((0, (500.0, 70.0)))
    log.note(10, np.array(["put"]), np.array([70.0]))
    log.note(20, SYMBOLS, np.array([900.0, 70.0]))
    assert minute(log) == [0.0, 0.0]


def test_a_new_session_forgets_and_the_same_one_does_not():
    log = log_of((0, (500.0, 70.0)), (60, (510.0, 70.0)))
    log.start_epoch("today")
    assert minute(log) == [10.0, 0.0]
    log.start_epoch("tomorrow")
    log.note(70, SYMBOLS, np.array([520.0, 70.0]))
    assert minute(log) == [0.0, 0.0]
    assert not log.knows(0)


def test_an_hour_of_volumes_every_second_gives_the_last_minutes_alone():
    log = log_of(*((second, (float(second), 2.0 * second)) for second in range(3601)))
    assert log.traded(np.array([0, 1])).tolist() == [[1.0, 2.0]] + [[s, 2 * s] for s in SPANS_S[1:]]
    assert all(map(log.knows, range(len(SPANS_S))))
    assert len(log._heard) < 2000


def test_the_same_array_of_volumes_is_no_news_but_time_goes_on():
    log, volume = TradeLog(), np.array([5.0, 5.0])
    symbols = np.array(["a", "b"])
    log.note(0.0, symbols, volume)
    log.note(60.0, symbols, more := np.array([5.0, 9.0]))
    for at_s in (90.0, 119.0):
        log.note(at_s, symbols, more)
    assert log.traded(np.array([0, 1]))[1].tolist() == [0.0, 4.0]
    log.note(121.0, symbols, more)
    assert log.traded(np.array([0, 1]))[1].tolist() == [0.0, 0.0]


def test_the_same_volumes_of_contracts_in_another_order_are_looked_at():
    log, volume = TradeLog(), np.array([5.0, 9.0])
    log.note(0.0, np.array(["a", "b"]), volume)
    log.note(60.0, np.array(["b", "a"]), volume)
    assert log.traded(np.array([0, 1]))[1].tolist() == [0.0, 4.0]
