import logging

import discord
import pytest

from bot.choices import Choices
from streaming.errors import RequestError, TransientError
from streaming.model import PointView
from tests.support.host import PNG, StandInOnDemand, make_snapshot


def only_answer(result):
    """The one message that answered; it is an error when there is none or more than one."""
    assert result.acknowledged
    assert (result.response is None) + len(result.followups) in (0, 1)
    return result.response or result.followups[0]


async def test_status_shows_the_headline_privately(room):
    result = await room.guest.slash(room.channel, "gex status", symbol="spx")
    answer = only_answer(result)
    assert answer.ephemeral
    (embed,) = answer.embeds
    assert "SPX" in embed.title
    assert "6395.25" in str(embed.to_dict())
    assert "quotes of <t:" in embed.description


async def test_without_a_symbol_the_first_ticker_answers(room):
    result = await room.guest.slash(room.channel, "gex status")
    assert "SPX" in only_answer(result).embeds[0].title


async def test_in_a_board_channel_its_own_ticker_answers(room):
    object.__setattr__(room.host.settings, "gex_feed_channel_map", {"NDX": {room.channel.id: Choices()}})
    result = await room.guest.slash(room.channel, "gex status")
    assert "NDX" in only_answer(result).embeds[0].title


async def test_public_answers_are_for_the_channel(room):
    result = await room.guest.slash(room.channel, "gex status", symbol="SPX", public=True)
    assert not only_answer(result).ephemeral
    assert room.channel.last_message.embeds


async def test_a_member_who_may_not_write_gets_a_private_answer_after_all(room):
    everyone = room.guild.default_role
    quiet = room.guild.create_text_channel(
        "read-only", overwrites={everyone: discord.PermissionOverwrite(send_messages=False)}
    )
    result = await room.guest.slash(quiet, "gex status", symbol="SPX", public=True)
    answer = only_answer(result)
    assert answer.ephemeral
    assert answer.content == "Only you see this: you may not write in this channel."


async def test_the_symbol_box_offers_what_is_followed(room):
    everything = await room.guest.autocomplete(room.channel, "gex status", "symbol", "")
    assert [choice["value"] for choice in everything] == ["SPX", "NDX"]
    narrowed = await room.guest.autocomplete(room.channel, "gex levels", "symbol", "nd")
    assert [choice["value"] for choice in narrowed] == ["NDX"]
    assert await room.guest.autocomplete(room.channel, "gex chart", "symbol", "zzz") == []


async def test_an_unknown_symbol_is_answered_with_what_there_is(room):
    result = await room.guest.slash(room.channel, "gex status", symbol="TSLA")
    answer = only_answer(result)
    assert answer.content == "TSLA is not followed here. Available: SPX, NDX."
    assert answer.ephemeral
    assert room.env.errors


async def test_a_symbol_that_is_none_is_refused_in_a_sentence(room):
    result = await room.guest.slash(room.channel, "gex levels", symbol="s p x")
    assert "is not a ticker" in only_answer(result).content
    assert room.env.errors


async def test_a_ticker_nobody_follows_is_shown_all_the_same_when_somebody_publishes_it(room):
    room.host.snapshots.latest_by_ticker["TSLA"] = make_snapshot("TSLA")
    result = await room.guest.slash(room.channel, "gex status", symbol="tsla")
    assert "TSLA" in only_answer(result).embeds[0].title


@pytest.fixture
def demand(room):
    """Somebody can be asked for any ticker."""
    object.__setattr__(room.bot.services, "on_demand", StandInOnDemand())
    return room.bot.services.on_demand


@pytest.mark.parametrize("command", ["gex status", "gex levels", "gex explain"])
async def test_a_ticker_nobody_follows_is_asked_for_and_the_answer_says_so_with_its_age(room, demand, command):
    result = await room.guest.slash(room.channel, command, symbol="tsla")
    answer = only_answer(result)
    assert answer.ephemeral
    assert "TSLA" in answer.embeds[0].title
    assert "asked for on demand 12s ago, the nearest 4 expiries only" in str(answer.embeds[0].to_dict())
    assert demand.asked == ["TSLA"]


async def test_what_was_asked_for_publicly_is_for_the_channel(room, demand):
    result = await room.guest.slash(room.channel, "gex status", symbol="TSLA", public=True)
    assert result.response.ephemeral
    assert room.channel.last_message.embeds[0].title.startswith("TSLA")
    assert demand.asked == ["TSLA"]


