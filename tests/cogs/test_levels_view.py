import discord
import pytest
from msgspec.structs import replace

from bot.views import IDLE_S
from streaming.model import PointView
from tests.cogs.test_charts_view import chosen, press
from tests.support.host import StandInOnDemand, make_snapshot


@pytest.fixture
async def shown(room):
    """Levels of SPX as the guest asked for them, for everybody to see."""
    return (await room.guest.slash(room.channel, "gex levels", symbol="SPX", public=True)).response


def title(message):
    return message.embeds[0].title


def current(room):
    return room.channel.last_message


async def test_levels_show_the_settings_scope_and_open_interest(room, shown):
    assert title(shown) == "SPX · full, expiries up to 90 days · by open interest"
    assert "6390.00" in str(shown.embeds[0].to_dict())
    assert chosen(room) == ["Full", "Open interest"]


async def test_a_phone_shows_a_menu_and_one_row_of_buttons_that_wraps_once(room, shown):
    assert [len(row.children) for row in current(room).components] == [1, 4]


async def test_options_choose_scope_and_weight(room):
    result = await room.guest.slash(room.channel, "gex levels", symbol="NDX", scope="zero", weight="vol")
    assert title(result.response).startswith("NDX · zero, the nearest expiry · by")
    assert result.response.ephemeral


async def test_a_button_changes_the_scope_in_place(room, shown):
    result = await press(room.guest, shown, "Zero")
    assert result.acknowledged
    assert title(current(room)) == "SPX · zero, the nearest expiry · by open interest"
    assert current(room).id == shown.id
    assert "6400.00" in str(current(room).embeds[0].to_dict())
    assert chosen(room) == ["Zero", "Open interest"]


async def test_a_button_changes_the_weight_and_keeps_the_scope(room, shown):
    await press(room.guest, shown, "Zero")
    await room.guest.click(current(room), label="Volume")
    assert title(current(room)).startswith("SPX · zero, the nearest expiry · by")
    assert "6401.00" in str(current(room).embeds[0].to_dict())


async def test_refresh_shows_the_newest_figures(room, shown):
    room.host.snapshots.latest_by_ticker["SPX"] = make_snapshot("SPX", spot=6500.0)
    await room.guest.click(shown, label="Refresh")
    assert "6500.00" in str(current(room).embeds[0].to_dict())


async def test_the_form_takes_another_symbol_in_place(room, shown):
    asked = await room.guest.click(shown, label="Other symbol…")
    assert asked.modal["title"] == "Levels of another symbol"
    field = asked.modal["components"][0]["component"]
    assert field["value"] == "SPX"
    result = await room.guest.submit_modal(asked, {field["custom_id"]: "ndx"})
    assert result.acknowledged
    assert title(current(room)).startswith("NDX · full")


async def test_a_wrong_symbol_in_the_form_is_answered_privately_and_the_message_stays(room, shown):
    asked = await room.guest.click(shown, label="Other symbol…")
    field = asked.modal["components"][0]["component"]
    result = await room.guest.submit_modal(asked, {field["custom_id"]: "TSLA"})
    assert result.response.ephemeral
    assert result.response.content == "TSLA is not followed here. Available: SPX, NDX."
    assert title(current(room)).startswith("SPX")
    assert room.env.errors


async def test_somebody_elses_buttons_refuse_privately(room, shown):
    result = await press(room.operator, shown, "Zero")
    assert result.response.ephemeral
    assert "belong to whoever asked" in result.response.content
    assert title(current(room)) == "SPX · full, expiries up to 90 days · by open interest"
    assert room.env.errors


async def test_a_button_while_the_store_is_away_answers_privately(room, shown):
    room.host.snapshots.error = KeyError("x")
    result = await press(room.guest, shown, "Zero")
    assert result.response.ephemeral
    assert result.response.content.startswith("Something went wrong")
    assert room.env.errors


async def test_buttons_retire_after_a_while_without_a_click(room, shown):
    await room.env.advance_time(IDLE_S - 10)
    await press(room.guest, shown, "Zero")
    await room.env.advance_time(IDLE_S - 10)
    assert not any(button.get("disabled") for button in buttons_of(current(room)))
    await room.env.advance_time(20)
    assert all(button.get("disabled") for button in buttons_of(current(room)))
    answered = [request for request in room.env.http_requests if request.path.endswith("/callback")]
    retired = room.env.http_requests[-1]
    assert retired.path.split("/")[-3] == answered[-1].path.split("/")[-2], "the newest token, which still lives"


async def test_a_button_from_before_a_restart_says_that_it_is_over(room, shown):
    await room.env.restart_bot(room.host.make_bot())
    result = await press(room.guest, shown, "Zero")
    assert result.response.content == "These buttons have expired. Use the command again for new ones."
    assert result.response.ephemeral


def buttons_of(message):
    return [child.to_dict() for row in message.components for child in row.children]


async def open_form(room, shown):
    asked = await room.guest.click(shown, label="Other symbol…")
    return asked, asked.modal["components"][0]["component"]["custom_id"]


def disabled(room):
    return all(button.get("disabled") for button in buttons_of(current(room)))


async def test_buttons_retire_after_the_form_was_filled_in(room, shown):
    asked, field = await open_form(room, shown)
    await room.env.advance_time(IDLE_S - 10)
    await room.guest.submit_modal(asked, {field: "NDX"})
    await room.env.advance_time(IDLE_S - 10)
    assert not disabled(room), "filling in the form counts as a click"
    await room.env.advance_time(20)
    assert disabled(room)


async def test_buttons_retire_after_the_form_was_left_alone(room, shown):
    await open_form(room, shown)
    await room.env.advance_time(IDLE_S + 10)
    assert disabled(room)
    (opened,) = [
        request
        for request in room.env.http_requests
        if request.path.endswith("/callback") and request.json["type"] == discord.InteractionResponseType.modal.value
    ]
    assert room.env.http_requests[-1].path.split("/")[-3] != opened.path.split("/")[-2], "a form has no message"


async def test_levels_in_etf_points_stay_in_etf_points_through_the_buttons(room):
    index = room.host.snapshots.latest_by_ticker["SPX"]
    view = PointView(symbol="SPY", ratio=0.1, ratio_ms=index.asof_ms)
    room.host.snapshots.latest_by_ticker["SPX"] = replace(index, views={"etf": view})
    result = await room.guest.slash(room.channel, "gex levels", symbol="SPX", view="etf", public=True)
    assert title(result.response) == "SPX · full, expiries up to 90 days · by open interest · in SPY points"
    assert "639.00" in str(result.response.embeds[0].to_dict())
    await press(room.guest, result.response, "Zero")
    assert title(current(room)) == "SPX · zero, the nearest expiry · by open interest · in SPY points"


async def test_points_that_are_not_known_are_a_private_sentence_and_leave_the_message_alone(room):
    result = await room.guest.slash(room.channel, "gex levels", symbol="SPX", view="etf")
    assert "SPY and the underlying of SPX have not been quoted together yet." in result.response.content
    assert result.response.ephemeral
    assert room.env.errors


async def test_a_button_of_levels_that_were_asked_for_asks_again_and_waits(room):
    demand = StandInOnDemand()
    object.__setattr__(room.bot.services, "on_demand", demand)
    shown = (await room.guest.slash(room.channel, "gex levels", symbol="TSLA")).response
    demand.by_ticker.clear()
    result = await press(room.guest, shown, "Zero")
    assert result.acknowledged
    assert demand.asked == ["TSLA", "TSLA"]
    assert (result.response or shown).embeds[0].title.startswith("TSLA · zero")
