"""A picture for each new message: begun beside the beat, tried again a few times, and never the message's trouble."""

import asyncio

import pytest

from bot.feed.illustration import Illustration, Illustrator
from streaming.errors import RequestError, TransientError
from tests.support.clock import ManualClock

PICTURE = Illustration(b"png", "what it shows")


class Drawing:
    """Draws what it is told to, one after another; the last for ever."""

    def __init__(self, *results: Illustration | Exception) -> None:
        self.results = list(results)
        self.drawn = 0
        self.done = 0

    async def __call__(self) -> Illustration:
        self.drawn += 1
        result = self.results.pop(0) if len(self.results) > 1 else self.results[0]
        if isinstance(result, Exception):
            raise result
        return result

    def ready(self) -> None:
        self.done += 1


def illustrator(drawing: Drawing) -> Illustrator:
    return Illustrator(drawing, ManualClock(), drawing.ready)


async def settled() -> None:
    for _ in range(200):
        await asyncio.sleep(0)


async def test_each_message_gets_one_picture_of_its_own():
    drawing = Drawing(PICTURE)
    pictures = illustrator(drawing)
    pictures.begin(None)
    for message_id in (1, 1, 2):
        pictures.begin(message_id)
        await settled()
    assert (drawing.drawn, drawing.done) == (2, 2)
    assert (pictures.ready_for(1), pictures.ready_for(2)) == (None, PICTURE)
    pictures.attached()
    assert pictures.ready_for(2) is None


async def test_figures_that_come_later_are_waited_for_and_what_never_comes_is_given_up():
    drawing = Drawing(RequestError("There is no history yet."), PICTURE)
    pictures = illustrator(drawing)
    pictures.begin(1)
    await settled()
    assert pictures.ready_for(1) is PICTURE
    drawing.results = [RequestError("There are no figures.")]
    pictures.begin(2)
    await settled()
    assert drawing.drawn == 2 + 4
    assert pictures.trouble == "There are no figures."


async def test_a_bug_of_a_picture_is_logged_and_ends_nothing(caplog):
    pictures = illustrator(Drawing(ZeroDivisionError()))
    pictures.begin(1)
    await settled()
    await pictures.close()
    assert "could not be drawn" in caplog.text
    assert "the log has the details" in pictures.trouble


@pytest.mark.parametrize(("passes", "left"), [(True, [PICTURE, PICTURE, None]), (False, [None])])
async def test_what_discord_does_not_take_is_given_up_at_once_or_after_three_times(passes, left):
    pictures = illustrator(Drawing(PICTURE))
    pictures.begin(1)
    await settled()
    seen = []
    for _ in left:
        pictures.failed(TransientError("Discord is away."), passes=passes)
        seen.append(pictures.ready_for(1))
    assert seen == left
    assert pictures.trouble == "Discord is away."


async def test_without_a_picture_to_draw_nothing_is_begun():
    pictures = Illustrator(None, ManualClock(), lambda: None)
    pictures.begin(1)
    await pictures.close()
    assert pictures.ready_for(1) is None
