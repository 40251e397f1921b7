"""discord.py as it is, against the local Discord: what the bot's own code may rely on, seen over the wire."""

import asyncio
import dataclasses
import io
import itertools
import time
from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from discord import app_commands

from bot.sandbox.local_discord import Sandbox, open_sandbox
from bot.sandbox.rest.faults import Trouble, refused
from bot.sandbox.rest.rate_limits import CREATE_MESSAGE, EDIT_MESSAGE
from bot.sandbox.world.permission_bits import Permission
from bot.wire.answers import look_at_answers
from tests.support.discord_bodies import problems_of
from tests.support.wire import Visitor, WireBot, log_in, until, visit

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + (640).to_bytes(4, "big") + (360).to_bytes(4, "big") + b"\x08"
CREATE = "/channels/{channel_id}/messages"


class Form(discord.ui.Modal, title="Set a level"):
    level = discord.ui.TextInput(label="Level", min_length=2, max_length=8)
    note = discord.ui.TextInput(label="Note", required=False)

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"level {self.level.value} note {self.note.value!r}", ephemeral=True)


class Buttons(discord.ui.View):
    @discord.ui.button(label="Refresh", custom_id="refresh")
    async def refresh(self, interaction: discord.Interaction, _button: discord.ui.Button) -> None:
        await interaction.response.edit_message(content="refreshed")

    @discord.ui.button(label="Later", custom_id="later")
    async def later(self, interaction: discord.Interaction, _button: discord.ui.Button) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="changed later")

    @discord.ui.button(label="Ask", custom_id="ask")
    async def ask(self, interaction: discord.Interaction, _button: discord.ui.Button) -> None:
        await interaction.response.send_modal(Form())

    @discord.ui.select(
        placeholder="Scope", options=[discord.SelectOption(label="zero"), discord.SelectOption(label="full")]
    )
    async def scope(self, interaction: discord.Interaction, select: discord.ui.Select) -> None:
        await interaction.response.send_message(f"scope {select.values[0]}", ephemeral=True)

    @discord.ui.select(cls=discord.ui.UserSelect, placeholder="Who")
    async def who(self, interaction: discord.Interaction, select: discord.ui.UserSelect) -> None:
        await interaction.response.send_message(f"who {select.values[0].name}", ephemeral=True)


