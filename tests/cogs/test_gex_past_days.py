from datetime import date

import pytest

from streaming.model import ReplayMark
from tests.support.history import graded, reports
from tests.support.host import make_snapshot


@pytest.fixture(autouse=True)
def past(host):
    host.reports["SPX"] = reports(24, begin=date(2026, 7, 1), grades=lambda day, _: [graded(day)])


def only_answer(result):
    assert result.acknowledged
    return result.response or result.followups[0]


async def test_a_rank_is_private_and_says_n(room):
    result = await room.guest.slash(room.channel, "gex rank", symbol="spx")
    answer = only_answer(result)
    assert answer.ephemeral
    assert "SPX · full · by open interest" in answer.content
    assert "n 20" in answer.content


async def test_a_record_tells_of_all_levels_or_of_one(room):
    everything = only_answer(await room.guest.slash(room.channel, "gex record", symbol="SPX", days=22))
    assert "22 sessions" in everything.content
    assert "round strike" in everything.content
    one = only_answer(await room.guest.slash(room.channel, "gex record", symbol="SPX", level="call_wall"))
    assert "n 24 of 24, 24 held" in one.content


async def test_a_history_of_days_is_a_table_and_a_picture_of_closes(room):
    result = await room.guest.slash(room.channel, "gex history", symbol="SPX", days=10, public=True)
    assert result.response.ephemeral
    message = room.channel.last_message
    assert "at the close" in message.content
    (drawn,) = room.host.charts.drawn
    assert len(drawn.days) == len(drawn.times) == 10
    assert message.attachments[0].description.startswith("SPX: spot and levels over 10 sessions, by open interest")


async def test_without_past_days_it_says_when_there_are_some(room):
    for command in ("gex rank", "gex record"):
        result = await room.guest.slash(room.channel, command, symbol="NDX")
        assert "There is no past day of NDX yet." in only_answer(result).content
    room.host.reports["SPX"] = reports(1)
    result = await room.guest.slash(room.channel, "gex history", symbol="SPX", days=5)
    assert "too few past days" in only_answer(result).content
    assert room.env.errors


async def test_figures_that_are_made_up_or_played_have_no_rank(room):
    for changes in ({"source": "simulated"}, {"replay": ReplayMark(of="schwab", speed=1.0, sent_ms=1)}):
        room.host.snapshots.latest_by_ticker["SPX"] = make_snapshot("SPX", **changes)
        result = await room.guest.slash(room.channel, "gex rank", symbol="SPX")
        assert "no rank among real days" in only_answer(result).content
    assert room.env.errors
