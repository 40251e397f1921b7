import asyncio
from types import SimpleNamespace

import discord
import pytest
from msgspec.structs import replace

from bot.pictures import PictureRequest
from bot.views import IDLE_S
from cogs.charts_view import RETIRED, ChartView
from streaming.clock import instant_of
from streaming.errors import TransientError
from tests.support.charts import flow_at, scopes
from tests.support.day_maps import map_of
from tests.support.host import make_snapshot


@pytest.fixture
async def shown(room):
    """A chart of SPX as the guest asked for it, for everybody to see."""
    result = await room.guest.slash(room.channel, "gex chart", symbol="SPX", scope="full", public=True)
    return result.followups[0]


def current(room):
    return room.channel.last_message


def controls(room):
    return [child.to_dict() for row in current(room).components for child in row.children]


def chosen(room):
    """What is on show but for the ticker, and the button that is marked."""
    return [name for name in map(_on_show, controls(room)) if name not in {None, "SPX", "NDX"}]


def _on_show(control):
    if "options" in control:
        return next((option["label"] for option in control["options"] if option.get("default")), None)
    return control["label"] if control.get("style") == 1 else None


def names(room):
    """What can be chosen, menus opened."""
    found = controls(room)
    return [one for it in found for one in ([option["label"] for option in it.get("options", ())] or [it.get("label")])]


async def press(person, message, label):
    """Choose a value from the menu that has it, else press the button of that name."""
    for row in message.components:
        for control in row["components"] if isinstance(row, dict) else [child.to_dict() for child in row.children]:
            value = next((one["value"] for one in control.get("options", ()) if one["label"] == label), None)
            if value is not None:
                return await person.select(message, [value], custom_id=control["custom_id"])
    return await person.click(message, label=label)


def picture(room):
    (attachment,) = current(room).attachments
    return attachment.filename


def past_of(ticker, count=5):
    latest = make_snapshot(ticker)
    strikes = ((6390.0, 10.0, -20.0, ()), (6400.0, 30.0, 40.0, ()))
    return [make_snapshot(ticker, strikes=strikes, asof_ms=latest.asof_ms - 60_000 * n) for n in range(count, 0, -1)]


def test_a_phone_shows_one_row_of_buttons_that_wraps_once_and_menus_for_the_rest(room, shown):
    rows = current(room).components
    assert [len(row.children) for row in rows] == [1, 1, 4, 1]


async def test_what_is_on_show_is_marked(room, shown):
    assert chosen(room) == ["Strikes", "Full", "Open interest"]
    select = controls(room)[-1]
    assert [(option["label"], option.get("default", False)) for option in select["options"]] == [
        ("SPX", True),
        ("NDX", False),
    ]


@pytest.mark.parametrize(
    ("label", "name", "marked"),
    [
        ("Profile", "gex-spx-profile-full-oi.png", ["Profile", "Full", "Open interest"]),
        ("Zero", "gex-spx-strikes-zero-oi.png", ["Strikes", "Zero", "Open interest"]),
        ("Open interest", "gex-spx-strikes-full-oi.png", ["Strikes", "Full", "Open interest"]),
        ("Light", "gex-spx-strikes-full-oi.png", ["Strikes", "Full", "Open interest"]),
        ("Refresh", "gex-spx-strikes-full-oi.png", ["Strikes", "Full", "Open interest"]),
    ],
)
async def test_a_button_replaces_the_picture_in_place(room, shown, label, name, marked):
    result = await press(room.guest, shown, label)
    assert result.acknowledged
    assert current(room).id == shown.id
    assert (picture(room), chosen(room)) == (name, marked)
    assert len(room.host.charts.drawn) == 2
    assert current(room).attachments[0].description


async def test_the_theme_turns_and_its_button_names_the_other_one(room, shown):
    await room.guest.click(shown, label="Light")
    assert room.host.charts.drawn[-1].theme == "light"
    await room.guest.click(current(room), label="Dark")
    assert room.host.charts.drawn[-1].theme == "dark"