def build(bot: WireBot) -> None:
    """The commands that the tests below use."""

    @bot.tree.command(description="Answer at once")
    async def private(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("only for you", ephemeral=True)

    @bot.tree.command(description="Answer after a while")
    async def slow(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        picture = discord.File(io.BytesIO(PNG), "strikes.png", description="Gamma by strike")
        await interaction.followup.send("the chart", file=picture)
        await interaction.followup.send("and a word", ephemeral=True)

    @bot.tree.command(description="Open a form")
    async def form(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Form())

    @bot.tree.command(description="Show buttons")
    async def buttons(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("press one", view=Buttons())

    @bot.tree.command(description="Never answer")
    async def silent(interaction: discord.Interaction) -> None:
        assert interaction.id

    @bot.tree.command(description="Operators only")
    @app_commands.default_permissions(manage_guild=True)
    async def operate(interaction: discord.Interaction) -> None:
        allowed = interaction.permissions.manage_guild
        await interaction.response.send_message("done" if allowed else "refused", ephemeral=True)

    group = app_commands.Group(name="gex", description="Gamma exposure")

    @group.command(description="Levels of a symbol")
    @app_commands.describe(symbol="Which", strikes="How many", where="A channel")
    async def levels(
        interaction: discord.Interaction,
        symbol: str,
        strikes: app_commands.Range[int, 1, 50] = 10,
        where: discord.TextChannel | None = None,
    ) -> None:
        place = "" if where is None else f" in {where.name}"
        await interaction.response.send_message(f"{symbol} {strikes}{place}", ephemeral=True)

    @levels.autocomplete("symbol")
    async def symbols(_interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        known = ["SPX", "SPY", "NDX"]
        return [app_commands.Choice(name=name, value=name) for name in known if name.startswith(current.upper())]

    bot.tree.add_command(group)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A local Discord; whatever a test sent that was not refused has Discord's fields and limits."""
    async with open_sandbox(answer_within_s=0.6) as running:
        yield running
        assert problems_of(record for record in running.traffic.requests if record.status < 300) == []


@pytest.fixture
async def bot(sandbox: Sandbox) -> AsyncIterator[WireBot]:
    async with log_in(sandbox, build) as logged_in:
        yield logged_in


@pytest.fixture
async def channel(bot: WireBot, sandbox: Sandbox) -> discord.TextChannel:
    found = bot.get_channel(sandbox.channel_ids["gex-spx"])
    assert isinstance(found, discord.TextChannel)
    return found


@pytest.fixture
async def owner(sandbox: Sandbox) -> AsyncIterator[Visitor]:
    async with visit(sandbox, "owner") as visitor:
        yield visitor


@pytest.fixture
async def guest(sandbox: Sandbox) -> AsyncIterator[Visitor]:
    async with visit(sandbox, "guest") as visitor:
        yield visitor


# Login, sync, guild


async def test_the_bot_logs_in_and_sees_its_guild_and_channels(bot: WireBot, sandbox: Sandbox) -> None:
    (guild,) = bot.guilds
    assert (guild.id, guild.owner_id) == (sandbox.guild_id, sandbox.owner_id)
    assert {channel.name: channel.id for channel in guild.text_channels} == sandbox.channel_ids
    assert guild.me.guild_permissions.send_messages
    assert not guild.me.guild_permissions.administrator
    assert bot.application_id == sandbox.world.application_id


async def test_a_wrong_token_fails_at_login(sandbox: Sandbox) -> None:
    sandbox.token = "another"
    with pytest.raises(ExceptionGroup) as raised:
        async with log_in(sandbox):
            pass
    assert raised.group_contains(discord.LoginFailure)


async def test_synced_commands_keep_their_ids_when_synced_again(bot: WireBot) -> None:
    first = {command.name: command.id for command in await bot.tree.fetch_commands()}
    second = {command.name: command.id for command in await bot.tree.sync()}
    assert first == second
    assert "gex" in first


async def test_a_command_tree_that_discord_refuses_raises_with_its_reason(bot: WireBot, sandbox: Sandbox) -> None:
    with pytest.raises(discord.HTTPException) as raised:
        await bot.http.bulk_upsert_global_commands(sandbox.world.application_id, [{"name": "Bad", "description": ""}])
    assert raised.value.code == 50035
    assert "0.name" in raised.value.text


# Messages


async def test_messages_are_sent_edited_read_listed_and_deleted(channel: discord.TextChannel) -> None:
    sent = await channel.send("one")
    edited = await sent.edit(content="two")
    assert (edited.id, edited.content) == (sent.id, "two")
    assert edited.edited_at is not None
    assert (await channel.fetch_message(sent.id)).content == "two"
    other = await channel.send("three")
    assert [message.content async for message in channel.history()] == ["three", "two"]
    await sent.delete()
    assert [message.id async for message in channel.history()] == [other.id]


async def test_a_file_keeps_its_name_description_size_and_bytes(channel: discord.TextChannel) -> None:
    sent = await channel.send(file=discord.File(io.BytesIO(PNG), "a b.png", description="A picture"))
    (attachment,) = sent.attachments
    assert (attachment.description, attachment.width, attachment.height) == ("A picture", 640, 360)
    assert attachment.content_type == "image/png"
    assert await attachment.read() == PNG
    replaced = await sent.edit(content="new", attachments=[discord.File(io.BytesIO(b"x"), "b.txt")])
    assert [item.filename for item in replaced.attachments] == ["b.txt"]


async def test_a_picture_that_an_embed_shows_is_not_listed_again(channel: discord.TextChannel) -> None:
    embed = discord.Embed(title="Strikes").set_image(url="attachment://c.png")
    sent = await channel.send(embed=embed, file=discord.File(io.BytesIO(PNG), "c.png"))
    assert sent.attachments == []
    assert sent.embeds[0].image.url is not None
    assert "/attachments/" in sent.embeds[0].image.url


async def test_the_gateway_tells_of_messages_that_come_change_and_go(
    bot: WireBot, channel: discord.TextChannel
) -> None:
    created = asyncio.ensure_future(bot.wait_for("message", timeout=3))
    changed = asyncio.ensure_future(bot.wait_for("raw_message_edit", timeout=3))
    gone = asyncio.ensure_future(bot.wait_for("raw_message_delete", timeout=3))
    await asyncio.sleep(0)
    sent = await channel.send("x")
    assert (await created).id == sent.id
    await sent.edit(content="y")
    assert (await changed).message.content == "y"
    await sent.delete()
    assert (await gone).message_id == sent.id


async def test_a_direct_message_reaches_only_its_recipient(
    bot: WireBot, sandbox: Sandbox, owner: Visitor, guest: Visitor
) -> None:
    user = await bot.fetch_user(sandbox.owner_id)
    sent = await user.send("for the operator")
    assert (await owner.next("message_create"))["id"] == str(sent.id)
    assert guest.events.empty()


# What Discord refuses


async def test_content_beyond_two_thousand_characters_is_refused_and_counted(
    channel: discord.TextChannel, sandbox: Sandbox
) -> None:
    await channel.send("x" * 2_000)
    with pytest.raises(discord.HTTPException) as raised:
        await channel.send("x" * 2_001)
    assert (raised.value.status, raised.value.code, sandbox.traffic.violations) == (400, 50035, 1)
    assert "Must be 2000 or fewer in length." in raised.value.text


async def test_an_empty_message_is_refused_and_an_edit_to_nothing_changes_nothing(
    channel: discord.TextChannel,
) -> None:
    with pytest.raises(discord.HTTPException) as raised:
        await channel.send("   ")
    assert raised.value.code == 50006
    sent = await channel.send("here")
    with pytest.raises(discord.HTTPException):
        await sent.edit(content=None)
    assert (await channel.fetch_message(sent.id)).content == "here"


async def test_a_file_beyond_ten_mebibytes_is_refused(channel: discord.TextChannel) -> None:
    with pytest.raises(discord.HTTPException) as raised:
        await channel.send(file=discord.File(io.BytesIO(b"x" * (10 * 1024 * 1024 + 1)), "big.bin"))
    assert (raised.value.status, raised.value.code) == (413, 40005)


async def test_without_permission_sending_is_forbidden_and_editing_still_works(
    channel: discord.TextChannel, sandbox: Sandbox
) -> None:
    sent = await channel.send("before")
    sandbox.world.deny(channel.id, Permission.SEND_MESSAGES)
    with pytest.raises(discord.Forbidden) as raised:
        await channel.send("after")
    assert raised.value.code == 50013
    await sent.edit(content="still mine")
    sandbox.world.deny(channel.id, Permission.VIEW_CHANNEL)
    with pytest.raises(discord.Forbidden) as hidden:
        await sent.edit(content="hidden")
    assert hidden.value.code == 50001
    sandbox.world.deny(channel.id, Permission(0))
    await channel.send("again")


async def test_a_deleted_message_and_a_deleted_channel_are_not_found(
    channel: discord.TextChannel, sandbox: Sandbox
) -> None:
    sent = await channel.send("x")
    sandbox.world.remove(sandbox.world.message(channel.id, sent.id))
    with pytest.raises(discord.NotFound) as gone:
        await sent.edit(content="y")
    assert gone.value.code == 10008
    sandbox.world.delete_channel(channel.id)
    with pytest.raises(discord.NotFound) as closed:
        await channel.send("z")
    assert closed.value.code == 10003


# Rate limits


async def test_the_library_waits_for_the_bucket_instead_of_meeting_a_429(
    channel: discord.TextChannel, sandbox: Sandbox
) -> None:
    sent = await channel.send("0")
    began = time.monotonic()
    for number in range(EDIT_MESSAGE.limit + 1):
        await sent.edit(content=str(number + 1))
    assert EDIT_MESSAGE.per_s - 0.5 < time.monotonic() - began < EDIT_MESSAGE.per_s + 2
    assert sandbox.traffic.statuses[429] == 0


async def test_a_429_that_names_its_wait_is_honoured_and_repeated(
    channel: discord.TextChannel, sandbox: Sandbox
) -> None:
    sandbox.fail(Trouble(429, retry_after_s=0.3), on="post", count=1)
    began = time.monotonic()
    await channel.send("late")
    assert time.monotonic() - began >= 0.3
    assert sandbox.traffic.routes["POST", CREATE, 429] == 1


async def test_a_429_without_via_is_raised_at_once(channel: discord.TextChannel, sandbox: Sandbox) -> None:
    sandbox.fail(Trouble(429, via=False), count=1)
    with pytest.raises(discord.HTTPException) as raised:
        await channel.send("banned")
    assert raised.value.status == 429


async def test_two_clients_that_share_a_bucket_meet_a_429_and_wait_it_out(sandbox: Sandbox) -> None:
    async with log_in(sandbox) as first, log_in(sandbox) as second:
        channels = [bot.get_partial_messageable(sandbox.channel_ids["gex-spx"]) for bot in (first, second)]
        sends = [channel.send("x") for channel in channels for _ in range(CREATE_MESSAGE.limit - 2)]
        await asyncio.gather(*sends)
    assert sandbox.traffic.routes["POST", CREATE, 200] == 2 * (CREATE_MESSAGE.limit - 2)
    assert sandbox.traffic.statuses[429] > 0


# Failures


async def test_a_500_is_repeated_by_the_library_unless_its_answers_are_looked_at(
    bot: WireBot, channel: discord.TextChannel, sandbox: Sandbox
) -> None:
    sandbox.fail(Trouble(500), on="post", count=1)
    assert (await channel.send("y")).content == "y"
    assert sandbox.traffic.routes["POST", CREATE, 500] == 1
    look_at_answers(bot.http)
    for status, shape in itertools.product((500, 502, 503, 504, 520, 524), ("json", "page")):
        sandbox.fail(Trouble(status, shape=shape), on="channel", count=1)
        with pytest.raises(discord.DiscordServerError):
            async with asyncio.timeout(0.9):
                await bot.http.get_channel(channel.id)


async def test_an_injected_404_and_latency_reach_the_caller(channel: discord.TextChannel, sandbox: Sandbox) -> None:
    sent = await channel.send("x")
    sandbox.fail(refused(10008), on="edit", count=1)
    with pytest.raises(discord.NotFound):
        await sent.edit(content="y")
    sandbox.faults.latency_s = 0.2
    began = time.monotonic()
    await sent.edit(content="z")
    assert time.monotonic() - began >= 0.2


# The gateway


async def test_a_closed_gateway_is_resumed_and_what_was_missed_is_replayed(
    bot: WireBot, channel: discord.TextChannel, sandbox: Sandbox
) -> None:
    heard: list[str] = []

    @bot.listen("on_message")
    async def note(message: discord.Message) -> None:
        heard.append(message.content)

    seen = await channel.send("seen")
    await until(lambda: heard == ["seen"])
    sandbox.gateway.close_all(4000)
    missed = sandbox.world.message(channel.id, seen.id)
    sandbox.world.post(dataclasses.replace(missed, id=sandbox.world.snowflakes.next(), content="missed"))
    await asyncio.wait_for(bot.resumed.wait(), 5)
    await until(lambda: heard == ["seen", "missed"])
    assert (sandbox.gateway.identifies, sandbox.gateway.resumes) == (1, 1)


async def test_an_aborted_socket_is_resumed(bot: WireBot, sandbox: Sandbox) -> None:
    sandbox.gateway.abort_all()
    await asyncio.wait_for(bot.resumed.wait(), 8)
    assert (sandbox.gateway.identifies, sandbox.gateway.resumes) == (1, 1)


async def test_op_7_leads_to_a_resume(bot: WireBot, sandbox: Sandbox) -> None:
    sandbox.gateway.ask_to_reconnect()
    await asyncio.wait_for(bot.resumed.wait(), 5)
    assert sandbox.gateway.identifies == 1


async def test_op_9_leads_to_a_new_identify(bot: WireBot, sandbox: Sandbox) -> None:
    sandbox.gateway.invalidate(resumable=False)
    await until(lambda: bot.readied == 2)
    assert (sandbox.gateway.identifies, sandbox.gateway.resumes) == (2, 0)


async def test_a_forgotten_session_is_identified_anew(bot: WireBot, sandbox: Sandbox) -> None:
    sandbox.gateway.forget_sessions()
    sandbox.gateway.close_all(4000)
    await until(lambda: bot.readied == 2)
    assert sandbox.gateway.identifies == 2


async def test_interactions_still_arrive_after_a_resume(bot: WireBot, sandbox: Sandbox, owner: Visitor) -> None:
    sandbox.gateway.close_all(4000)
    await asyncio.wait_for(bot.resumed.wait(), 5)
    await owner.run("private")
    assert (await owner.next("message_create"))["content"] == "only for you"


async def test_a_close_code_that_forbids_coming_back_ends_the_bot(sandbox: Sandbox) -> None:
    with pytest.raises(ExceptionGroup) as raised:
        await _be_closed(sandbox, 4014)
    assert raised.group_contains(discord.PrivilegedIntentsRequired)


async def test_members_can_be_asked_for_over_the_gateway(bot: WireBot, sandbox: Sandbox) -> None:
    (guild,) = bot.guilds
    (found,) = await guild.query_members(user_ids=[sandbox.guest_id])
    assert found.display_name == "Guest"


# Interactions


async def test_a_private_answer_is_seen_only_by_who_asked(
    bot: WireBot, channel: discord.TextChannel, owner: Visitor, guest: Visitor
) -> None:
    status, answer = await owner.run("private")
    message = await owner.next("message_create")
    assert (status, message["interaction_metadata"]["id"]) == (202, answer["interaction_id"])
    assert (message["content"], message["page"]["ephemeral_for"]) == ("only for you", "owner")
    assert len(await owner.messages()) == 1
    assert (await guest.messages(), guest.events.empty()) == ([], True)
    assert [item async for item in channel.history()] == []


async def test_a_deferred_answer_is_filled_by_the_first_followup_with_its_file(bot: WireBot, owner: Visitor) -> None:
    await owner.run("slow")
    waiting = await owner.next("message_create")
    assert waiting["page"] == {"ephemeral_for": "owner", "deferred": True}
    filled = await owner.next("message_update")
    assert (filled["id"], filled["content"], filled["edited_timestamp"]) == (waiting["id"], "the chart", None)
    assert filled["attachments"][0]["description"] == "Gamma by strike"
    assert (await owner.next("message_create"))["content"] == "and a word"
    async with owner.http.get(f"{owner.sandbox.page_url.rstrip('/')}{filled['attachments'][0]['url']}") as response:
        assert await response.read() == PNG


async def test_a_form_opens_and_its_answers_arrive(bot: WireBot, owner: Visitor, guest: Visitor) -> None:
    await owner.run("form")
    shown = await owner.next("modal")
    fields = [row["components"][0]["custom_id"] for row in shown["components"]]
    typed = [{"type": 1, "components": [{"type": 4, "custom_id": fields[0], "value": "5000"}]}]
    asked = {"interaction_id": shown["interaction_id"], "custom_id": shown["custom_id"]}
    status, refused = await owner.interact("modal", **asked, components=[])
    assert (status, refused["message"]) == (400, "Level is empty, too short or too long.")
    assert (await guest.interact("modal", **asked, components=typed))[0] == 400
    assert (await owner.interact("modal", **asked, components=typed))[0] == 202
    assert (await owner.next("message_create"))["content"] == "level 5000 note ''"


async def test_buttons_change_their_message_now_or_later(bot: WireBot, owner: Visitor) -> None:
    await owner.run("buttons")
    message = await owner.next("message_create")
    press = {"message_id": message["id"], "component_type": 2}
    await owner.interact("component", **press, custom_id="refresh")
    assert (await owner.next("message_update"))["content"] == "refreshed"
    await owner.interact("component", **press, custom_id="later")
    assert (await owner.next("message_update"))["content"] == "changed later"
    await owner.interact("component", **press, custom_id="ask")
    assert (await owner.next("modal"))["title"] == "Set a level"
    assert (await owner.interact("component", **press, custom_id="absent"))[0] == 400


async def test_selects_hand_over_what_was_picked(bot: WireBot, sandbox: Sandbox, owner: Visitor) -> None:
    await owner.run("buttons")
    message = await owner.next("message_create")
    selects = {item["type"]: item for row in message["components"] for item in row["components"]}
    for kind, value, answer in ((3, "full", "scope full"), (5, str(sandbox.guest_id), "who guest")):
        picked = {"message_id": message["id"], "custom_id": selects[kind]["custom_id"], "component_type": kind}
        assert (await owner.interact("component", **picked, values=[value]))[0] == 202
        assert (await owner.next("message_create"))["content"] == answer


async def test_autocomplete_offers_what_fits(bot: WireBot, owner: Visitor) -> None:
    command_id = await owner.command_id("gex")
    typed = {"name": "symbol", "type": 3, "value": "sp", "focused": True}
    options = [{"name": "levels", "type": 1, "options": [typed]}]
    status, answer = await owner.interact("autocomplete", command_id=command_id, options=options)
    assert (status, [choice["value"] for choice in answer["choices"]]) == (200, ["SPX", "SPY"])


async def test_a_subcommand_receives_its_options_resolved(bot: WireBot, sandbox: Sandbox, owner: Visitor) -> None:
    options: list[dict[str, Any]] = [
        {"name": "symbol", "type": 3, "value": "SPX"},
        {"name": "strikes", "type": 4, "value": 20},
        {"name": "where", "type": 7, "value": str(sandbox.channel_ids["gex-ndx"])},
    ]
    await owner.run("gex", {"name": "levels", "type": 1, "options": options})
    message = await owner.next("message_create")
    assert message["content"] == "SPX 20 in gex-ndx"
    assert message["interaction_metadata"]["name"] == "gex levels"


async def test_a_guest_is_not_offered_an_operator_command_and_may_force_it_to_the_bot(
    bot: WireBot, owner: Visitor, guest: Visitor
) -> None:
    offered = {command["name"] for command in (await guest.state())["commands"]}
    assert "operate" not in offered
    assert "operate" in {command["name"] for command in (await owner.state())["commands"]}
    assert (await guest.run("operate"))[0] == 403
    await guest.run("operate", force=True)
    assert (await guest.next("message_create"))["content"] == "refused"
    await owner.run("operate")
    assert (await owner.next("message_create"))["content"] == "done"


async def test_an_answer_that_does_not_come_in_time_is_a_failure_for_who_asked(bot: WireBot, owner: Visitor) -> None:
    _, started = await owner.run("silent")
    failed = await owner.next("interaction_failed")
    assert failed == {"interaction_id": started["interaction_id"], "message": "The application did not respond"}


async def test_a_late_or_second_answer_raises_discords_own_errors(sandbox: Sandbox) -> None:
    caught: list[discord.Interaction] = []

    def build(bot: WireBot) -> None:
        @bot.tree.command(description="Keep it")
        async def keep(interaction: discord.Interaction) -> None:
            caught.append(interaction)

    async with log_in(sandbox, build), visit(sandbox, "owner") as owner:
        await owner.run("keep")
        await until(lambda: len(caught) == 1)
        with pytest.raises(discord.NotFound) as early:
            await caught[0].followup.send("before any answer")
        assert early.value.code == 10015
        await caught[0].response.send_message("first")
        again = discord.InteractionResponse(caught[0])
        with pytest.raises(discord.HTTPException) as second:
            await again.send_message("second")
        assert second.value.code == 40060
        await owner.run("keep")
        await owner.next("interaction_failed")
        with pytest.raises(discord.NotFound) as late:
            await caught[1].response.send_message("late")
        assert late.value.code == 10062


async def test_the_original_answer_can_be_read_changed_and_deleted(sandbox: Sandbox) -> None:
    caught: list[discord.Interaction] = []

    def build(bot: WireBot) -> None:
        @bot.tree.command(description="Keep it")
        async def keep(interaction: discord.Interaction) -> None:
            response = await interaction.response.send_message("first", ephemeral=True)
            assert response.message_id is not None
            caught.append(interaction)

    async with log_in(sandbox, build), visit(sandbox, "owner") as owner:
        await owner.run("keep")
        await until(lambda: bool(caught))
        assert (await caught[0].original_response()).content == "first"
        await caught[0].edit_original_response(content="second")
        further = await caught[0].followup.send("more", wait=True)
        await further.edit(content="even more")
        assert [message["content"] for message in await owner.messages()] == ["second", "even more"]
        await further.delete()
        await caught[0].delete_original_response()
        assert await owner.messages() == []


async def _be_closed(sandbox: Sandbox, code: int) -> None:
    async with log_in(sandbox) as bot:
        sandbox.gateway.close_all(code)
        await until(bot.is_closed)