async def test_its_levels_can_be_copied(room, demand):
    result = await room.guest.slash(room.channel, "gex copy", symbol="TSLA", format="csv")
    assert "TSLA" in only_answer(result).content
    assert demand.asked == ["TSLA"]


async def test_public_levels_of_it_keep_their_buttons_in_the_channel(room, demand):
    await room.guest.slash(room.channel, "gex levels", symbol="TSLA", public=True)
    (menu, *_), *_ = [row.children for row in room.channel.last_message.components]
    await room.guest.select(room.channel.last_message, ["zero"], custom_id=menu.custom_id)
    assert room.channel.last_message.embeds[0].title.startswith("TSLA · zero")
    assert demand.asked == ["TSLA"]


async def test_a_picture_of_it_has_no_past_but_strikes(room, demand):
    result = await room.guest.slash(room.channel, "gex chart", symbol="TSLA")
    assert only_answer(result).attachments
    assert "asked for on demand" in room.host.charts.drawn[0].footer
    result = await room.guest.slash(room.channel, "gex chart", symbol="AMD", kind="history")
    assert only_answer(result).content == "AMD is not followed here. Available: SPX, NDX."
    assert demand.asked == ["TSLA"]
    assert room.env.errors


async def test_a_source_without_it_is_told_in_the_waiting_message(room, demand):
    demand.error = RequestError("Schwab lists no options of TSLA.")
    result = await room.guest.slash(room.channel, "gex status", symbol="TSLA", public=True)
    answer = only_answer(result)
    assert answer.content == (
        "TSLA is not followed here, and cannot be asked for: Schwab lists no options of TSLA. Available: SPX, NDX."
    )
    assert answer.ephemeral
    assert room.env.errors


async def test_no_snapshot_yet_says_whom_to_ask(room):
    room.host.snapshots.latest_by_ticker.clear()
    result = await room.guest.slash(room.channel, "gex status", symbol="SPX", public=True)
    answer = only_answer(result)
    assert answer.content.startswith("There is no current snapshot of SPX.")
    assert answer.ephemeral
    assert room.env.errors


async def test_a_store_that_is_away_is_a_private_sentence(room):
    room.host.snapshots.error = TransientError("Redis does not answer.", remedy="Try again.")
    result = await room.guest.slash(room.channel, "gex levels", symbol="SPX")
    assert only_answer(result).content == "Redis does not answer. Try again."
    assert room.env.errors


async def test_a_bug_shows_an_id_and_the_log_has_the_traceback_under_it(room, caplog):
    room.host.snapshots.error = KeyError("internal detail")
    result = await room.guest.slash(room.channel, "gex status", symbol="SPX")
    text = only_answer(result).content
    assert text.startswith("Something went wrong (id ")
    assert "internal detail" not in text
    incident = text.partition("(id ")[2].partition(")")[0]
    (record,) = [record for record in caplog.records if record.name == "bot.notices"]
    assert incident in record.getMessage()
    assert record.levelno == logging.ERROR
    assert "internal detail" in str(record.exc_info[1])
    assert room.env.errors


async def test_a_chart_is_a_picture_with_alt_text(room):
    result = await room.guest.slash(room.channel, "gex chart", symbol="SPX", weight="oi")
    answer = only_answer(result)
    assert answer.ephemeral
    (attachment,) = answer.attachments
    assert attachment.filename == "gex-spx-strikes-full-oi.png"
    assert attachment.size == len(PNG)
    assert attachment.description.startswith("SPX: net GEX by strike, by open interest, expiries up to 90 days.")
    (drawn,) = room.host.charts.drawn
    assert drawn.bars == ((6380.0, -1000.0), (6400.0, 3000.0))


async def test_options_choose_kind_scope_weight_and_theme(room):
    await room.guest.slash(room.channel, "gex chart", symbol="SPX", scope="zero", theme="light")
    await room.guest.slash(room.channel, "gex chart", symbol="SPX", kind="profile", scope="full", weight="vol")
    strikes, profile = room.host.charts.drawn
    assert (strikes.bars, strikes.theme) == (((6400.0, 700.0),), "light")
    assert profile.points == ((6300.0, -2000.0), (6500.0, 2000.0))


