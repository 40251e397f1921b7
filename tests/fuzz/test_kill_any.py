"""One of three processes of a sharded bot is killed; `python -m tests.fuzz.kill_any` kills each, with more boards."""

import asyncio

from bot.wire.identify_slots import APART_S
from tests.fuzz.kill_any import Fall, play, too_long

WITHIN_S = 9.0
"""Five on a machine that has nothing else to do: a lease lasts four."""


def test_the_boards_of_a_killed_process_are_written_by_the_others_and_none_twice(tmp_path):
    (fall,), wrong = asyncio.run(play(9, 1, tmp_path))
    assert not wrong
    assert fall.boards > 0
    assert fall.last_s <= WITHIN_S
    assert fall.shards > 0
    assert fall.answered_s <= WITHIN_S + APART_S


def test_the_first_board_and_the_last_are_judged():
    assert too_long([Fall(200, 4.9, 11.4, 34.0), Fall(100, 4.1, 8.5, 40.0)], 5.0) == []
    assert too_long([Fall(200, 5.1, 13.0, 34.0), Fall(100, 4.1, 9.5, 40.0)], 5.0) == [
        "boards stood still for 5.10 s",
        "the last of 100 boards stood still for 9.50 s",
    ]


def test_a_command_may_wait_for_the_turns_of_the_shards_that_were_lost_and_not_longer():
    kept, lost = Fall(200, 4.0, 11.0, 34.0, 0.4), Fall(200, 4.0, 11.0, 34.0, 15.9, shards=2)
    assert too_long([kept, lost], 5.0, at_once=1) == []
    assert too_long([lost], 5.0, at_once=6) == ["no command was answered for 15.90 s"]
    assert too_long([Fall(200, 4.0, 11.0, 34.0, 0.6)], 5.0) == ["no command was answered for 0.60 s"]
