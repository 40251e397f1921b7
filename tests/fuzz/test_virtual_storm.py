"""A sample of the storms in virtual time; ten thousand are `python -m tests.fuzz.virtual_storm 1 10000`."""

import asyncio
import random

import pytest

from tests.fuzz.virtual_storm import storm
from tests.support.feed import OPEN_AT
from tests.support.memory_discord import Fault, MemoryDiscord
from tests.support.virtual_loop import LoopClock, StandstillError, VirtualLoop, run_virtually


@pytest.mark.parametrize("seed", [1, 7, 58, 292, 813, 1048, 10264, 10547])
def test_after_and_amid_trouble_each_channel_has_one_current_message(seed: int) -> None:
    """What was once red, and is again without what mended it.

    In 7 a leader was killed, and a message that `/feed pause` had rested looked alive; in 58 a call went out in the
    turn of another and drew a 429; in 292 a board was cancelled three times over; in 813 a bot that was ended went on.
    In 1048, 10264 and 10547 a paused message looked alive: one who had lost the lease unawares wrote once more, and an
    "unknown message" was false.
    """
    assert storm(seed).reasons == ()


def test_one_seed_is_one_trace() -> None:
    assert storm(129).trace == storm(129).trace


@pytest.mark.parametrize(
    ("before", "at_once", "then", "judged"),
    [(4, 2, 0, (0, 1)), (5, 1, 0, (0, 1)), (5, 1, 1, (1, 1)), (3, 2, 1, (1, 0)), (0, 6, 0, (1, 0))],
)
@pytest.mark.parametrize("slow", [False, True])
def test_a_429_is_inherited_unless_an_answer_told_of_the_window_before_the_call(
    before: int, at_once: int, then: int, judged: tuple[int, int], *, slow: bool
) -> None:
    """Another process made so many calls, then this one so many at once, of which one may be slow on its way, and more
    after their answers.
    """

    async def calls(loop: VirtualLoop) -> tuple[int, int]:
        discord = MemoryDiscord(LoopClock(loop, OPEN_AT), random.Random(1), lambda *_: None)
        for callers in (["theirs"] * before, ["ours"] * at_once, ["ours"] * then):
            discord.faults = [Fault("slow", count=1)] if slow and callers else []
            work = (discord.answer("POST", 1, lambda: None, lambda: False, caller) for caller in callers)
            await asyncio.gather(*work)
        return discord.refused, discord.inherited

    assert run_virtually(calls) == judged


def test_a_task_that_is_busy_without_end_while_time_stands_still_is_seen() -> None:
    async def spin(loop: VirtualLoop) -> None:
        await asyncio.sleep(1.0)
        while loop.time() < 2.0:
            """It gives nobody else a turn, either."""

    with pytest.raises(StandstillError, match=r"stands still at 1\.00 s"):
        run_virtually(spin)