async def test_a_history_is_a_table_and_a_picture_by_open_interest(room):
    room.host.snapshots.history_by_ticker["SPX"] = past_of("SPX", minutes=(3, 2, 1))
    result = await room.guest.slash(room.channel, "gex history", symbol="SPX")
    answer = only_answer(result)
    assert answer.ephemeral
    assert "SPX · full · by open interest" in answer.content
    assert answer.content.count("6390.00") == 4
    (attachment,) = answer.attachments
    assert "spot and levels of the day" in attachment.description
    (drawn,) = room.host.charts.drawn
    assert len(drawn.times) == 4


async def test_minutes_bound_table_and_picture(room):
    room.host.snapshots.history_by_ticker["SPX"] = past_of("SPX", minutes=(30, 2, 1))
    result = await room.guest.slash(room.channel, "gex history", symbol="SPX", minutes=5, public=True)
    assert result.response.ephemeral
    assert room.channel.last_message.content.count("6390.00") == 3
    assert len(room.host.charts.drawn[0].times) == 3
    assert room.host.snapshots.asked == [("SPX", 5, 240)]


async def test_no_history_yet_is_a_private_sentence(room):
    result = await room.guest.slash(room.channel, "gex history", symbol="SPX", public=True)
    answer = only_answer(result)
    assert answer.ephemeral
    assert answer.content == "SPX has no history of this day yet. Try again in a minute."
    assert room.env.errors


def past_of(ticker, *, minutes):
    latest = make_snapshot(ticker)
    return [make_snapshot(ticker, asof_ms=latest.asof_ms - 60_000 * minute) for minute in minutes]


async def test_a_public_chart_is_for_the_channel(room):
    result = await room.guest.slash(room.channel, "gex chart", symbol="SPX", public=True)
    assert room.channel.last_message.attachments
    assert not result.followups[0].ephemeral
    assert result.response.ephemeral


async def test_a_chart_that_cannot_be_drawn_is_told_in_the_waiting_message(room):
    room.host.charts.error = TransientError("The chart worker is busy.", remedy="Try again.")
    result = await room.guest.slash(room.channel, "gex chart", symbol="SPX")
    answer = only_answer(result)
    assert answer.content == "The chart worker is busy. Try again."
    assert answer.ephemeral
    assert result.followups == []
    assert room.env.errors


async def test_a_public_chart_that_fails_leaves_nothing_in_the_channel(room):
    room.host.charts.error = RuntimeError("worker died")
    result = await room.guest.slash(room.channel, "gex chart", symbol="SPX", public=True)
    assert result.response.ephemeral
    assert result.response.content.startswith("Something went wrong")
    assert result.followups == []
    assert room.env.errors


async def test_discord_failing_in_the_answer_does_not_end_the_command_in_an_exception(room, caplog):
    room.env.inject_error("POST", "/interactions/*/*/callback", status=500, times=None)
    await room.guest.slash(room.channel, "gex status", symbol="SPX")
    assert "could not be delivered" in caplog.text
    assert room.env.errors


async def test_a_figure_is_explained_with_its_number(room):
    result = await room.guest.slash(room.channel, "gex explain", figure="zero_gamma", symbol="spx")
    answer = only_answer(result)
    assert answer.ephemeral
    (embed,) = answer.embeds
    assert embed.title == "SPX · Zero gamma"
    assert "Here it is 6390.00, 5.25 below spot" in embed.description
    assert "dealers are assumed" in embed.footer.text


async def test_without_a_figure_the_lines_of_the_board_are_explained_to_the_channel(room):
    result = await room.guest.slash(room.channel, "gex explain", public=True)
    assert not only_answer(result).ephemeral
    assert "**Net GEX** +2.50Bn" in room.channel.last_message.embeds[0].description


@pytest.mark.parametrize("command", ["gex status", "gex levels", "gex chart", "gex history", "gex explain"])
async def test_everybody_is_offered_gex(room, command):
    room.host.snapshots.history_by_ticker["SPX"] = past_of("SPX", minutes=(1,))
    assert (await room.guest.slash(room.channel, command)).acknowledged


async def test_levels_are_copied_as_the_text_of_a_charting_program_privately(room):
    result = await room.guest.slash(room.channel, "gex copy", format="tradingview", symbol="SPX", scope="full")
    answer = only_answer(result)
    assert answer.ephemeral
    assert "```\nGexcord SPX full oi of " in answer.content
    assert ";Zero gamma,6390.00" in answer.content


async def test_levels_without_any_figure_are_refused_in_a_sentence(room):
    result = await room.guest.slash(room.channel, "gex copy", format="csv", symbol="SPX", scope="one")
    assert "No level of SPX is known by oi in scope one." in only_answer(result).content
    assert room.env.errors