async def test_the_menu_changes_the_symbol_and_keeps_the_rest(room, shown):
    await press(room.guest, shown, "Zero")
    await press(room.guest, current(room), "NDX")
    assert picture(room) == "gex-ndx-strikes-zero-oi.png"
    assert chosen(room) == ["Strikes", "Zero", "Open interest"]


async def test_a_chart_over_time_takes_the_history(room, shown):
    room.host.snapshots.history_by_ticker["SPX"] = past_of("SPX")
    await press(room.guest, shown, "History")
    assert picture(room) == "gex-spx-history-full-oi.png"
    assert len(room.host.charts.drawn[-1].times) == 6


async def test_a_map_is_of_the_chains_own_engine_and_without_one_says_so(room, shown):
    result = await press(room.guest, shown, "Map")
    (notice,) = result.followups
    assert "SPX has no map" in notice.content
    seen = room.host.snapshots.latest_by_ticker["SPX"] = make_snapshot("SPX", scopes=scopes(6400.0))
    room.host.maps["SPX"] = map_of(seen)
    await press(room.guest, current(room), "Map")
    assert (picture(room), chosen(room)) == ("gex-spx-map-full-oi.png", ["Map", "Full", "Open interest"])
    assert room.host.charts.drawn[-1].prices == room.host.maps["SPX"].prices
    assert room.env.errors, "the refusal"


async def test_a_heatmap_has_one_scope_and_the_others_come_back_with_another_kind(room, shown):
    room.host.snapshots.history_by_ticker["SPX"] = past_of("SPX")
    await press(room.guest, shown, "Zero")
    await press(room.guest, current(room), "Heatmap")
    assert picture(room) == "gex-spx-heatmap-full-oi.png"
    assert [control["placeholder"] for control in controls(room) if control.get("disabled")] == ["Scope"]
    await press(room.guest, current(room), "Strikes")
    assert not any(control.get("disabled") for control in controls(room))


async def test_flow_is_of_no_scope_or_weight_and_their_buttons_come_back_with_another_kind(room, shown):
    everything = names(room)
    streamed = make_snapshot("SPX")
    streamed = replace(streamed, signed_flow=flow_at(instant_of(streamed.asof_ms)))
    room.host.snapshots.latest_by_ticker["SPX"] = streamed
    await press(room.guest, shown, "Flow")
    assert picture(room) == "gex-spx-flow-full-oi.png"
    assert [label for label in everything if label not in names(room)] == [
        "Zero", "One", "Full", "All", "Open interest", "Volume",
    ]  # fmt: skip
    await press(room.guest, current(room), "Strikes")
    assert names(room) == everything
    await press(room.guest, current(room), "Zero")
    assert picture(room) == "gex-spx-strikes-zero-oi.png"


async def test_what_cannot_be_drawn_leaves_the_old_picture_and_says_why_privately(room, shown):
    result = await press(room.guest, shown, "Expiries")
    (notice,) = result.followups
    assert notice.ephemeral
    assert notice.content.startswith("SPX has no figures by expiry")
    assert (picture(room), chosen(room)) == ("gex-spx-strikes-full-oi.png", ["Strikes", "Full", "Open interest"])
    await room.guest.click(current(room), label="Open interest")
    assert picture(room) == "gex-spx-strikes-full-oi.png", "the choice that failed is forgotten"
    assert room.env.errors


async def test_a_worker_in_trouble_leaves_the_old_picture(room, shown):
    room.host.charts.error = TransientError("The chart worker failed.", remedy="Try again in a moment.")
    result = await press(room.guest, shown, "Zero")
    (notice,) = result.followups
    assert notice.ephemeral
    assert notice.content == "The chart worker failed. Try again in a moment."
    assert picture(room) == "gex-spx-strikes-full-oi.png"
    assert room.env.errors


async def test_a_click_is_answered_before_anything_is_drawn(room, shown):
    await press(room.guest, shown, "Zero")
    paths = [request.path for request in room.env.http_requests]
    callbacks = [request for request in room.env.http_requests if request.path.endswith("/callback")]
    assert callbacks[-1].json["type"] == discord.InteractionResponseType.deferred_message_update.value
    assert paths[-1].endswith("/messages/@original")


