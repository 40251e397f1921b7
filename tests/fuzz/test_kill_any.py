"""One of three processes of a sharded bot is killed; `python -m tests.fuzz.kill_any` kills each, with more boards."""

import asyncio

from tests.fuzz.kill_any import play

WITHIN_S = 9.0
"""Five on a machine that has nothing else to do: a lease lasts four."""


def test_the_boards_of_a_killed_process_are_written_by_the_others_and_none_twice(tmp_path):
    (fall,), wrong = asyncio.run(play(9, 1, tmp_path))
    assert not wrong
    assert fall.boards > 0
    assert fall.last_s <= WITHIN_S