async def test_several_tickers_are_compared_in_one_table(room):
    room.host.snapshots.latest_by_ticker["NDX"] = make_snapshot("NDX")
    everything = only_answer(await room.guest.slash(room.channel, "gex compare")).content
    assert "\nSPX " in everything
    assert "\nNDX " in everything
    some = only_answer(await room.guest.slash(room.channel, "gex compare", symbols="spx,SPX tsla"))
    assert some.ephemeral
    assert some.content.count("\nSPX ") == 1
    assert "no current snapshot of TSLA" in some.content


async def test_one_book_needs_a_relative(room):
    result = await room.guest.slash(room.channel, "gex book", index="SPX")
    assert "One book needs SPX and a related ticker; there is no snapshot of SPY, XSP." in only_answer(result).content
    assert room.env.errors


async def test_an_index_and_its_etf_are_added_up(room):
    etf = make_snapshot("SPY", views={"index": PointView(symbol="$SPX", ratio=10.0, ratio_ms=1)}, spot=640.0)
    room.host.snapshots.latest_by_ticker["SPY"] = etf
    answer = only_answer(await room.guest.slash(room.channel, "gex book", index="SPX", scope="full"))
    assert "SPX + SPY, full, by open interest" in answer.content


@pytest.mark.parametrize("typed", ["HVL", "vol trigger", "zero_gamma", "Gamma flip"])
async def test_a_figure_is_found_by_any_name_that_people_know_it_by(room, typed):
    result = await room.guest.slash(room.channel, "gex explain", figure=typed, symbol="SPX")
    assert only_answer(result).embeds[0].title.endswith("Zero gamma")


async def test_the_box_of_figures_offers_what_contains_the_typed_and_an_unknown_one_is_refused(room):
    offered = await room.guest.autocomplete(room.channel, "gex explain", "figure", "magn")
    assert [choice["value"] for choice in offered] == ["gross_walls"]
    assert len(await room.guest.autocomplete(room.channel, "gex explain", "figure", "")) == 25
    result = await room.guest.slash(room.channel, "gex explain", figure="qqqq", symbol="SPX")
    assert "'qqqq' is not a figure I know." in only_answer(result).content
    assert room.env.errors


CLASSIC_OF_FULL = {"major_pos_oi": 6400.0, "max_priors": ((6400.0, 120.0),)}


@pytest.fixture
def chosen(room):
    """The channel's live message is of the nearest expiry and by volume."""
    mine = {"SPX": {room.channel.id: Choices(scope="zero", weight="vol")}}
    object.__setattr__(room.host.settings, "gex_feed_channel_map", mine)
    room.host.snapshots.latest_by_ticker["SPX"] = make_snapshot(**CLASSIC_OF_FULL)
    return room


async def test_the_choice_of_the_channel_is_the_default_of_its_commands(chosen):
    async def told(command, **options):
        answer = only_answer(await chosen.guest.slash(chosen.channel, f"gex {command}", **options))
        return answer.content, [embed.to_dict() for embed in answer.embeds]

    (status,) = (await told("status"))[1]
    assert ("Zero gamma (volume)", "6401.00") in {(field["name"], field["value"]) for field in status["fields"]}
    (levels,) = (await told("levels"))[1]
    assert levels["title"] == "SPX · zero, the nearest expiry · by today's volume"
    (explained,) = (await told("explain"))[1]
    assert "**Zero gamma** 6401.00: where the total gamma by today's volume" in explained["description"]
    assert "by volume, zero" in (await told("compare", symbols="SPX"))[0]
    assert "SPX,zero_gamma,6401.00,SPX,zero,vol" in (await told("copy", format="csv"))[0]
    (levels,) = (await told("levels", scope="full", weight="oi"))[1]
    assert levels["title"] == "SPX · full, expiries up to 90 days · by open interest", "what is typed wins"


async def test_pictures_and_history_follow_the_channel_too(chosen):
    chosen.host.snapshots.history_by_ticker["SPX"] = past_of("SPX", minutes=(3, 2, 1))
    chart = only_answer(await chosen.guest.slash(chosen.channel, "gex chart"))
    assert chart.attachments[0].filename == "gex-spx-strikes-zero-vol.png"
    history = only_answer(await chosen.guest.slash(chosen.channel, "gex history"))
    assert "SPX · zero · by volume" in history.content
    assert "6401.00" in history.content
