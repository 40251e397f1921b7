import asyncio
from dataclasses import replace
from unittest import mock

import pytest

from bot import pictures
from bot.feed.feed_metrics import BoardCounters, BoardStatus, FeedStatus
from bot.feed.illustration import Illustration, Illustrator
from bot.feed.status_text import feed_text
from bot.pictures import PictureRequest, take_history, take_picture, take_rank, take_record
from streaming.errors import RequestError, TransientError
from tests.support.host import PNG, Host, make_settings, make_snapshot
from tests.support.waiting import until


@pytest.fixture
async def host():
    host = Host(make_settings(gex_scope="zero"))
    host.snapshots.latest_by_ticker = {"SPX": make_snapshot("SPX")}
    latest = make_snapshot("SPX")
    strikes = ((6390.0, 10.0, -20.0, ()), (6400.0, 30.0, 40.0, ()))
    host.snapshots.history_by_ticker["SPX"] = [
        make_snapshot("SPX", strikes=strikes, asof_ms=latest.asof_ms - 60_000 * n) for n in (3, 2, 1)
    ]
    return host


async def test_a_picture_says_what_it_shows_with_names_as_they_were_found(host):
    picture = await take_picture(host.make_bot().services, PictureRequest(symbol="$spx"), channel_id=None)
    assert picture.png == PNG
    assert picture.shown == PictureRequest(symbol="SPX", scope="full")
    assert picture.filename == "gex-spx-strikes-full-oi.png"
    assert picture.alt.startswith("SPX: net GEX by strike")


async def test_a_picture_names_the_bot_as_discord_does(host):
    services = replace(host.make_bot().services, bot_name=lambda: "Gamma Desk")
    await take_picture(services, PictureRequest(symbol="SPX"), channel_id=None)
    assert [chart.bot for chart in host.charts.drawn] == ["Gamma Desk"]


async def test_without_a_wish_the_scope_is_the_snapshots_and_else_the_settings(host):
    services = host.make_bot().services
    assert (await take_picture(services, PictureRequest(symbol="SPX"), channel_id=None)).shown.scope == "full"
    host.snapshots.latest_by_ticker["SPX"] = make_snapshot("SPX", scope=None)
    assert (await take_picture(services, PictureRequest(symbol="SPX"), channel_id=None)).shown.scope == "zero"


@pytest.mark.parametrize(
    ("kind", "asked"), [("history", ("SPX", 1440, 240)), ("heatmap", ("SPX", 1440, 72)), ("ladder", ("SPX", 31, 124))]
)
async def test_no_more_of_the_history_is_read_than_can_be_shown(host, kind, asked):
    await take_picture(host.make_bot().services, PictureRequest(symbol="SPX", kind=kind), channel_id=None)
    assert host.snapshots.asked == [asked]


async def test_pictures_of_the_moment_do_not_read_the_history(host):
    await take_picture(host.make_bot().services, PictureRequest(symbol="SPX", kind="profile"), channel_id=None)
    assert host.snapshots.asked == []


async def test_a_ladder_is_drawn_without_its_dots_while_the_history_does_not_answer(host):
    host.snapshots.past = mock.AsyncMock(side_effect=TransientError("Redis is away."))
    services = host.make_bot().services
    assert (await take_picture(services, PictureRequest(symbol="SPX", kind="ladder"), channel_id=None)).png == PNG
    with pytest.raises(TransientError):
        await take_picture(services, PictureRequest(symbol="SPX", kind="history"), channel_id=None)


async def test_a_map_is_read_for_the_kind_that_shows_it_and_for_no_other(host, monkeypatch):
    read = []

    async def day_map(_host, ticker):
        read.append(ticker)

    monkeypatch.setattr(Host, "day_map", day_map)
    services = host.make_bot().services
    await take_picture(services, PictureRequest(symbol="SPX", kind="profile"), channel_id=None)
    assert read == []
    with pytest.raises(RequestError, match="no map"):
        await take_picture(services, PictureRequest(symbol="SPX", kind="map"), channel_id=None)
    assert read == ["SPX"]


async def test_a_drawing_that_takes_too_long_is_given_up(host, monkeypatch):
    monkeypatch.setattr(pictures, "_DRAWN_WITHIN_S", 0.01)
    host.charts.gate = asyncio.Event()
    with pytest.raises(TransientError, match="too long"):
        await take_picture(host.make_bot().services, PictureRequest(symbol="SPX"), channel_id=None)


async def test_a_store_that_does_not_answer_is_given_up(host, monkeypatch):
    async def never(*_args, **_kwargs):
        await asyncio.Event().wait()

    monkeypatch.setattr(pictures, "_READ_WITHIN_S", 0.01)
    host.snapshots.past = never
    with pytest.raises(TransientError, match="does not answer"):
        await take_picture(host.make_bot().services, PictureRequest(symbol="SPX", kind="history"), channel_id=None)


async def test_a_history_is_of_the_minutes_asked_for(host):
    text, picture = await take_history(host.make_bot().services, "SPX", minutes=2.5, channel_id=None)
    assert text.count("6390.00") == 3
    assert picture.shown == PictureRequest(symbol="SPX", kind="history", scope="full", weight="oi")
    with pytest.raises(RequestError, match="no history"):
        await take_history(host.make_bot().services, "SPX", minutes=0.5, channel_id=None)


async def test_without_a_history_its_setting_is_named():
    host = Host(make_settings(), reports=None)
    host.snapshots.latest_by_ticker = {"SPX": make_snapshot("SPX")}
    services = host.make_bot().services
    with pytest.raises(RequestError, match="No history is kept") as caught:
        await take_rank(services, "SPX", weight="oi", channel_id=None)
    assert "GEX_HISTORY=true" in caught.value.remedy
    with pytest.raises(RequestError, match="No history is kept"):
        await take_record(services, None, level=None, days=5, channel_id=None)


async def test_a_heatmap_of_a_scope_that_no_history_keeps_is_told_of_where_its_live_message_is_looked_at(host):
    """`/feed set picture:heatmap scope:zero`: any of both alone can be had."""
    services = host.make_bot().services

    async def draw():
        request = PictureRequest(symbol="SPX", kind="heatmap", scope="zero")
        found = await take_picture(services, request, channel_id=None)
        return Illustration(found.png, found.alt)

    pictures_of_board = Illustrator(draw, host.clock, list)
    pictures_of_board.begin(1)
    await until(lambda: pictures_of_board.trouble is not None)
    counters = BoardCounters()
    counters.sent(host.clock.now(), 0.1)
    board = BoardStatus(
        channel_id=11, ticker="SPX", state="open", reason="open", until=None, message_id=1, counters=counters,
        without_picture=pictures_of_board.trouble,
    )  # fmt: skip
    told = feed_text(FeedStatus(boards=(board,)), [board], host.clock.now())
    assert "no picture: The history keeps the strikes of scope full only." in told
    await pictures_of_board.close()
