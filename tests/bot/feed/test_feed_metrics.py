from datetime import timedelta

import pytest

from bot.feed.feed_metrics import BoardCounters, BoardStatus, FeedStatus, in_turn, metrics_mapping
from tests.support.feed import OPEN_AT


def board(channel_id: int, counters: BoardCounters) -> BoardStatus:
    return BoardStatus(
        channel_id=channel_id, ticker="SPX", state="open", reason="open", until=None, message_id=9, counters=counters
    )


def test_totals_are_sums_over_the_boards():
    status = FeedStatus(boards=(board(1, BoardCounters(edits=3, errors=1)), board(2, BoardCounters(edits=4))))
    mapping = metrics_mapping(status, OPEN_AT)
    assert (mapping["edits"], mapping["errors"], mapping["boards"], mapping["boards_open"]) == (7, 1, 2, 2)
    assert mapping["board:2:edits"] == 4


def test_the_edit_lag_is_in_milliseconds():
    counters = BoardCounters()
    counters.sent(OPEN_AT, 0.25)
    counters.sent(OPEN_AT + timedelta(seconds=1), 0.05)
    mapping = metrics_mapping(FeedStatus(boards=(board(1, counters),)), OPEN_AT)
    assert mapping["board:1:edit_lag_ms"] == 50
    assert mapping["board:1:edit_lag_mean_ms"] == 230
    assert mapping["edit_lag_max_ms"] == 250
    assert mapping["last_edit_at"] == "2026-08-20T13:40:01.000+00:00"


def test_a_board_that_is_one_of_thousands_has_a_pace_too():
    counters = BoardCounters()
    for number in range(9):
        counters.sent(OPEN_AT + timedelta(seconds=44 * number), 0.05)
    assert counters.pace_per_s(OPEN_AT + timedelta(seconds=44 * 8)) == pytest.approx(1 / 44)
    assert counters.pace_per_s(OPEN_AT + timedelta(hours=2)) < 0.001


def test_what_never_happened_is_left_out():
    mapping = metrics_mapping(FeedStatus(boards=(board(1, BoardCounters()),)), OPEN_AT)
    assert "last_edit_at" not in mapping
    assert "board:1:last_error" not in mapping


def test_every_value_can_be_stored_in_a_hash():
    counters = BoardCounters()
    counters.failed(OPEN_AT, "Discord answered 503.")
    mapping = metrics_mapping(FeedStatus(boards=(board(1, counters),), last_snapshot_at=OPEN_AT), OPEN_AT)
    assert all(isinstance(value, str | int | float) and not isinstance(value, bool) for value in mapping.values())


def test_the_totals_are_of_all_boards_and_fields_are_written_of_a_hundred_in_turn():
    boards = tuple(board(number, BoardCounters(edits=1)) for number in range(250))
    turns = [metrics_mapping(FeedStatus(boards=boards), OPEN_AT, boards=in_turn(boards, turn)) for turn in range(3)]
    assert [mapping["edits"] for mapping in turns] == [250] * 3
    told = [{name for name in mapping if name.endswith(":edits")} for mapping in turns]
    assert [len(names) for names in told] == [100] * 3
    assert len(set.union(*told)) == 250
    assert in_turn((), 5) == ()