async def test_somebody_elses_buttons_refuse_privately(room, shown):
    result = await press(room.operator, shown, "Zero")
    assert result.response.ephemeral
    assert "belong to whoever asked" in result.response.content
    assert picture(room) == "gex-spx-strikes-full-oi.png"
    assert len(room.host.charts.drawn) == 1
    assert room.env.errors


@pytest.mark.parametrize("public", [True, False])
async def test_buttons_retire_after_a_while_and_say_so(room, public):
    result = await room.guest.slash(room.channel, "gex chart", symbol="SPX", public=public)
    message = result.followups[0] if public else result.response
    await room.env.advance_time(IDLE_S - 10)
    clicked = await press(room.guest, message, "Zero")
    assert clicked.acknowledged
    await room.env.advance_time(IDLE_S - 10)
    edits = [request for request in room.env.http_requests if request.method == "PATCH"]
    assert RETIRED not in str(edits[-1].json)
    await room.env.advance_time(20)
    retired = room.env.http_requests[-1]
    assert retired.json["content"] == RETIRED
    assert all(control["disabled"] for row in retired.json["components"] for control in row["components"])
    assert "attachments" not in retired.json, "the picture stays"
    callbacks = [request.path for request in room.env.http_requests if request.path.endswith("/callback")]
    assert retired.path.split("/")[-3] == callbacks[-1].split("/")[-2], "the newest token, which still lives"


async def test_a_public_chart_nobody_clicked_retires_too(room, shown):
    await room.env.advance_time(IDLE_S + 10)
    assert all(control.get("disabled") for control in controls(room))
    assert current(room).content == RETIRED
    assert picture(room) == "gex-spx-strikes-full-oi.png"


class Click:
    """An interaction as far as a view needs it; notes what became of it."""

    def __init__(self) -> None:
        self.user = SimpleNamespace(id=7)
        self.channel_id = 1
        self.deeds: list[str] = []
        self.response = SimpleNamespace(defer=self._defer)

    async def _defer(self) -> None:
        self.deeds.append("deferred")

    async def edit_original_response(self, *, attachments, view) -> None:
        self.deeds.append(attachments[0].filename)


@pytest.fixture
async def view(host):
    return ChartView(host.make_bot().services, Click(), PictureRequest(symbol="SPX"))


async def test_of_quick_clicks_the_last_one_is_drawn_and_those_in_between_are_not(host, view):
    host.charts.gate = asyncio.Event()
    choices = ({"scope": "zero"}, {"weight": "oi"}, {"kind": "profile"}, {"scope": "full"})
    clicks = [Click() for _ in choices]
    showing = []
    for click, choice in zip(clicks, choices, strict=True):
        showing.append(asyncio.create_task(view.show(click, **choice)))
        await asyncio.sleep(0.01)
    assert [click.deeds for click in clicks] == [["deferred"]] * 4, "nobody waits for the answer"
    host.charts.gate.set()
    await asyncio.gather(*showing)
    assert len(host.charts.drawn) == 2, "the one under way and the last choice"
    assert [click.deeds[1:] for click in clicks] == [[], [], [], ["gex-spx-profile-full-oi.png"]]
    assert view.request == PictureRequest(symbol="SPX", kind="profile", scope="full", weight="oi")


async def test_a_choice_that_failed_after_it_was_overtaken_does_not_undo_the_newer_one(host, view):
    await view.first_picture(1)
    gate, draw = asyncio.Event(), host.charts.draw

    async def fails_for_zero(chart):
        await gate.wait()
        if chart.bars == ((6400.0, 700.0),):
            raise TransientError("The chart worker failed.")
        return await draw(chart)

    host.charts.draw = fails_for_zero
    first, second = Click(), Click()
    failing = asyncio.create_task(view.show(first, scope="zero"))
    await asyncio.sleep(0.01)
    working = asyncio.create_task(view.show(second, scope="full", weight="oi"))
    await asyncio.sleep(0.01)
    gate.set()
    with pytest.raises(TransientError):
        await failing
    await working
    assert second.deeds[1:] == ["gex-spx-strikes-full-oi.png"]
